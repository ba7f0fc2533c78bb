/** A reply as the body of an object: what was really served, counted. */
import { CarrelError } from '../errors.ts';
import { collect, DEFAULT_LIMIT } from './http/collect.ts';
import type { HttpReply } from './http/http.ts';
import { wireError } from './http/http-error.ts';
import { type ContentRange, parseContentRange } from './reply-stat.ts';
import type { GetOptions, ObjectBody, ObjectStat } from './store.ts';

/**
 * What a 200 or 206 really carries. `whole` is the size of the object, where the reply tells.
 *
 * Throws `network` for a 206 that does not say which bytes it holds. A 200 with a `Content-Range` that fits its length
 * is taken for the 206 that was meant (`rclone serve s3` answers so).
 */
export function servedRange(
  reply: HttpReply,
  asked: boolean,
): { range: ObjectBody['range']; size?: number | undefined } {
  const { status, headers, length, url } = reply;
  const told: ContentRange | undefined = parseContentRange(headers);
  const partial = status === 206 || (asked && told !== undefined && length === told.end - told.start);
  if (!partial) return { range: { start: 0, end: length }, size: length };
  if (told === undefined) throw wireError(url, 'a partial reply that does not say which part');
  if (length !== undefined && length !== told.end - told.start) {
    throw wireError(url, 'a partial reply whose length is not that of its range');
  }
  return { range: { start: told.start, end: told.end }, size: told.total };
}

/** The value of a `Range` field, or undefined where the whole object is wanted. */
export function rangeHeader(range: GetOptions['range']): string | undefined {
  if (range === undefined || (range.start === 0 && range.end === undefined)) return undefined;
  const { start, end } = range;
  const valid =
    Number.isSafeInteger(start) &&
    start >= 0 &&
    (end === undefined || (Number.isSafeInteger(end) && end > start));
  if (!valid)
    throw new CarrelError('usage', `not a range of bytes: ${start} to ${end}`, { item: `${start}-${end}` });
  return `bytes=${start}-${end === undefined ? '' : end - 1}`;
}

/** The body of an object: `range.end` is held against what arrives. */
export function bodyOfReply(reply: HttpReply, stat: ObjectStat, range: ObjectBody['range']): ObjectBody {
  const expected = range.end === undefined ? undefined : range.end - range.start;
  const consume: ObjectBody['consume'] = async (onChunk) => {
    let received = 0;
    await reply.consume((chunk) => {
      received += chunk.length;
      if (expected !== undefined && received > expected) {
        throw wireError(reply.url, `the server sent more than the ${expected} bytes that it announced`);
      }
      return onChunk(chunk);
    });
    if (expected !== undefined && received < expected) {
      throw wireError(reply.url, `the reply ended after ${received} of ${expected} bytes`);
    }
  };
  const { cancel, land } = reply;
  return {
    stat,
    range,
    consume,
    // The reply itself holds the length against what arrives.
    land: expected !== undefined && expected === reply.length ? land : undefined,
    bytes: (limit = DEFAULT_LIMIT) => collect({ consume, cancel }, reply.url, expected, limit),
    cancel,
  };
}

/** A body of no bytes: the rest of an object that is complete already, or of an empty one. */
export function emptyBody(stat: ObjectStat, at: number): ObjectBody {
  return {
    stat,
    range: { start: at, end: at },
    consume: async () => {},
    bytes: async () => new Uint8Array(),
    cancel() {},
  };
}
