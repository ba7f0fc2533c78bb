/** Buckets that speak S3: Amazon's, and those of the many servers that do as it does. */
import type { HttpPool, HttpReply } from '../http/http.ts';
import { createHttpAccess } from '../http-store.ts';
import { encodeKey, encodeQuery } from '../object-key.ts';
import type { RefusalContext } from '../reply-error.ts';
import type { Place, Store } from '../store.ts';
import { listPages } from './list.ts';
import type { SignRequest } from './sign.ts';

/** Region of a place that names none. */
const DEFAULT_REGION = 'us-east-1';

/** Opens a bucket. `sign` is called for places with `access: 'signed'` only. */
export function createS3Store(place: Place, pool: HttpPool, sign: SignRequest): Store {
  const endpoint = new URL(place.endpoint);
  const base = endpoint.pathname.replace(/\/+$/, '');
  const signed = place.access === 'signed';
  const payer: Record<string, string> =
    place.payer === undefined ? {} : { 'x-amz-request-payer': place.payer };
  let region = place.region ?? DEFAULT_REGION;

  /** Host and path of a key; the empty key is the bucket. */
  const address = (key: string): { host: string; path: string } => {
    const encoded = encodeKey(key);
    if (place.addressing === 'virtual')
      return { host: `${place.bucket}.${endpoint.host}`, path: `${base}/${encoded}` };
    const bucket = encodeKey(place.bucket);
    return { host: endpoint.host, path: key === '' ? `${base}/${bucket}` : `${base}/${bucket}/${encoded}` };
  };

  const send = async (
    method: string,
    key: string,
    query: Record<string, string>,
    headers: Record<string, string>,
    signal: AbortSignal | undefined,
  ): Promise<HttpReply> => {
    const { host, path } = address(key);
    const url = `${endpoint.protocol}//${host}${path}${Object.keys(query).length === 0 ? '' : `?${encodeQuery(query)}`}`;
    const { protocol } = endpoint;
    const withSignature = signed
      ? await sign({ method, protocol, host, path, query, headers: { ...headers, ...payer }, region })
      : headers;
    // A signature is for one host and path: a redirect would need another.
    return pool.request({
      method,
      url,
      headers: withSignature,
      signal,
      redirect: signed ? 'manual' : 'follow',
    });
  };

  /** A request, once more where the server says that the bucket stands in another region. */
  const ask = async (...request: Parameters<typeof send>): Promise<HttpReply> => {
    const asked = { region, hostname: endpoint.hostname };
    const reply = await send(...request);
    const hint = reply.headers.get('x-amz-bucket-region');
    if (hint === undefined || hint === asked.region || ![301, 307, 400, 403].includes(reply.status))
      return reply;
    const hostname = regionalHost(asked.hostname, hint);
    // Without a signature only the host matters; other servers than Amazon's have one for all regions.
    if (!/^[a-z0-9-]{1,32}$/.test(hint) || (!signed && hostname === asked.hostname)) return reply;
    reply.cancel();
    region = hint;
    endpoint.hostname = hostname;
    return send(...request);
  };

  const url = (key: string): string => `s3://${place.bucket}/${key}`;
  const context = (key: string): RefusalContext => ({
    item: url(key),
    forbidden: signed ? '; it may also be missing: buckets that you may not list say so for both' : FORBIDDEN,
    signIn: signed
      ? 'check the credentials (AWS_PROFILE, AWS_ACCESS_KEY_ID) and their permissions'
      : 'check the key; for a private bucket use a mirror with signed access',
  });
  const pin: Store['pin'] = ({ etag }) => (etag?.startsWith('W/') ? undefined : etag);

  const access = createHttpAccess({
    ask: (method, key, headers, signal) => ask(method, key, {}, { ...CHECKSUMS, ...headers }, signal),
    pin,
    pinHeaders: (ifMatch) => ({ 'if-match': `"${ifMatch}"` }),
    etagMeaning: 'md5',
    context,
  });
  return {
    place,
    pin,
    ...access,
    async firstPartSize(key, { ifMatch, signal } = {}) {
      const pinned: Record<string, string> = ifMatch === undefined ? {} : { 'if-match': `"${ifMatch}"` };
      const { status, headers } = await ask('HEAD', key, { partNumber: '1' }, pinned, signal);
      const length = headers.get('content-length') ?? '';
      // A server that does not know parts answers for the whole object, with 200 and without a count.
      const isPart = status === 206 || headers.has('x-amz-mp-parts-count');
      return isPart && /^[1-9][0-9]{0,14}$/.test(length) ? Number(length) : undefined;
    },
    list: (prefix, options) =>
      listPages(
        {
          ask: (query, signal) => ask('GET', '', query, {}, signal),
          context: context(prefix),
          // Nothing that is encrypted with KMS keys can be read without a signature.
          trustEtags: !signed,
        },
        prefix,
        options,
      ),
    url,
  };
}

const FORBIDDEN = '; it may also be missing: buckets that cannot be listed say so for both';

/** Asks for the digests that were stored with the object. */
const CHECKSUMS = { 'x-amz-checksum-mode': 'ENABLED' };

/** Amazon's host for a region: `s3.amazonaws.com` → `s3.eu-west-1.amazonaws.com`. Others stay. */
function regionalHost(host: string, region: string): string {
  const found = /^((?:.+\.)?s3)(?:[.-][a-z0-9-]+)?\.(amazonaws\.com(?:\.cn)?)$/.exec(host);
  return found === null ? host : `${found[1]}.${region}.${found[2]}`;
}
