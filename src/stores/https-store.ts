/** Objects of a plain web server, and signed URLs: `key` is path and query below the endpoint, as in a URL. */
import type { HttpPool } from './http/http.ts';
import { withoutSecrets } from './http/http-error.ts';
import { cannotList, createHttpAccess } from './http-store.ts';
import type { Place, Store } from './store.ts';

/** Opens a plain web server as a store. No credentials are ever sent. */
export function createHttpsStore(place: Place, pool: HttpPool): Store {
  const base = [place.endpoint.replace(/\/+$/, ''), place.bucket].filter((part) => part !== '').join('/');
  const url = (key: string): string => `${base}/${key.replace(/^\//, '').replaceAll('#', '%23')}`;
  const pin: Store['pin'] = ({ etag }) => (etag?.startsWith('W/') ? undefined : etag);
  const access = createHttpAccess({
    // A body that was compressed on the way would have another length and other digests than the object.
    ask: (method, key, headers, signal) =>
      pool.request({ method, url: url(key), headers: { 'accept-encoding': 'identity', ...headers }, signal }),
    pin,
    pinHeaders: (ifMatch) => ({ 'if-match': `"${ifMatch}"` }),
    etagMeaning: 'opaque',
    context: (key) => ({
      item: withoutSecrets(url(key)),
      signIn: 'a signed address is valid for some time only; ask for a new one',
    }),
  });
  return {
    place,
    pin,
    ...access,
    list: (prefix) => ({
      [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(cannotList(withoutSecrets(url(prefix)))) }),
    }),
    url,
  };
}
