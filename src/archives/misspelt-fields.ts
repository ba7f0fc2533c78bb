/**
 * Unknown fields of a record. A record written for a later version may hold fields that this one does not know, so
 * they are no fault; a field that is nearly a known one is a slip of the pen, and its value would be lost silently.
 */
import type * as v from 'valibot';
import { archiveRecordSchema } from './record.ts';

/** `mirrors[0].endpiont: unknown field; did you mean "endpoint"?` for every slip; at most 20. */
export function misspeltFields(json: unknown): string[] {
  const found: string[] = [];
  walk(json, archiveRecordSchema, '', found);
  return found.slice(0, 20);
}

type AnySchema = v.GenericSchema;

function walk(value: unknown, schema: AnySchema, field: string, found: string[]): void {
  if (typeof value !== 'object' || value === null) return;
  const inner = unwrap(schema);
  if ('item' in inner && Array.isArray(value)) {
    value.forEach((item, i) => {
      walk(item, inner.item as AnySchema, `${field}[${i}]`, found);
    });
  } else if ('entries' in inner && !Array.isArray(value)) {
    const entries = inner.entries as Record<string, AnySchema>;
    for (const [key, child] of Object.entries(value)) {
      const at = field === '' ? key.slice(0, 80) : `${field}.${key.slice(0, 80)}`;
      const known = Object.hasOwn(entries, key) ? entries[key] : undefined;
      if (known !== undefined) walk(child, known, at, found);
      else {
        const meant = Object.keys(entries).find((name) => isNear(key, name) && !Object.hasOwn(value, name));
        if (meant !== undefined) found.push(`${at}: unknown field; did you mean "${meant}"?`);
      }
    }
  }
}

/** Takes off `optional`; a pipe already has the properties of its first schema. */
function unwrap(schema: AnySchema): AnySchema & Record<string, unknown> {
  let inner = schema as AnySchema & { wrapped?: AnySchema };
  while (inner.wrapped !== undefined) inner = inner.wrapped;
  return inner as AnySchema & Record<string, unknown>;
}

/** The same letters without regard to case, `_` and `-`, or one or two slips apart in a word of five or more. */
function isNear(key: string, name: string): boolean {
  if (key.length > 40) return false;
  const [a, b] = [plain(key), plain(name)];
  if (a === b) return true;
  return name.length >= 5 && distance(a, b) <= (name.length >= 8 ? 2 : 1);
}

function plain(text: string): string {
  return text.toLowerCase().replaceAll(/[_-]/g, '');
}

/** Edits (insert, delete, replace, swap of neighbours) between two short words. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, (before[j - 2] ?? 0) + 1);
      row.push(best);
    }
    before = previous;
    previous = row;
  }
  return previous[b.length] ?? 0;
}
