/**
 * What the three stores over HTTP have in common: one conditional, possibly partial GET, and a HEAD with its
 * substitutes. How a request is addressed, signed and pinned is the protocol's own.
 */
import { CarrelError } from '../errors.ts';
import type { HttpReply } from './http/http.ts';
import { bodyOfReply, emptyBody, rangeHeader, servedRange } from './object-body.ts';
import { changedError, errorText, type RefusalContext, refusalOf, shorterError } from './reply-error.ts';
import { type EtagMeaning, parseActualSize, parseUnsatisfied, statOfHeaders } from './reply-stat.ts';
import type { GetOptions, ObjectBody, ObjectStat, Store } from './store.ts';

/** One request for an object, as the protocol sends it. */
export type Ask = (
  method: 'GET' | 'HEAD',
  key: string,
  headers: Record<string, string>,
  signal: AbortSignal | undefined,
) => Promise<HttpReply>;

/** What differs between the protocols. */
export interface HttpDialect {
  ask: Ask;
  pin: Store['pin'];
  /** The field that pins a GET: `if-match: "etag"`. */
  pinHeaders(ifMatch: string): Record<string, string>;
  etagMeaning: EtagMeaning;
  context: (key: string) => RefusalContext;
  /** Size of the whole stored object, where the protocol has a field of its own for it. */
  storedSize?(reply: HttpReply): number | undefined;
}

/** Statuses with which servers refuse HEAD although they would answer GET; 403: a policy that names `s3:GetObject` only. */
const NO_HEAD = new Set([400, 403, 405, 501]);

/** The GET and the stat of a store over HTTP. */
export function createHttpAccess(dialect: HttpDialect): Pick<Store, 'get' | 'stat'> {
  const { ask, context, etagMeaning } = dialect;

  const describe = (key: string, reply: HttpReply, size: number | undefined): ObjectStat =>
    statOfHeaders(key, reply.headers, dialect.storedSize?.(reply) ?? size, etagMeaning);

  const get = async (key: string, options: GetOptions = {}): Promise<ObjectBody> => {
    const { ifMatch, signal } = options;
    const range = rangeHeader(options.range);
    const headers = {
      ...(range === undefined ? {} : { range }),
      ...(ifMatch === undefined ? {} : dialect.pinHeaders(ifMatch)),
    };
    const reply = await ask('GET', key, headers, signal);
    if (reply.status === 416 && options.range !== undefined) return restBeyondEnd(key, reply, options);
    if (reply.status !== 200 && reply.status !== 206)
      throw await refusalOf(reply, { ...context(key), ifMatch });
    try {
      const served = servedRange(reply, range !== undefined);
      const stat = describe(key, reply, served.size);
      // Some servers ignore conditions: what they say about the object is held against the pin here.
      if (ifMatch !== undefined && dialect.pin(stat) !== ifMatch)
        throw changedError(context(key).item, ifMatch);
      return bodyOfReply(reply, stat, served.range);
    } catch (error) {
      reply.cancel();
      throw error;
    }
  };

  /** A range that begins at or behind the end: at it, the rest of a complete file (or an empty object) is empty. */
  const restBeyondEnd = async (key: string, reply: HttpReply, options: GetOptions): Promise<ObjectBody> => {
    const { ifMatch, signal, range } = options;
    const told = parseUnsatisfied(reply.headers) ?? parseActualSize(await errorText(reply));
    let stat = statOfHeaders(key, reply.headers, told, etagMeaning);
    reply.cancel();
    if (told === undefined || (ifMatch !== undefined && dialect.pin(stat) !== ifMatch)) {
      // Neither the size nor the version is sure: ask for the object as a whole, and look at its head only.
      const whole = await get(key, { ifMatch, signal });
      whole.cancel();
      stat = whole.stat;
    }
    if (range !== undefined && stat.size === range.start) return emptyBody(stat, range.start);
    throw shorterError(context(key).item, range?.start ?? 0, stat.size);
  };

  const statByGet = async (key: string, signal: AbortSignal | undefined): Promise<ObjectStat> => {
    const reply = await ask('GET', key, { range: 'bytes=0-0' }, signal);
    if (reply.status === 416) {
      // An empty object has no first byte; the whole of it costs nothing.
      reply.cancel();
      const body = await get(key, { signal });
      body.cancel();
      return body.stat;
    }
    if (reply.status !== 200 && reply.status !== 206) throw await refusalOf(reply, context(key));
    const { size, range } = servedRange(reply, true);
    if (range.end === range.start + 1) await reply.bytes(1).catch(() => reply.cancel());
    else reply.cancel();
    return describe(key, reply, size);
  };

  return {
    get,
    async stat(key, { signal } = {}) {
      const reply = await ask('HEAD', key, {}, signal);
      if (reply.status === 200) return describe(key, reply, lengthOf(reply));
      if (!NO_HEAD.has(reply.status)) throw await refusalOf(reply, context(key));
      reply.cancel();
      return statByGet(key, signal);
    },
  };
}

/** `Content-Length` of a reply to HEAD: of the body that it does not have. */
function lengthOf(reply: HttpReply): number | undefined {
  const text = reply.headers.get('content-length');
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}

/** The refusal of a store that cannot list. */
export function cannotList(item: string): CarrelError {
  return new CarrelError('unsupported', `${item}: a plain web server has no listing`, {
    item,
    next: 'name the objects one by one, or use the bucket’s own protocol (s3://, gs://)',
  });
}
