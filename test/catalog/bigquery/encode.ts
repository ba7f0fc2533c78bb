/** Values of DuckDB as BigQuery's REST interface sends them. */
import type { FieldSchema, RawRow } from '../../../src/catalog/bigquery/rows.ts';

const SCALARS: [RegExp, string][] = [
  [/^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?)$/, 'INTEGER'],
  [/^(DOUBLE|FLOAT)$/, 'FLOAT'],
  [/^DECIMAL/, 'NUMERIC'],
  [/^VARCHAR$/, 'STRING'],
  [/^BOOLEAN$/, 'BOOLEAN'],
  [/^DATE$/, 'DATE'],
  [/^TIME$/, 'TIME'],
  [/^TIMESTAMP WITH TIME ZONE$/, 'TIMESTAMP'],
  [/^TIMESTAMP/, 'DATETIME'],
  [/^JSON$/, 'JSON'],
  [/^(BLOB)$/, 'BYTES'],
];

/** The schema of an answer. */
export function toSchema({ names, types }: { names: string[]; types: string[] }): FieldSchema[] {
  return names.map((name, at) => fieldOf(name, types[at] ?? 'VARCHAR'));
}

function fieldOf(name: string, type: string): FieldSchema {
  if (type.endsWith('[]')) return { ...fieldOf(name, type.slice(0, -2)), mode: 'REPEATED' };
  if (type.startsWith('STRUCT(')) return { name, type: 'RECORD', fields: membersOf(type) };
  const [, found] = SCALARS.find(([pattern]) => pattern.test(type)) ?? [];
  if (found === undefined) throw new Error(`no type of BigQuery for ${type}`);
  return { name, type: found };
}

/** `STRUCT(a BIGINT, "b c" VARCHAR[])` → its fields. */
function membersOf(type: string): FieldSchema[] {
  const parts: string[] = [];
  let depth = 0;
  let part = '';
  for (const char of type.slice('STRUCT('.length, -1)) {
    if (char === '(') depth += 1;
    if (char === ')') depth -= 1;
    if (char === ',' && depth === 0) {
      parts.push(part);
      part = '';
    } else part += char;
  }
  return [...parts, part].map((one) => {
    const [, quoted, bare, rest] = /^\s*(?:"([^"]+)"|(\S+))\s+([\s\S]+)$/.exec(one) ?? [];
    return fieldOf(quoted ?? bare ?? '', rest ?? '');
  });
}

/** A row of JSON values. */
export function toRawRow(row: readonly unknown[], types: readonly string[]): RawRow {
  return { f: row.map((value, at) => ({ v: encode(value, fieldOf('', types[at] ?? '')) })) };
}

function encode(value: unknown, field: FieldSchema): unknown {
  if (field.mode === 'REPEATED') {
    const { mode: _, ...item } = field;
    // BigQuery has no NULL lists: they come as empty ones.
    return ((value as unknown[] | null) ?? []).map((one) => ({ v: encode(one, item) }));
  }
  if (value === null || value === undefined) return null;
  if (field.type === 'RECORD') {
    const members = value as Record<string, unknown>;
    return { f: (field.fields ?? []).map((member) => ({ v: encode(members[member.name], member) })) };
  }
  if (field.type === 'TIMESTAMP')
    return String(BigInt(Date.parse(`${String(value).replace(' ', 'T').replace(/\+00$/, 'Z')}`)) * 1000n);
  if (field.type === 'DATETIME') return String(value).replace(' ', 'T');
  return String(value);
}
