/** The profile of IDC aimed at servers of this machine, over a folder of buckets. */
import { type Archive, builtInArchive, withMirrors } from '../../src/archives/index.ts';
import type { Located, LocateOptions } from '../../src/locations/index.ts';
import { createOpenStore, type StoreOpener } from '../../src/stores/index.ts';
import { type ObjectServers, startObjectServers } from '../fixtures/servers.ts';
import { type BucketsFixture, writeBuckets } from '../fixtures/tree.ts';

/** A small commons on two clouds. */
export interface Commons extends ObjectServers {
  archive: Archive;
  buckets: BucketsFixture;
  stores: StoreOpener;
  /** What every `locate…` call wants. */
  options: LocateOptions;
  /** Requests to both servers since the last call, as `s3 GET /path?query`. */
  asked(): string[];
}

/** Starts it; `files` are `bucket/key` → content. */
export async function startCommons(files: Record<string, string | Uint8Array>): Promise<Commons> {
  const buckets = await writeBuckets(files);
  const servers = await startObjectServers({ root: buckets.root });
  const archive = withMirrors(builtInArchive('idc'), { aws: servers.s3.url, gcs: servers.gcs.url });
  const stores = createOpenStore({ env: {}, http: { timeouts: { firstByte: 2000, connect: 2000 } } });
  return {
    ...servers,
    archive,
    buckets,
    stores,
    options: { archive, openStore: stores.openStore },
    asked() {
      const log = [
        ...servers.s3.requests.splice(0).map(({ method, path }) => `s3 ${method} ${path}`),
        ...servers.gcs.requests.splice(0).map(({ method, path }) => `gcs ${method} ${path}`),
      ];
      return log;
    },
    async close() {
      await stores.close();
      await servers.close();
      await buckets.remove();
    },
  };
}

/** Locations in short: key, mirrors, size. */
export function brief(located: Located): string[] {
  return located.locations.map(
    ({ key, size, sources }) => `${key} ${size ?? '?'} ${sources.map(({ mirror }) => mirror).join('+')}`,
  );
}

/** The error of a promise that has to fail. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  );
}
