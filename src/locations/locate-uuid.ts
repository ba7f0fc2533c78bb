/**
 * From a bare uuid to objects, for uuids that the tables do not know. Cheapest first: a folder of that name in any
 * bucket (it covers every version ever released), then the DRS host, which alone knows the series of an instance.
 */
import { CarrelError, isCarrelError } from '../errors.ts';
import type { DrsClientOptions } from './drs-client.ts';
import {
  type Located,
  type LocateOptions,
  locateSeries,
  type SeriesRef,
  UNHEALTHY,
} from './locate-series.ts';
import { resolveDrs } from './resolve-drs.ts';

/** Failures that end the search: no other place would mend them. */
const FINAL = new Set<string>(['interrupted', 'usage']);

/** Options of `locateUuid`. */
export interface LocateUuidOptions extends LocateOptions, Partial<Omit<DrsClientOptions, 'signal'>> {
  /** What the uuid is known to name. `instance` skips the folders, `series` the DRS host. */
  level?: 'study' | 'series' | 'instance' | undefined;
  /** The series version that an instance stands in, where a table or a manifest says: no resolver needed. */
  series?: SeriesRef | undefined;
}

/** What a uuid turned out to be. */
export interface LocatedUuid extends Located {
  level: 'series' | 'instance' | 'bundle';
  /** Of the series; of an instance where its place tells. */
  crdc_series_uuid?: string | undefined;
  /** Class of buckets of a series. */
  bucketClass?: string | undefined;
}

/**
 * Locates a uuid. The DRS host is asked only where the archive has one and `http` is given.
 * Throws `not-found` saying what was tried; `network` where something that might know it could not be asked.
 */
export async function locateUuid(uuid: string, options: LocateUuidOptions): Promise<LocatedUuid> {
  const lower = uuid.toLowerCase();
  const tried: string[] = [];
  if (options.series !== undefined && options.level !== 'series') {
    const inSeries = await locateInSeries(lower, options.series, options);
    if (inSeries !== undefined) return inSeries;
    tried.push(`the folder of series ${options.series.crdc_series_uuid}`);
  }
  let failure: CarrelError | undefined;
  if (options.level !== 'instance') {
    try {
      const found = await locateSeries({ crdc_series_uuid: lower, buckets: {} }, options);
      return { level: 'series', ...found };
    } catch (error) {
      if (!isCarrelError(error) || FINAL.has(error.code)) throw error;
      if (error.code !== 'not-found') failure = error;
      tried.push(`a folder ${lower}/ in every bucket of ${options.archive.name}`);
    }
  }
  if (options.level !== 'series' && options.archive.drs !== undefined && options.http !== undefined) {
    try {
      return await viaDrs(lower, { ...options, http: options.http });
    } catch (error) {
      if (!isCarrelError(error) || FINAL.has(error.code)) throw error;
      if (error.code !== 'not-found') failure ??= error;
      tried.push(`the DRS host ${options.archive.drs.host}`);
    }
  }
  throw unknown(lower, tried, failure, options);
}

async function viaDrs(
  uuid: string,
  options: LocateUuidOptions & { http: DrsClientOptions['http'] },
): Promise<LocatedUuid> {
  const { drs } = options.archive;
  const health = options.health ?? new Map<string, number>();
  const key = `drs ${drs?.endpoint}`;
  const failures = health.get(key) ?? 0;
  // A host that is down costs seconds for every question; in a list of thousands that would be hours.
  if (failures >= UNHEALTHY) {
    throw new CarrelError(
      'network',
      `the DRS host ${drs?.host} failed ${failures} times and is not asked again`,
      {
        item: uuid,
        next: 'try again later',
        retryable: true,
      },
    );
  }
  try {
    const found = await resolveDrs(`${drs?.prefix}/${uuid}`, { ...options, drsOnly: true });
    health.set(key, 0);
    const { locations, notes, kind } = found;
    const level = kind === 'object' ? 'instance' : 'bundle';
    return { level, locations, notes, crdc_series_uuid: locations[0]?.crdc_series_uuid };
  } catch (error) {
    if (isCarrelError(error, 'network')) health.set(key, failures + 1);
    throw error;
  }
}

/** One file of a known series, or undefined where the series does not hold it. */
async function locateInSeries(
  uuid: string,
  series: SeriesRef,
  options: LocateOptions,
): Promise<LocatedUuid | undefined> {
  const { locations, notes, bucketClass } = await locateSeries(
    { ...series, instanceCount: undefined },
    options,
  );
  const location = locations.find(({ key }) => key.toLowerCase().endsWith(`/${uuid}.dcm`));
  if (location === undefined) return undefined;
  return {
    level: 'instance',
    locations: [location],
    notes,
    crdc_series_uuid: location.crdc_series_uuid,
    bucketClass,
  };
}

function unknown(
  uuid: string,
  tried: readonly string[],
  failure: CarrelError | undefined,
  options: LocateUuidOptions,
): CarrelError {
  if (failure !== undefined) {
    return new CarrelError(failure.code, `${uuid} could not be looked up everywhere: ${failure.message}`, {
      item: uuid,
      next: failure.next ?? 'try again later',
      cause: failure,
      retryable: failure.retryable,
      status: failure.status,
      retryAfterMs: failure.retryAfterMs,
    });
  }
  const hint =
    options.level === 'study'
      ? 'no bucket has folders of studies: name the study by its StudyInstanceUID'
      : 'an instance is found through its series: name that, or its SOPInstanceUID';
  return new CarrelError('not-found', `nothing is known of ${uuid}; tried ${tried.join(', ') || 'nothing'}`, {
    item: uuid,
    next: hint,
  });
}
