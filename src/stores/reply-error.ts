/** What a server's refusal means, in the words of the contract. */
import { CarrelError, isCarrelError } from '../errors.ts';
import type { HttpHeaders, HttpReply } from './http/http.ts';
import { withoutSecrets } from './http/http-error.ts';

/** Most bytes of an error's body that are read for its code. */
const MAX_ERROR_BODY = 64 * 1024;

/** Details that stores add to the common mapping. */
export interface RefusalContext {
  /** What was asked for, for people: `s3://bucket/key`. */
  item: string;
  /** Further words for a 403: S3 answers it for a missing object too. */
  forbidden?: string | undefined;
  /** What to do about a 401 or 403. */
  signIn?: string | undefined;
  /** The pin of the request; a 412 names it. */
  ifMatch?: string | undefined;
}

/** The error of a reply whose status is no success. Reads its body for the server's own code, as far as that is short. */
export async function refusalOf(reply: HttpReply, context: RefusalContext): Promise<CarrelError> {
  const code = await readErrorCode(reply);
  const { status, headers } = reply;
  const said = code === undefined ? `${status}` : `${status} ${code}`;
  const details = { item: context.item, status, retryAfterMs: parseRetryAfter(headers) };
  if (status === 404 || status === 410) {
    return new CarrelError('not-found', `${context.item} does not exist (${said})`, {
      ...details,
      next: 'check bucket and key; capitals count',
    });
  }
  if (status === 401 || status === 403) {
    return new CarrelError('permission', `${context.item} was refused (${said})${context.forbidden ?? ''}`, {
      ...details,
      next: context.signIn ?? 'check that you may read it',
    });
  }
  if (status === 412) return changedError(context.item, context.ifMatch, status);
  if (status === 416) return shorterError(context.item);
  const retryable =
    status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501 && status !== 505);
  return new CarrelError('network', `${withoutSecrets(reply.url)} answered ${said}`, {
    ...details,
    next: retryable
      ? 'the server is busy or broken; try again later'
      : 'the server cannot do this; check the address',
    retryable,
  });
}

/** The object is not the one that was pinned. */
export function changedError(item: string, ifMatch: string | undefined, status?: number): CarrelError {
  const pinned = ifMatch === undefined ? '' : ` (expected version ${ifMatch})`;
  return new CarrelError('verification', `${item} has changed on the server${pinned}`, {
    item,
    next: 'make the plan again, so that it holds the new version',
    status,
  });
}

/** `Retry-After` in milliseconds: seconds or a date (RFC 9110, 10.2.3); undefined where it is missing or malformed. */
export function parseRetryAfter(headers: HttpHeaders, now = Date.now()): number | undefined {
  const text = headers.get('retry-after');
  if (text === undefined) return undefined;
  if (/^[0-9]{1,9}$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Bytes were asked for that the object does not have. */
export function shorterError(item: string, start?: number, size?: number): CarrelError {
  const sizes = size === undefined ? '' : `: it has ${size} bytes, and those from ${start} on were asked for`;
  return new CarrelError('verification', `${item} is shorter than expected${sizes}`, {
    item,
    next: 'the object has changed, or its size was recorded wrongly; make the plan again',
    status: 416,
  });
}

/** The body of an error, as far as it is short; empty otherwise. */
export async function errorText(reply: HttpReply): Promise<string> {
  try {
    return await reply.text(MAX_ERROR_BODY);
  } catch (error) {
    if (isCarrelError(error, 'interrupted')) throw error;
    return '';
  }
}

/** `NoSuchKey` of S3's XML, or the reason of Google's JSON. Nothing else of the body goes into messages. */
async function readErrorCode(reply: HttpReply): Promise<string | undefined> {
  const body = await errorText(reply);
  const found =
    /<Code>\s*([A-Za-z0-9._-]{1,64})\s*<\/Code>/.exec(body) ??
    /"reason":\s*"([A-Za-z0-9._-]{1,64})"/.exec(body);
  return found?.[1];
}
