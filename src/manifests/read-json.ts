/**
 * JSON in the shapes that are found: a list of names, a list of rows (IDC portal and API, Gen3 `object_id`), either of
 * them wrapped in an object, and JSON Lines.
 */
import type { Collector } from './collector.ts';
import { namingColumns, readRow } from './row-name.ts';

/** Members under which a list is looked for, most telling first. */
const LIST_MEMBERS = (
  'manifest_data json_manifest manifest rows series instances entries items files objects urls data results ' +
  'result access_methods accessMethods url_list cohort'
).split(' ');

/** How deep a list may be wrapped. */
const DEPTH = 5;

/** Reads a parsed JSON value into the collector; false where it holds no list of names. */
export function readJson(value: unknown, collector: Collector): boolean {
  const list = findList(value, DEPTH);
  if (list === undefined) return false;
  for (const [index, item] of list.entries()) readItem(index + 1, item, collector);
  return true;
}

/** Values of JSON Lines with their lines, or undefined where the text is none. */
export function parseJsonLines(lines: readonly string[]): { line: number; value: unknown }[] | undefined {
  const values: { line: number; value: unknown }[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const value = parseObject(line);
    if (value === undefined && values.length === 0) return undefined;
    values.push({ line: index + 1, value: value ?? line });
  }
  return values.length === 0 ? undefined : values;
}

/** Reads one item: a name, or an object whose members are the columns. */
export function readItem(line: number, item: unknown, collector: Collector): void {
  if (typeof item === 'string') {
    if (item.trim() === '') collector.problem(line, item, 'is empty');
    else collector.add({ line, text: item, name: item });
    return;
  }
  if (typeof item !== 'object' || item === null || Array.isArray(item)) {
    collector.problem(line, JSON.stringify(item) ?? '', 'is neither a name nor an object with named members');
    return;
  }
  const row = new Map<string, string>();
  for (const [column, value] of Object.entries(item)) {
    const text = cellText(value);
    if (text !== undefined) row.set(column, text);
  }
  const columns = namingColumns([...row.keys()]);
  const text = JSON.stringify(item);
  if (columns.naming.length === 0)
    collector.problem(line, text, `names nothing: members are ${Object.keys(item).join(', ')}`);
  else readRow(line, text, row, columns, collector);
}

function cellText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  // Gen3 and DCF give lists of URLs of one object.
  if (Array.isArray(value) && typeof value[0] === 'string') return value[0];
  return undefined;
}

function findList(value: unknown, depth: number): unknown[] | undefined {
  if (Array.isArray(value)) return value;
  if (typeof value !== 'object' || value === null || depth === 0) return undefined;
  for (const member of LIST_MEMBERS) {
    const list = findList((value as Record<string, unknown>)[member], depth - 1);
    if (list !== undefined && list.length > 0) return list;
  }
  // A single row.
  const columns = namingColumns(Object.keys(value));
  return columns.naming.length > 0 ? [value] : undefined;
}

function parseObject(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
