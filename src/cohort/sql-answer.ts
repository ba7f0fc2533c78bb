/** The answer to a statement as something to iterate; its rows can be held against a schema. */
import type { Catalog, QueryOptions } from '../catalog/index.ts';
import { CarrelError } from '../errors.ts';

/** A value in SQL answers: what JSON has. Whole numbers beyond ±(2^53 − 1) and decimals that a number cannot hold are text. */
export type SqlValue = string | number | boolean | null | SqlValue[] | { [name: string]: SqlValue };

/** A row of an answer by column name. */
export type SqlRow = Record<string, SqlValue>;

/** A value that can be bound to a parameter. */
export type SqlParameter = string | number | boolean | null | string[];

/** A schema by the Standard Schema specification, version 1, as valibot, zod, ArkType and others make them. */
export interface RowSchema<Row> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Row> | Promise<SchemaResult<Row>>;
    readonly types?: { readonly input: unknown; readonly output: Row } | undefined;
  };
}

type SchemaResult<Row> =
  | { readonly value: Row; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string;
        readonly path?: readonly unknown[] | undefined;
      }[];
    };

/** The answer to a statement, asked when it is iterated, and anew each time. */
export interface SqlAnswer<Row = SqlRow> extends AsyncIterable<Row> {
  /** Names and DuckDB's types of the columns: `BIGINT`, `VARCHAR[]`. */
  columns(): Promise<{ name: string; type: string }[]>;
  toArray(): Promise<Row[]>;
  /** The first row; undefined where there is none. */
  first(): Promise<Row | undefined>;
  /** The same answer with every row held against a schema; `bad-input` names the row that does not fit. */
  as<Checked>(schema: RowSchema<Checked>): SqlAnswer<Checked>;
}

/** Makes the answer. */
export function createSqlAnswer(open: () => Promise<Catalog>, sql: string, options: QueryOptions): SqlAnswer {
  return answerOf(open, sql, options, (row) => row);
}

/** A statement with values between its parts: each becomes a parameter, bound and never pasted. */
export function bindTemplate(
  parts: TemplateStringsArray,
  values: readonly SqlParameter[],
): { sql: string; parameters: Record<string, SqlParameter> } {
  const parameters: Record<string, SqlParameter> = {};
  let sql = parts[0] ?? '';
  for (const [at, value] of values.entries()) {
    parameters[`value${at + 1}`] = value;
    sql += `$value${at + 1}${parts[at + 1] ?? ''}`;
  }
  return { sql, parameters };
}

function answerOf<Row>(
  open: () => Promise<Catalog>,
  sql: string,
  options: QueryOptions,
  read: (row: SqlRow, at: number) => Row | Promise<Row>,
): SqlAnswer<Row> {
  const answer: SqlAnswer<Row> = {
    async columns() {
      const result = await (await open()).query(sql, { ...options, maxRows: 0 });
      result.cancel();
      return result.columns;
    },
    async *[Symbol.asyncIterator]() {
      const { columns, rows } = await (await open()).query(sql, options);
      const names = distinctNames(columns);
      let at = 0;
      for await (const piece of rows) {
        for (const values of piece) {
          const row: SqlRow = {};
          for (const [index, name] of names.entries()) row[name] = values[index] as SqlValue;
          yield await read(row, at);
          at += 1;
        }
      }
    },
    async toArray() {
      const rows: Row[] = [];
      for await (const row of answer) rows.push(row);
      return rows;
    },
    async first() {
      for await (const row of answer) return row;
      return undefined;
    },
    as: (schema) => answerOf(open, sql, options, (row, at) => checked(schema, row, at)),
  };
  return answer;
}

/** Two columns of one name are told apart: `n`, `n_2`. */
function distinctNames(columns: readonly { name: string }[]): string[] {
  const seen = new Map<string, number>();
  return columns.map(({ name }) => {
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    return times === 1 ? name : `${name}_${times}`;
  });
}

async function checked<Row>(schema: RowSchema<Row>, row: SqlRow, at: number): Promise<Row> {
  const result = await schema['~standard'].validate(row);
  if (result.issues === undefined) return result.value;
  const [issue] = result.issues;
  const path = (issue?.path ?? []).map(segmentOf).join('.');
  throw new CarrelError(
    'bad-input',
    `row ${at + 1} of the answer does not fit the schema: ${path === '' ? '' : `${path}: `}${issue?.message ?? 'refused'}`,
    { item: path === '' ? undefined : path, next: 'columns() tells the names and types that the answer has' },
  );
}

/** A segment of a path is a key, or an object that has one. */
function segmentOf(segment: unknown): string {
  if (typeof segment === 'object' && segment !== null && 'key' in segment) return String(segment.key);
  return String(segment);
}
