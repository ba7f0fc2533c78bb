/** Conditional and range requests (RFC 9110, sections 13 and 14), as S3 and GCS answer them. */

/** What conditions are compared with. */
export interface Validators {
  /** With quotes. */
  etag: string;
  lastModified: Date;
}

/** Why a request gets no bytes; 304 is a success to HTTP, but an answer without the object all the same. */
export type Refusal =
  | { status: 412; condition: 'If-Match' | 'If-Unmodified-Since' }
  | { status: 304; condition: 'If-None-Match' | 'If-Modified-Since' };

/**
 * The condition that decides, or undefined where the request goes on. Evaluates preconditions in the order of RFC 9110, 13.2.2, which is also what S3 documents for pairs: a true
 * `If-Match` wins over `If-Unmodified-Since`, a false `If-None-Match` over `If-Modified-Since`.
 */
export function checkConditions(headers: Headers, object: Validators): Refusal | undefined {
  const ifMatch = headers.get('if-match');
  if (ifMatch !== null) {
    if (!matchesEtag(ifMatch, object.etag)) return { status: 412, condition: 'If-Match' };
  } else {
    const since = parseDate(headers.get('if-unmodified-since'));
    if (since !== undefined && seconds(object.lastModified) > seconds(since)) {
      return { status: 412, condition: 'If-Unmodified-Since' };
    }
  }
  const ifNoneMatch = headers.get('if-none-match');
  if (ifNoneMatch !== null) {
    if (matchesEtag(ifNoneMatch, object.etag)) return { status: 304, condition: 'If-None-Match' };
  } else {
    const since = parseDate(headers.get('if-modified-since'));
    if (since !== undefined && seconds(object.lastModified) <= seconds(since)) {
      return { status: 304, condition: 'If-Modified-Since' };
    }
  }
  return undefined;
}

/** What part of an object to send: half-open, or `whole`, or `unsatisfiable` (416). */
export type RangeChoice =
  | { kind: 'whole' }
  | { kind: 'part'; start: number; end: number }
  | { kind: 'unsatisfiable' };

/**
 * Reads `Range` and `If-Range`. Several ranges, another unit and bad syntax give the whole object, as S3 does; a
 * range that starts behind the end, and any range of an empty object, is unsatisfiable.
 */
export function chooseRange(headers: Headers, size: number, object: Validators): RangeChoice {
  const range = headers.get('range');
  const match = range === null ? null : /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(range);
  const [, first = '', last = ''] = match ?? [];
  if (match === null || (first === '' && last === '') || !ifRangeHolds(headers.get('if-range'), object)) {
    return { kind: 'whole' };
  }
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? { kind: 'unsatisfiable' } : { kind: 'part', start: size - length, end: size };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return { kind: 'whole' };
  if (start >= size) return { kind: 'unsatisfiable' };
  return { kind: 'part', start, end: last === '' ? size : Math.min(Number(last) + 1, size) };
}

function ifRangeHolds(value: string | null, object: Validators): boolean {
  if (value === null) return true;
  if (value.includes('"')) return value.trim() === object.etag;
  const date = parseDate(value);
  return date !== undefined && seconds(date) === seconds(object.lastModified);
}

/** Clients send ETags with and without quotes; S3 takes both. */
function matchesEtag(header: string, etag: string): boolean {
  const bare = (text: string) =>
    text
      .trim()
      .replace(/^W\//, '')
      .replace(/^"(.*)"$/, '$1');
  return header.split(',').some((candidate) => candidate.trim() === '*' || bare(candidate) === bare(etag));
}

function parseDate(text: string | null): Date | undefined {
  if (text === null) return undefined;
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
