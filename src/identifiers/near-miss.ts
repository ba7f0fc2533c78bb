/**
 * Near misses: texts that are almost a known form. They are refused with the likely meaning, because taking them for
 * the name of a patient or a collection would end in a puzzling "not found".
 */
import { excerpt, refuse } from './refuse.ts';
import { isGuidPrefix } from './uuid.ts';

/** Schemes that are read, and what other tools call them. */
const SCHEMES = ['drs', 's3', 'gs', 'https', 'http', 'file'];
const SYNONYMS: Record<string, string> = {
  s3a: 's3',
  s3n: 's3',
  gcs: 'gs',
  dr: 'drs',
  htps: 'https',
  htp: 'http',
};

/** Throws `bad-input` for a text with `://` behind an unknown scheme, or a known scheme with the slashes wrong. */
export function refuseWrongScheme(trimmed: string, text: string): void {
  const [, scheme, separator, rest = ''] =
    /^([a-z][a-z0-9+.-]{0,31})(:\/\/|:\/|:|\/\/)(.*)$/i.exec(trimmed) ?? [];
  if (scheme === undefined || separator === undefined) return;
  const lower = scheme.toLowerCase();
  const isKnown = SCHEMES.includes(lower) || Object.hasOwn(SYNONYMS, lower);
  if (isKnown) {
    const meant = SYNONYMS[lower] ?? lower;
    throw refuse(
      text,
      `does not start with ${meant}://`,
      `did you mean ${excerpt(`${meant}://${rest.replace(/^\/+/, '')}`)}?`,
    );
  }
  if (separator === '://') {
    const near = SCHEMES.find((known) => isOneSlipApart(lower, known));
    const next =
      near === undefined
        ? `known are ${SCHEMES.join('://, ')}://`
        : `did you mean ${excerpt(`${near}://${rest}`)}?`;
    throw refuse(text, `has the unknown scheme ${excerpt(scheme)}://`, next);
  }
}

/** Throws `bad-input` for what is nearly a UUID, nearly a GUID, or a line of a manifest. */
export function refuseNearMiss(trimmed: string, text: string): void {
  const separator = trimmed.search(/[/:]/);
  if (separator > 0 && isGuidPrefix(trimmed.slice(0, separator))) {
    throw refuse(
      text,
      'has no UUID behind its prefix',
      'a GUID is dg.4DFC/ and a UUID: 8-4-4-4-12 hex digits',
    );
  }
  const groups = trimmed.split('-');
  const hex = trimmed.length - 4;
  if (groups.length === 5 && hex >= 28 && hex <= 36 && /^[0-9a-fA-F-]+$/.test(trimmed)) {
    const lengths = groups.map((group) => group.length).join('-');
    throw refuse(
      text,
      `is no UUID: its groups are ${lengths} digits long, not 8-4-4-4-12`,
      'copy it again, or say --as patient if it is a PatientID',
    );
  }
  if (/^(?:cp|sync|mv|ls|cat)\s/i.test(trimmed) && /\s(?:s3|gs):\/\//i.test(trimmed)) {
    throw refuse(text, 'is a line of a manifest', 'give the URL alone, or the whole file: carrel get FILE');
  }
  if (/\s(?:s3|gs|drs|https?):\/\//i.test(trimmed)) {
    throw refuse(text, 'holds more than a name', 'give one name per argument or line');
  }
}

/** One letter more, less, other, or two swapped. */
function isOneSlipApart(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const left = a.slice(start, a.length - end);
  const right = b.slice(start, b.length - end);
  return (left.length <= 1 && right.length <= 1) || (left.length === 2 && right === `${left[1]}${left[0]}`);
}
