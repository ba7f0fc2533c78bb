/**
 * Values of the engine as values of JSON: whole numbers beyond 2^53 become text, so that no digit is lost; dates and
 * times ISO 8601; lists arrays, structs objects. Texts stay as they are, control characters included
 * (720 SeriesDescriptions hold some): printers escape, the catalogue does not.
 */
import type { DuckDBType, DuckDBValue } from '@duckdb/node-api';

/** Turns one value of a column into its JSON form. */
export type ValueReader = (value: DuckDBValue) => unknown;

/** Types whose values are JSON already. */
const PLAIN = new Set([
  'VARCHAR',
  'BOOLEAN',
  'TINYINT',
  'SMALLINT',
  'INTEGER',
  'UTINYINT',
  'USMALLINT',
  'UINTEGER',
]);

/** The reader for a column of that type. */
export function columnReader(type: DuckDBType): ValueReader {
  return PLAIN.has(type.toString()) ? (value) => value : toJsonValue;
}

/** A whole number: a number where exact, its digits otherwise. */
export function integer(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

/** Any value of DuckDB as JSON. Infinite and undefined floating point numbers become text, for JSON has none. */
export function toJsonValue(value: DuckDBValue): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return integer(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value !== 'object') return String(value);
  const shaped = value as unknown as { constructor: { name: string } } & Record<string, unknown>;
  switch (shaped.constructor.name) {
    case 'DuckDBListValue':
    case 'DuckDBArrayValue':
      return (shaped['items'] as DuckDBValue[]).map(toJsonValue);
    case 'DuckDBStructValue':
      return Object.fromEntries(
        Object.entries(shaped['entries'] as Record<string, DuckDBValue>).map(([key, item]) => [
          key,
          toJsonValue(item),
        ]),
      );
    case 'DuckDBMapValue':
      return (shaped['entries'] as { key: DuckDBValue; value: DuckDBValue }[]).map((entry) => ({
        key: toJsonValue(entry.key),
        value: toJsonValue(entry.value),
      }));
    case 'DuckDBUnionValue':
      return toJsonValue(shaped['value'] as DuckDBValue);
    case 'DuckDBDecimalValue':
      return decimal(String(value));
    case 'DuckDBBlobValue':
      return Buffer.from(shaped['bytes'] as Uint8Array).toString('base64');
    case 'DuckDBTimestampValue':
    case 'DuckDBTimestampSecondsValue':
    case 'DuckDBTimestampMillisecondsValue':
    case 'DuckDBTimestampNanosecondsValue':
      return String(value).replace(' ', 'T');
    case 'DuckDBTimestampTZValue':
      return instant(shaped['micros'] as bigint);
    default:
      return String(value);
  }
}

/** A decimal as number where its digits survive, as text otherwise. */
export function decimal(text: string): number | string {
  const number = Number(text);
  return text.replace(/^-/, '').replace('.', '').replace(/^0+/, '').length <= 15 ? number : text;
}

/** Microseconds since 1970 as RFC 3339 in UTC, whatever the time zone of the machine. */
export function instant(micros: bigint): string {
  const milliseconds = Number(micros / 1000n);
  if (Math.abs(milliseconds) > 8.64e15) return micros > 0n ? 'infinity' : '-infinity';
  return new Date(milliseconds).toISOString();
}

/** A text of a row; null for NULL and for anything that is none. */
export function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** A number of a row; null for NULL. */
export function numberOf(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value);
}
