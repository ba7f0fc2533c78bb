/** Values of WordPress as plain text. Its fields hold HTML, wrap texts in objects, and say `false` or `""` for nothing. */
import { decodeEntities } from '../../catalog/index.ts';

/** Members of objects that hold the text that people see, most telling first. */
const TEXT_MEMBERS = [
  'rendered',
  'license_label',
  'program_name',
  'collection_short_title',
  'result_short_title',
  'label',
  'name',
  'title',
  'post_title',
];

/** A link that lets anybody in, in the middle of a text. */
const SECRET_LINK = /https?:\/\/\S*[?&](?:context|passcode|token)=\S+/gi;

/** Text without tags, scripts, character references, repeated blanks, and links with passcodes. */
export function stripHtml(html: string): string {
  const bare = html
    .replaceAll(/<(script|style)\b[^>]*>[\s\S]*?<\/\1\s*>/gi, ' ')
    .replaceAll(/<!--[\s\S]*?-->/g, ' ')
    .replaceAll(/<\/?(?:p|br|div|li|ul|ol|h[1-6]|tr|td|table)\b[^<>]*>/gi, ' ')
    .replaceAll(/<\/?[a-zA-Z][^<>]*>/g, '');
  return decodeEntities(bare)
    .replaceAll(SECRET_LINK, '[link to a package]')
    .replaceAll(/[\s\u00a0]+/g, ' ')
    .trim();
}

/** Any value as plain text; `''` where there is none. Lists are joined with `, `. */
export function plainText(value: unknown): string {
  if (typeof value === 'string') return stripHtml(value);
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : '';
  if (Array.isArray(value)) return plainList(value).join(', ');
  if (typeof value !== 'object' || value === null) return '';
  const fields = value as Record<string, unknown>;
  for (const member of TEXT_MEMBERS) {
    const text = plainText(fields[member]);
    if (text !== '') return text;
  }
  return '';
}

/** As `plainText`; null where there is none. */
export function textOrNull(value: unknown): string | null {
  const text = plainText(value);
  return text === '' ? null : text;
}

/** A list of texts from a list, from one text, or from an object that numbers its members. No text twice. */
export function plainList(value: unknown): string[] {
  const items = Array.isArray(value) ? (value as unknown[]) : (numbered(value) ?? [value]);
  return [...new Set(items.map(plainText))].filter((text) => text !== '');
}

/** As `plainList`, for fields that hold several names in one text: `Lung Cancer, Liver Cancer`. */
export function splitList(value: unknown): string[] {
  const texts = plainList(value);
  const only = texts.length === 1 ? (texts[0] ?? '') : undefined;
  return only === undefined ? texts : only.split(/\s*[,;]\s*/).filter((text) => text !== '');
}

/** PHP prints a list with a gap as an object: `{"0": …, "2": …}`. */
export function numbered(value: unknown): unknown[] | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  return entries.length > 0 && entries.every(([key]) => /^\d+$/.test(key))
    ? entries.map(([, item]) => item as unknown)
    : undefined;
}
