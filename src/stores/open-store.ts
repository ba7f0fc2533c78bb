/** One way in: a place becomes a store. */
import { CarrelError } from '../errors.ts';
import { createFileStore } from './file-store.ts';
import { createDefaultToken } from './gcs/default-token.ts';
import { createGcsStore } from './gcs/gcs-store.ts';
import type { HttpPool, HttpPoolOptions } from './http/http.ts';
import { createHttpPool } from './http/pool.ts';
import { createHttpsStore } from './https-store.ts';
import { createS3Store } from './s3/s3-store.ts';
import { createSigner, type S3CredentialProvider } from './s3/sign.ts';
import type { OpenStore, Place, Store, StoreSettings } from './store.ts';

/** Options of `createOpenStore`. */
export interface OpenStoreOptions {
  /** Default: a pool of its own, made with `http` and closed by `close`. A pool that is given stays open. */
  pool?: HttpPool | undefined;
  /** Options of that pool. */
  http?: HttpPoolOptions | undefined;
  /** Default `process.env`: proxies, certificates, the token for Google. Amazon's chain reads `process.env` itself. */
  env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Credentials for signed S3 places; default the usual chain, loaded at the first signed request. */
  credentials?: S3CredentialProvider | undefined;
  /**
   * Bearer token for signed GCS places; default `CARREL_GCS_TOKEN` or `GOOGLE_OAUTH_ACCESS_TOKEN`, else one for the
   * application default credentials (`GOOGLE_APPLICATION_CREDENTIALS`, or what `gcloud auth application-default login` left).
   */
  gcsToken?: (() => string | undefined | Promise<string | undefined>) | undefined;
}

/** Opens stores, and owns what they share. */
export type StoreOpener = OpenStore & {
  /** The function itself, for taking apart: `const { openStore, close } = createOpenStore()`. */
  readonly openStore: OpenStore;
  readonly pool: HttpPool;
  /** Ends the connections. */
  close(): Promise<void>;
};

/** Makes the function that opens stores. The same place gives the same store. Throws `usage` for a malformed place. */
export function createOpenStore(options: OpenStoreOptions = {}): StoreOpener {
  const env = options.env ?? process.env;
  const pool = options.pool ?? createHttpPool({ env, ...options.http });
  const sign = createSigner(options.credentials, env);
  const byDefault = createDefaultToken({ env, pool });
  const gcsToken =
    options.gcsToken ?? (() => env['CARREL_GCS_TOKEN'] || env['GOOGLE_OAUTH_ACCESS_TOKEN'] || byDefault());
  const stores = new Map<string, Store>();

  const create = (place: Place): Store => {
    if (place.protocol === 'file') return createFileStore(place);
    if (!/^https?:\/\/[^/?#]+/i.test(place.endpoint) || !URL.canParse(place.endpoint)) {
      throw new CarrelError('usage', `not an endpoint: ${place.endpoint}`, {
        item: place.endpoint,
        next: 'an endpoint looks like https://s3.amazonaws.com',
      });
    }
    if (place.protocol === 's3') return createS3Store(place, pool, sign);
    if (place.protocol === 'gcs') return createGcsStore(place, pool, gcsToken);
    return createHttpsStore(place, pool);
  };

  const find = (place: Place): Store => {
    const { protocol, endpoint, bucket, region, access, addressing, payer } = place;
    const id = JSON.stringify([
      protocol,
      endpoint,
      bucket,
      region,
      access ?? 'anonymous',
      addressing ?? 'path',
      payer,
    ]);
    let store = stores.get(id);
    if (store === undefined) {
      store = create(place);
      stores.set(id, store);
    }
    return store;
  };
  const openStore: OpenStore = Object.assign(find, { settings: settingsOf(options, env) });
  return Object.assign((place: Place) => find(place), {
    settings: openStore.settings,
    openStore,
    pool,
    async close() {
      if (options.pool === undefined) await pool.close();
    },
  });
}

/** The options as data, where no function is among them. */
function settingsOf(options: OpenStoreOptions, env: StoreSettings['env']): StoreSettings | undefined {
  const { pool, credentials, gcsToken, http = {} } = options;
  const { lookup, ...data } = http;
  const functions = [pool, credentials, gcsToken, lookup];
  if (functions.some((given) => given !== undefined)) return undefined;
  return { http: data, env: { ...data.env, ...env } };
}
