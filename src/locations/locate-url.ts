/** From a URL to objects: one object, a folder, or a wildcard; in the archive's buckets or in any other. */
import { CarrelError, isCarrelError } from '../errors.ts';
import type { ObjectUrlIdentifier } from '../identifiers/index.ts';
import type { ObjectStat } from '../stores/index.ts';
import { type Located, type LocateOptions, locateSeries } from './locate-series.ts';
import type { ObjectLocation } from './location.ts';
import type { MirrorPlace } from './sources-for.ts';
import { standingObject } from './standing-object.ts';
import { type UrlPlaceOptions, urlPlaces } from './url-sources.ts';
import { wildcardMatcher, wildcardPrefix } from './wildcard.ts';

/** Failures that another mirror would not mend. */
const FINAL = new Set<string>(['interrupted', 'usage', 'bad-input', 'unsafe']);

/** Options of `locateUrl`. */
export interface LocateUrlOptions extends LocateOptions, UrlPlaceOptions {
  /** Take the URL by its letters: no filter on `.dcm`, no look into other buckets. For `ls`, `cp` and `run`. */
  literal?: boolean | undefined;
}

/**
 * The objects that a URL names, sorted by key, each with every place that holds it.
 *
 * A series folder of the archive (`…/<uuid>`, `…/<uuid>/`, `…/<uuid>/*`) is located like the series itself, wherever
 * it stands today. Throws `not-found` for what does not exist, with the reason for keys of IDC's first years;
 * `unsupported` for folders and wildcards on plain web servers; otherwise what the store throws.
 */
export async function locateUrl(url: ObjectUrlIdentifier, options: LocateUrlOptions): Promise<Located> {
  const { bucketClass, places } = urlPlaces(options.archive, url, options);
  if (bucketClass !== undefined && options.literal !== true) {
    if (url.layout === 'flat' || url.layout === 'v1') throw oldLayout(url);
    if (isSeriesFolder(url) && url.seriesUuid !== undefined) {
      const [first] = places;
      const buckets = first === undefined ? {} : { [first.mirror]: first.place.bucket };
      const prefer = first?.place.protocol === 'file' ? places[1]?.mirror : first?.mirror;
      return locateSeries({ crdc_series_uuid: url.seriesUuid, buckets }, { ...options, prefer });
    }
  }
  const notes: string[] = [];
  if (url.form === 'object') {
    const { value, order } = await firstAnswer(url, places, notes, (at) =>
      options.openStore(at.place).stat(url.key, { signal: options.signal }),
    );
    return { locations: [toLocation(url, value, order)], notes };
  }
  if (url.scheme === 'https') {
    throw new CarrelError('unsupported', `${url.text.trim()}: a plain web server has no listing`, {
      item: url.text.trim(),
      next: 'name its files one by one',
    });
  }
  const { value, order } = await firstAnswer(url, places, notes, (at) => listMatches(url, at, options));
  return { locations: value.map((stat) => toLocation(url, stat, order)), notes };
}

function isSeriesFolder(url: ObjectUrlIdentifier): boolean {
  if (url.layout !== 'hierarchical' || url.seriesUuid === undefined || url.instanceUuid !== undefined)
    return false;
  return new RegExp(`^${url.seriesUuid}(?:/(?:\\*(?:\\.dcm)?)?)?$`, 'i').test(url.key);
}

/** Asks one place after the other until one answers; `not-found` is an answer only if all say it. */
async function firstAnswer<T>(
  url: ObjectUrlIdentifier,
  places: readonly MirrorPlace[],
  notes: string[],
  ask: (place: MirrorPlace) => Promise<T>,
): Promise<{ value: T; order: MirrorPlace[] }> {
  const absent = new Set<MirrorPlace>();
  const errors: CarrelError[] = [];
  for (const place of places) {
    try {
      const value = await ask(place);
      // Where it was found, then those that failed or were not asked; where it is missing is no place for it.
      const others = places.filter((other) => other !== place && !absent.has(other));
      return { value, order: [place, ...others] };
    } catch (error) {
      if (!isCarrelError(error) || FINAL.has(error.code)) throw error;
      errors.push(error);
      // A disk that holds a part of the archive misses most things: nothing that anybody needs to hear of.
      if (error.code === 'not-found') absent.add(place);
      else notes.push(`${place.mirror} could not give ${url.text.trim()} (${error.message})`);
    }
  }
  const worst = errors.find((error) => error.code !== 'not-found') ?? errors[0];
  if (worst === undefined) throw new CarrelError('internal', `no place for ${url.text.trim()}`);
  throw new CarrelError(worst.code, worst.message, {
    item: url.text.trim(),
    next: worst.next,
    cause: worst,
    retryable: worst.retryable,
    status: worst.status,
    retryAfterMs: worst.retryAfterMs,
  });
}

async function listMatches(
  url: ObjectUrlIdentifier,
  at: MirrorPlace,
  options: LocateUrlOptions,
): Promise<ObjectStat[]> {
  const folder = url.key === '' || url.key.endsWith('/') ? url.key : `${url.key}/`;
  const prefix = url.form === 'folder' ? folder : wildcardPrefix(url.key);
  const matches = url.form === 'folder' ? () => true : wildcardMatcher(url.key);
  const objects: ObjectStat[] = [];
  for await (const page of options.openStore(at.place).list(prefix, { signal: options.signal })) {
    for (const object of page.objects) {
      // Placeholders that make folders visible in consoles and in gcsfuse are no files.
      if (!object.key.endsWith('/') && matches(object.key)) objects.push(object);
    }
  }
  if (objects.length > 0) return objects.sort((a, b) => (a.key < b.key ? -1 : 1));
  throw new CarrelError('not-found', `nothing matches ${url.text.trim()} on ${at.mirror}`, {
    item: url.text.trim(),
    next: 'list the folder above it to see what is there',
  });
}

function toLocation(
  url: ObjectUrlIdentifier,
  stat: ObjectStat,
  order: readonly MirrorPlace[],
): ObjectLocation {
  const location = standingObject(url.form === 'object' ? { ...stat, key: url.key } : stat, order);
  if (url.layout === 'hierarchical' && url.seriesUuid !== undefined)
    location.crdc_series_uuid = url.seriesUuid;
  return location;
}

/** Keys of IDC v1 (by UID) and v2 to v13 (`<instance>.dcm`): their buckets are gone, the objects stand in series folders. */
function oldLayout(url: ObjectUrlIdentifier): CarrelError {
  const item = url.text.trim();
  if (url.layout === 'v1') {
    return new CarrelError('not-found', `${item} is a key of the first release; its bucket is gone`, {
      item,
      next:
        url.seriesInstanceUid === undefined
          ? 'name the series by its SeriesInstanceUID'
          : `name the series instead: ${url.seriesInstanceUid}`,
    });
  }
  const instance = url.instanceUuid ?? item;
  return new CarrelError(
    'not-found',
    `${item} is a key from before v14: objects stand in the folder of their series today, and this key does not name it`,
    { item, next: `name the series, or resolve the instance with a DRS host: drs://dg.4DFC/${instance}` },
  );
}
