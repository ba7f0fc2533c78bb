/**
 * Buckets of Google Cloud Storage: objects by the XML interface (its digests come with every reply), listings by the JSON
 * interface (which gives the digests too), or by XML where a server has nothing else.
 */
import { CarrelError } from '../../errors.ts';
import type { HttpPool, HttpReply } from '../http/http.ts';
import { createHttpAccess } from '../http-store.ts';
import { encodeKey, encodeQuery } from '../object-key.ts';
import type { RefusalContext } from '../reply-error.ts';
import { listPages } from '../s3/list.ts';
import type { ListOptions, ListPage, Place, Store } from '../store.ts';
import { listByJson } from './json-list.ts';

/** Gives the bearer token of signed places. */
export type GcsToken = () => string | undefined | Promise<string | undefined>;

/** Opens a bucket. `token` is called for places with `access: 'signed'` only. */
export function createGcsStore(place: Place, pool: HttpPool, token: GcsToken): Store {
  const endpoint = place.endpoint.replace(/\/+$/, '');
  const bucket = encodeKey(place.bucket);
  const signed = place.access === 'signed';
  const base =
    place.addressing === 'virtual' ? endpoint.replace('://', `://${place.bucket}.`) : `${endpoint}/${bucket}`;

  const send = async (
    method: string,
    url: string,
    headers: Record<string, string>,
    signal: AbortSignal | undefined,
  ): Promise<HttpReply> => {
    const authorization: Record<string, string> = signed
      ? {
          authorization: `Bearer ${await tokenOf(token)}`,
          ...(place.payer !== undefined && { 'x-goog-user-project': place.payer }),
        }
      : {};
    return pool.request({ method, url, headers: { ...headers, ...authorization }, signal });
  };

  const url = (key: string): string => `gs://${place.bucket}/${key}`;
  const context = (key: string): RefusalContext => ({
    item: url(key),
    forbidden: '; it may also be missing: buckets that cannot be listed say so for both',
    signIn: signed
      ? 'the token may have expired: set CARREL_GCS_TOKEN="$(gcloud auth print-access-token)"'
      : 'check the key; for a private bucket use a mirror with signed access',
  });
  const pin: Store['pin'] = ({ generation }) => generation;

  const access = createHttpAccess({
    // `gzip` is asked for so that what was stored compressed comes as it was stored: its digests are of those bytes, and
    // a server that unpacks on the way knows neither length nor ranges ("decompressive transcoding").
    async ask(method, key, headers, signal) {
      const ask = (encoding: string): Promise<HttpReply> =>
        send(method, `${base}/${encodeKey(key)}`, { 'accept-encoding': encoding, ...headers }, signal);
      const reply = await ask('gzip');
      const sent = reply.headers.get('content-encoding');
      const stored = reply.headers.get('x-goog-stored-content-encoding');
      if (sent !== 'gzip' || stored === undefined || stored === 'gzip')
        return refuseUnpacked(reply, url(key));
      reply.cancel(); // packed on the way: not the stored bytes either
      return ask('identity');
    },
    pin,
    pinHeaders: (ifMatch) => ({ 'x-goog-if-generation-match': ifMatch }),
    etagMeaning: 'opaque',
    context,
    storedSize(reply) {
      const text = reply.headers.get('x-goog-stored-content-length');
      return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
    },
  });

  async function* list(prefix: string, options: ListOptions = {}): AsyncGenerator<ListPage> {
    const listed = await listByJson(
      (query, signal) =>
        send('GET', `${endpoint}/storage/v1/b/${bucket}/o?${encodeQuery(query)}`, {}, signal),
      context(prefix),
      prefix,
      options,
    );
    if (listed !== undefined) {
      yield* listed;
      return;
    }
    yield* listPages(
      {
        ask: (query, signal) => send('GET', `${base}?${encodeQuery(query)}`, {}, signal),
        context: context(prefix),
        trustEtags: !signed,
      },
      prefix,
      options,
    );
  }

  return { place, pin, ...access, list, url };
}

/** Bytes that were unpacked on the way match neither digest nor size: refused instead of failing verification later. */
function refuseUnpacked(reply: HttpReply, item: string): HttpReply {
  const stored = reply.headers.get('x-goog-stored-content-encoding');
  if (reply.status >= 300 || stored !== 'gzip' || reply.headers.get('content-encoding') === 'gzip')
    return reply;
  reply.cancel();
  throw new CarrelError('unsupported', `${item} is stored compressed and was unpacked on the way`, {
    item,
    next: 'a proxy may have removed Accept-Encoding; fetch it without the proxy',
  });
}

async function tokenOf(token: GcsToken): Promise<string> {
  const value = await token();
  if (value !== undefined && value !== '') return value;
  throw new CarrelError('permission', 'no token for a signed request to Google Cloud Storage was found', {
    next: 'run gcloud auth application-default login, or set CARREL_GCS_TOKEN="$(gcloud auth print-access-token)"',
  });
}
