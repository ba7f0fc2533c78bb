/**
 * From a compound object to its instances. All instances of a series stand in one bucket under the uuid of the series,
 * so one listing finds them all; the resolver is asked only for children that the folder does not hold.
 */
import { CarrelError, isCarrelError } from '../errors.ts';
import type { ObjectUrlIdentifier } from '../identifiers/index.ts';
import { type CompoundChild, type CompoundObject, readCompoundObject } from './compound-object.ts';
import type { DrsClientOptions } from './drs-client.ts';
import { drsTarget } from './drs-endpoint.ts';
import { type Located, type LocateOptions, locateSeries } from './locate-series.ts';
import { locateUrl } from './locate-url.ts';
import { locateUuids } from './locate-uuids.ts';
import type { ObjectLocation } from './location.ts';
import { resolveDrs } from './resolve-drs.ts';
import { type UrlPlaceOptions, urlPlaces } from './url-sources.ts';

/** Options of `locateCompound`. */
export interface LocateCompoundOptions extends LocateOptions, Partial<Omit<DrsClientOptions, 'signal'>> {
  /** Class of buckets or bucket in which the compound object itself was found: its children are there too. */
  bucket?: string | undefined;
  /** URL that the compound object itself was read from: its children lie beside it, in the same folder. */
  beside?: ObjectUrlIdentifier | undefined;
  /** Endpoint of that URL, where it is not the public one. */
  endpoint?: string | undefined;
}

/** The instances of a compound object. */
export interface LocatedCompound extends Located {
  crdc_series_uuid: string | undefined;
  /** Children that are nowhere to be found, by uuid (or URI for placeholders). */
  missing: string[];
}

/** Size of the largest compound object that is believed: about 700,000 children. */
const LIMIT = 100 * 1024 * 1024;

/** Fetches `…/crdcobj.json` from a bucket or web server. Throws what the store throws, `bad-input` for other contents. */
export async function fetchCompoundObject(
  url: ObjectUrlIdentifier,
  options: LocateOptions & UrlPlaceOptions,
): Promise<CompoundObject> {
  let first: CarrelError | undefined;
  for (const { place } of urlPlaces(options.archive, url, options).places) {
    try {
      const body = await options.openStore(place).get(url.key, { signal: options.signal });
      return parse(new TextDecoder().decode(await body.bytes(LIMIT)), url.text.trim());
    } catch (error) {
      if (!isCarrelError(error, 'not-found', 'network', 'permission', 'unsupported')) throw error;
      first ??= error;
    }
  }
  throw first ?? new CarrelError('internal', `no place for ${url.text.trim()}`);
}

/**
 * Locates the children of a compound object, in its own order. Children that the folder of the series does not hold
 * are asked for one by one at the DRS host, where `http` is given; those that stay unknown are named in `missing`.
 * Throws `not-found` only where not a single child is found.
 */
export async function locateCompound(
  compound: CompoundObject,
  options: LocateCompoundOptions,
): Promise<LocatedCompound> {
  const notes = [...compound.notes];
  const byUuid = new Map<string, ObjectLocation>();
  let failure: CarrelError | undefined;
  if (options.beside !== undefined) failure = await listBeside(options.beside, byUuid, options);
  if (byUuid.size === 0 && compound.uuid !== undefined) {
    const buckets: Record<string, string> = options.bucket === undefined ? {} : { any: options.bucket };
    try {
      const series = await locateSeries({ crdc_series_uuid: compound.uuid, buckets }, options);
      notes.push(...series.notes);
      for (const location of series.locations) byUuid.set(stemOf(location.key), location);
    } catch (error) {
      if (!isCarrelError(error) || error.code === 'interrupted' || error.code === 'usage') throw error;
      failure ??= error;
    }
  }
  // A compound object without children (a prototype's folder) stands for its series.
  const wanted = compound.children.length > 0 ? compound.children : undefined;
  if (wanted === undefined) {
    if (failure !== undefined) throw failure;
    return { crdc_series_uuid: compound.uuid, locations: [...byUuid.values()], notes, missing: [] };
  }
  await askResolver(wanted, byUuid, options);
  const locations: ObjectLocation[] = [];
  const missing: string[] = [];
  for (const child of wanted) {
    const location = child.uuid === undefined ? undefined : byUuid.get(child.uuid);
    if (location === undefined) missing.push(child.uuid ?? child.uri);
    else locations.push(location);
  }
  if (locations.length === 0) {
    if (failure !== undefined) throw failure;
    throw new CarrelError(
      'not-found',
      `none of the ${wanted.length} children of ${compound.uuid ?? 'the compound object'} was found`,
      {
        item: compound.uuid ?? compound.name,
        next: 'the series may have been withdrawn',
      },
    );
  }
  if (missing.length > 0) {
    const shown = missing.slice(0, 5).join(', ');
    notes.push(
      `${missing.length} of ${wanted.length} children were not found: ${shown}${missing.length > 5 ? ', …' : ''}`,
    );
  }
  return { crdc_series_uuid: compound.uuid, locations, notes, missing };
}

/** Finds the objects in the folder of a URL; the answer is why it could not be listed. */
async function listBeside(
  url: ObjectUrlIdentifier,
  byUuid: Map<string, ObjectLocation>,
  options: LocateCompoundOptions,
): Promise<CarrelError | undefined> {
  const key = url.key.slice(0, url.key.lastIndexOf('/') + 1);
  if (key === '' || url.scheme === 'https') return undefined;
  try {
    const { locations } = await locateUrl(
      { ...url, key, form: 'folder', layout: 'other' },
      { ...options, literal: true },
    );
    for (const location of locations) byUuid.set(stemOf(location.key), location);
    return undefined;
  } catch (error) {
    if (!isCarrelError(error) || error.code === 'interrupted' || error.code === 'usage') throw error;
    return error;
  }
}

/** Children that the folder does not hold: at the archive's own host together, at other hosts one by one. */
async function askResolver(
  children: readonly CompoundChild[],
  byUuid: Map<string, ObjectLocation>,
  options: LocateCompoundOptions,
): Promise<void> {
  const { http } = options;
  if (http === undefined) return;
  const own: string[] = [];
  for (const { uri, uuid } of children) {
    if (uuid === undefined || byUuid.has(uuid)) continue;
    try {
      if (drsTarget(uri, options.archive).own) own.push(uuid);
      else {
        const { locations } = await resolveDrs(uri, { ...options, http, drsOnly: true });
        if (locations[0] !== undefined) byUuid.set(uuid, locations[0]);
      }
    } catch (error) {
      if (!isCarrelError(error, 'not-found', 'network', 'permission', 'unsupported', 'usage', 'bad-input'))
        throw error;
    }
  }
  for await (const { uuid, located } of locateUuids(own, { ...options, http, level: 'instance' })) {
    if (located?.locations[0] !== undefined) byUuid.set(uuid, located.locations[0]);
  }
}

function parse(text: string, origin: string): CompoundObject {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new CarrelError('bad-input', `${origin} is not JSON: ${(cause as Error).message}`, {
      item: origin,
      cause,
    });
  }
  return readCompoundObject(json, origin);
}

/** `<series>/<uuid>.dcm` → `<uuid>`. */
function stemOf(key: string): string {
  return (key.split('/').pop() ?? '').replace(/\.dcm$/i, '').toLowerCase();
}
