/** Rows as BigQuery's REST interface sends them, as the values that the installed tables give. */
import { decimal, instant, integer } from '../values.ts';

/** A column of an answer: TableFieldSchema of the REST interface. */
export interface FieldSchema {
  name: string;
  type: string;
  mode?: string;
  fields?: FieldSchema[];
}

/** A row: `{ f: [{ v: … }] }`, values as texts. */
export interface RawRow {
  f?: { v?: unknown }[];
}

const TYPES: Record<string, string> = {
  STRING: 'VARCHAR',
  BYTES: 'BLOB',
  INTEGER: 'BIGINT',
  INT64: 'BIGINT',
  FLOAT: 'DOUBLE',
  FLOAT64: 'DOUBLE',
  BOOLEAN: 'BOOLEAN',
  BOOL: 'BOOLEAN',
  TIMESTAMP: 'TIMESTAMP WITH TIME ZONE',
  DATETIME: 'TIMESTAMP',
  DATE: 'DATE',
  TIME: 'TIME',
  NUMERIC: 'DECIMAL(38,9)',
  BIGNUMERIC: 'DECIMAL(76,38)',
  RECORD: 'STRUCT',
  STRUCT: 'STRUCT',
};

/** The type of a column in the words that the installed tables have: `BIGINT`, `VARCHAR[]`. */
export function typeOf({ type, mode }: FieldSchema): string {
  return `${TYPES[type] ?? type}${mode === 'REPEATED' ? '[]' : ''}`;
}

/** Makes the function from a row of the server to its values in the order of the columns. */
export function rowReader(fields: readonly FieldSchema[]): (row: RawRow) => unknown[] {
  const readers = fields.map(readerOf);
  return (row) => readers.map((read, at) => read(row.f?.[at]?.v));
}

function readerOf(field: FieldSchema): (value: unknown) => unknown {
  const one = scalarReader(field);
  if (field.mode !== 'REPEATED')
    return (value) => (value === null || value === undefined ? null : one(value));
  return (value) =>
    Array.isArray(value)
      ? (value as { v?: unknown }[]).map(({ v }) => (v === null || v === undefined ? null : one(v)))
      : [];
}

function scalarReader(field: FieldSchema): (value: unknown) => unknown {
  switch (field.type) {
    case 'INTEGER':
    case 'INT64':
      return (value) => integer(BigInt(String(value)));
    case 'FLOAT':
    case 'FLOAT64':
      return (value) => {
        const number = Number(value);
        return Number.isFinite(number) ? number : String(number);
      };
    case 'BOOLEAN':
    case 'BOOL':
      return (value) => value === true || value === 'true';
    case 'NUMERIC':
    case 'BIGNUMERIC':
      return (value) => decimal(String(value));
    case 'TIMESTAMP':
      return (value) => instant(BigInt(String(value)));
    case 'JSON':
      return (value) => JSON.parse(String(value)) as unknown;
    case 'RECORD':
    case 'STRUCT': {
      const fields = field.fields ?? [];
      const read = rowReader(fields);
      return (value) => {
        const values = read(value as RawRow);
        return Object.fromEntries(fields.map(({ name }, at) => [name, values[at]]));
      };
    }
    default:
      return String;
  }
}
