/**
 * Many uuids that no table knows, as `.dcf` manifests and lists of DRS URIs hold them: instances, neighbour by
 * neighbour, thousands of them. A resolver asked once per file takes hours, so it is asked once per series: the answer
 * for one instance names its series, the listing of that folder answers for all its neighbours.
 */
import { type CarrelError, isCarrelError } from '../errors.ts';
import { type LocatedSeries, locateSeries } from './locate-series.ts';
import { type LocatedUuid, type LocateUuidOptions, locateUuid } from './locate-uuid.ts';

/** One uuid of many: found, or not. */
export type LocatedUuidRow =
  | { uuid: string; located: LocatedUuid; error?: undefined }
  | { uuid: string; located?: undefined; error: CarrelError };

/** Options of `locateUuids`. */
export interface LocateUuidsOptions extends Omit<LocateUuidOptions, 'series'> {
  /** Uuids looked up at the same time (default 8: resolvers are easily overrun). */
  jobs?: number | undefined;
}

/**
 * Locates many uuids and yields each once, in no particular order. One that fails does not stop the others; a uuid
 * given twice is answered once. Throws `interrupted` when the signal fires.
 */
export async function* locateUuids(
  uuids: Iterable<string>,
  options: LocateUuidsOptions,
): AsyncGenerator<LocatedUuidRow, void, undefined> {
  const pending = new Set([...uuids].map((uuid) => uuid.toLowerCase()));
  const shared: LocateUuidOptions = { ...options, health: options.health ?? new Map() };
  const jobs = Math.max(1, options.jobs ?? 8);
  let level = options.level;
  while (pending.size > 0) {
    const wave = spread([...pending], jobs);
    for (const uuid of wave) pending.delete(uuid);
    const answers = await Promise.all(
      wave.map((uuid) => one(uuid, { ...shared, level }, level !== options.level)),
    );
    yield* answers;
    const found = answers.flatMap(({ located }) => (located?.level === 'instance' ? [located] : []));
    // A list of instances: the next ones need no look for a folder of their name before the resolver is asked.
    if (options.level === undefined && found.length === wave.length) level = 'instance';
    else if (found.length < wave.length) level = options.level;
    const names = new Set(found.flatMap(({ crdc_series_uuid }) => crdc_series_uuid ?? []));
    if (pending.size === 0) continue;
    const folders = await Promise.all([...names].map((name) => folder(name, shared)));
    for (const series of folders) if (series !== undefined) yield* neighbours(series, pending);
  }
}

/** Every n-th of the list: neighbours are files of one series, and one of them is enough to ask for. */
function spread(uuids: readonly string[], jobs: number): string[] {
  const step = Math.max(1, Math.floor(uuids.length / jobs));
  return uuids.filter((_, index) => index % step === 0).slice(0, jobs);
}

/** `guessed`: the level is that of its neighbours, not what the caller said. */
async function one(uuid: string, options: LocateUuidOptions, guessed: boolean): Promise<LocatedUuidRow> {
  try {
    return { uuid, located: await locateUuid(uuid, options) };
  } catch (error) {
    if (!isCarrelError(error) || error.code === 'interrupted' || error.code === 'usage') throw error;
    if (error.code !== 'not-found' || !guessed) return { uuid, error };
    // The buckets have not been asked yet.
    return await one(uuid, { ...options, level: 'series' }, false);
  }
}

/** The folder of a series; undefined where it cannot be listed, which costs requests and nothing else. */
async function folder(name: string, options: LocateUuidOptions): Promise<LocatedSeries | undefined> {
  try {
    return await locateSeries({ crdc_series_uuid: name, buckets: {} }, options);
  } catch (error) {
    if (!isCarrelError(error) || error.code === 'interrupted') throw error;
    return undefined;
  }
}

function* neighbours(
  series: LocatedSeries,
  pending: Set<string>,
): Generator<LocatedUuidRow, void, undefined> {
  for (const location of series.locations) {
    const uuid = (location.key.split('/').pop() ?? '').replace(/\.dcm$/, '').toLowerCase();
    if (!pending.delete(uuid)) continue;
    const { crdc_series_uuid, bucketClass } = series;
    yield {
      uuid,
      located: { level: 'instance', locations: [location], notes: [], crdc_series_uuid, bucketClass },
    };
  }
}
