/** Numbers, dates, sizes and references as WordPress's editors typed them. */
import { numbered, plainText } from './plain-text.ts';

/** `1,234`, `1234`, 1234; null for anything else, negative ones too. */
export function numberOf(value: unknown): number | null {
  const text = plainText(value).replaceAll(/[,\s]/g, '');
  return /^\d+(?:\.0+)?$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : null;
}

/** `2024-05-31T10:00:00`, `20240531`, `05/31/2024`, `May 31, 2024` → `2024-05-31`; null for what is no date. */
export function dateOf(value: unknown): string | null {
  const text = plainText(value);
  const [, y, m, d] =
    /^(\d{4})-(\d{2})-(\d{2})(?!\d)/.exec(text) ??
    /^(\d{4})(\d{2})(\d{2})$/.exec(text) ??
    american(text) ??
    [];
  if (y !== undefined && m !== undefined && d !== undefined) return realDate(Number(y), Number(m), Number(d));
  const [, month, day, year] = /^([A-Za-z]{3,9})\.? (\d{1,2}),? (\d{4})$/.exec(text) ?? [];
  const at = MONTHS.indexOf((month ?? '').slice(0, 3).toLowerCase());
  return at < 0 ? null : realDate(Number(year), at + 1, Number(day));
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

function american(text: string): [string, string, string, string] | undefined {
  const [whole, m, d, y] = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/.exec(text) ?? [];
  if (whole === undefined || m === undefined || d === undefined || y === undefined) return undefined;
  return [whole, y, m, d];
}

function realDate(year: number, month: number, day: number): string | null {
  const date = new Date(Date.UTC(year, month - 1, day));
  const same = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return same ? date.toISOString().slice(0, 10) : null;
}

const UNITS: Readonly<Record<string, number>> = {
  b: 1,
  byte: 1,
  bytes: 1,
  k: 1e3,
  kb: 1e3,
  m: 1e6,
  mb: 1e6,
  g: 1e9,
  gb: 1e9,
  t: 1e12,
  tb: 1e12,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
};

/**
 * Bytes from a number and a unit, which may stand in two fields or in one: (`1.2`, `GB`), (`356 MB`, ''), (`1,024`, `kb`).
 * Null where either is missing; the page does not say whether its GB are 1000³ or 1024³, so this is a guide, not evidence.
 */
export function sizeOf(size: unknown, unit: unknown): number | null {
  const [, amount, own] = /^([\d.,]+)\s*([A-Za-z]*)$/.exec(plainText(size)) ?? [];
  const factor = UNITS[(own === undefined || own === '' ? plainText(unit) : own).toLowerCase()];
  if (amount === undefined || factor === undefined || !/^(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?$/.test(amount))
    return null;
  const bytes = Math.round(Number(amount.replaceAll(',', '')) * factor);
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : null;
}

/** A DOI anywhere in a text or link, in small letters; null where there is none. */
export function doiOf(value: unknown): string | null {
  // Links keep it in `href`, which the plain text would lose.
  const text = typeof value === 'string' ? `${plainText(value)} ${value}` : plainText(value);
  const [found] = /10\.\d{4,9}(?:\.\d+)*\/[^\s"'<>?#]+/.exec(text.replaceAll(/%2f/gi, '/')) ?? [];
  return found === undefined ? null : found.replace(/[.,;)\]/]+$/, '').toLowerCase();
}

/** Ids from a list of numbers, numbers as text, or posts (`{ID}`, `{id}`); also from one of them. Each once. */
export function idsOf(value: unknown): number[] {
  const items = Array.isArray(value) ? (value as unknown[]) : (numbered(value) ?? [value]);
  return [...new Set(items.flatMap((item) => idOf(item) ?? []))];
}

/** An id from a number, a number as text, or a post; null for `false`, `""` and the like. */
export function idOf(value: unknown): number | null {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const post = value as Record<string, unknown>;
    return idOf(post['ID'] ?? post['id'] ?? null);
  }
  if (typeof value !== 'number' && typeof value !== 'string') return null;
  const id = numberOf(value);
  return id === null || id === 0 ? null : id;
}

/** An address: character references decoded, blanks gone; null where it is no http(s) address. */
export function addressOf(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const text = decodeAddress(value);
  return /^https?:\/\/[^/]/i.test(text) && URL.canParse(text) ? text : null;
}

/** `&amp;`, `&#038;` and the like as `&`; nothing else is touched, for a passcode must stay as it is. */
function decodeAddress(value: string): string {
  return value.trim().replaceAll(/&(?:amp|#0*38|#x0*26);/gi, '&');
}

/** True for what editors tick: `1`, `"1"`, true, `"yes"`, `["1"]`. */
export function isTicked(value: unknown): boolean {
  if (value === true) return true;
  const text = plainText(value).toLowerCase();
  return text !== '' && !['0', 'false', 'no', 'none'].includes(text);
}
