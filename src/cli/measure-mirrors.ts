/** How fast the mirrors of an archive are from here: the same few objects from each, over several connections. */
import { type Archive, placeOf } from '../archives/index.ts';
import { CarrelError, isCarrelError } from '../errors.ts';
import type { ObjectStat, OpenStore, Place, Store } from '../stores/index.ts';

/** Bounds for each mirror: enough to get over the slow start of a connection, little enough for a metered line. */
const MOST_BYTES = 16_000_000;
const MOST_MS = 10_000;
const CONNECTIONS = 8;
const MOST_OBJECTS = 64;

/** What was measured of one mirror. */
export interface MirrorSpeed {
  mirror: string;
  endpoint: string;
  place: Place;
  /** Undefined where it answered. */
  error?: string;
  /** To the first byte, in milliseconds: on a new connection, and the median on kept ones. */
  coldMs?: number;
  firstByteMs?: number | undefined;
  /** Over all connections. */
  bytesPerSecond?: number;
  /** Of one stream, per millisecond: what mirrors are compared by. */
  streamRate?: number;
  bytes?: number;
  connections?: number;
}

/** Measures one mirror after the other, so that they do not share the line. Rejects only when `signal` says so. */
export async function measureMirrors(
  archive: Archive,
  openStore: OpenStore,
  signal: AbortSignal,
): Promise<MirrorSpeed[]> {
  const measured: MirrorSpeed[] = [];
  let objects: ObjectStat[] | undefined;
  for (const mirror of archive.mirrors) {
    if (mirror.protocol === 'file') continue;
    const bucket = archive.bucketClasses
      .map(({ buckets }) => buckets[mirror.name])
      .find((name) => name !== undefined);
    if (bucket === undefined) continue;
    const place = placeOf(mirror, bucket);
    const known = { mirror: mirror.name, endpoint: mirror.endpoint, place };
    const limit = AbortSignal.any([signal, AbortSignal.timeout(MOST_MS)]);
    try {
      const store = openStore(place);
      // The copies have the same keys: what one mirror listed is asked of the others.
      objects ??= await someObjects(store, limit);
      measured.push({ ...known, ...(await measure(store, objects, limit)) });
    } catch (error) {
      if (signal.aborted) throw error;
      const silent = limit.aborted ? `no answer in ${MOST_MS / 1000} s` : undefined;
      measured.push({ ...known, error: silent ?? (isCarrelError(error) ? error.message : String(error)) });
    }
  }
  return measured;
}

/** Objects of the first folders of a bucket: a series or two. */
async function someObjects(store: Store, signal: AbortSignal): Promise<ObjectStat[]> {
  const objects: ObjectStat[] = [];
  let bytes = 0;
  for await (const { prefixes } of store.list('', { delimiter: '/', pageSize: 20, signal })) {
    for (const prefix of prefixes) {
      for await (const page of store.list(prefix, { signal })) {
        for (const one of page.objects) {
          if (objects.length >= MOST_OBJECTS || bytes >= MOST_BYTES) return objects;
          objects.push(one);
          bytes += one.size ?? 0;
        }
      }
    }
    break;
  }
  if (objects.length > 0) return objects;
  throw new CarrelError('not-found', 'there is nothing to measure with: no folder holds an object');
}

async function measure(
  store: Store,
  objects: readonly ObjectStat[],
  limit: AbortSignal,
): Promise<Partial<MirrorSpeed>> {
  const waits: number[] = [];
  let coldMs: number | undefined;
  let bytes = 0;
  let streamMs = 0;
  let next = 0;
  const began = performance.now();
  const fetchOne = async (key: string): Promise<void> => {
    const asked = performance.now();
    const body = await store.get(key, { signal: limit });
    const wait = performance.now() - asked;
    if (coldMs === undefined) coldMs = wait;
    else waits.push(wait);
    await body
      .consume((chunk) => {
        bytes += chunk.length;
      })
      .finally(() => {
        streamMs += performance.now() - asked;
      });
  };
  const first = objects[0];
  // Alone, so that its time to the first byte is that of a new connection and nothing else.
  if (first !== undefined) await fetchOne(first.key);
  const lane = async (): Promise<void> => {
    while (next < objects.length && bytes < MOST_BYTES && !limit.aborted) {
      const object = objects[next];
      next += 1;
      if (object !== undefined) await fetchOne(object.key);
    }
  };
  const lanes = Math.min(CONNECTIONS, objects.length);
  const ends = await Promise.allSettled(Array.from({ length: lanes }, lane));
  // Time is up: what came until then is the measure. Anything else is a mirror that does not serve.
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined && !(limit.aborted && bytes > 0)) throw failed.reason;
  const ms = Math.max(1, performance.now() - began);
  waits.sort((a, b) => a - b);
  const median = waits[waits.length >> 1];
  return {
    ...(coldMs === undefined ? {} : { coldMs: Math.round(coldMs) }),
    firstByteMs: median === undefined ? undefined : Math.round(median),
    bytesPerSecond: Math.round((bytes / ms) * 1000),
    streamRate: bytes / Math.max(1, streamMs),
    bytes,
    connections: lanes,
  };
}
