/** Takes a lock file into a cohort: exactly its bytes, whatever the current release is. */
import { CarrelError } from '../errors.ts';
import { type ObjectLocation, resolveDrs, sourcesFor } from '../locations/index.ts';
import type { LockedFile, LockFile } from '../manifests/index.ts';
import type { Cohort, Tools } from './question.ts';

/**
 * Adds everything that a lock file pins. Its archive must be the one at hand.
 *
 * @throws `usage` where the lock file is of another archive; what the DRS host of an object with signed URLs answers
 */
export async function addLock(cohort: Cohort, lock: LockFile, origin: string, tools: Tools): Promise<void> {
  if (lock.archive.name !== tools.archive.name) {
    throw new CarrelError(
      'usage',
      `${origin} pins data of the archive "${lock.archive.name}", not of "${tools.archive.name}"`,
      {
        item: origin,
        next: `add --archive ${lock.archive.origin === 'built-in' ? lock.archive.name : lock.archive.origin}`,
      },
    );
  }
  const placesOf = createPlaces(tools);
  for (const series of lock.series) {
    const { crdc_series_uuid: uuid, files } = series;
    const locations = await locate(files, uuid, placesOf, tools);
    cohort.series.push({ crdc_series_uuid: uuid, row: undefined, locked: series, locations });
  }
  const objects = await locate(lock.files, undefined, placesOf, tools);
  for (const [index, location] of objects.entries()) {
    const locked = lock.files[index];
    if (locked !== undefined) cohort.objects.push({ location, path: locked.path, locked });
  }
  cohort.layout = lock.layout;
  cohort.release = lock.release;
  cohort.catalog = lock.catalog;
}

async function locate(
  files: readonly LockedFile[],
  uuid: string | undefined,
  placesOf: Places,
  tools: Tools,
): Promise<ObjectLocation[]> {
  const standing = (file: LockedFile): ObjectLocation => {
    const { key, size, digests, mirrors } = file;
    const sources = placesOf(mirrors).map(({ mirror, place }) => ({ mirror, place, key }));
    return uuid === undefined
      ? { key, size, digests, sources }
      : { key, size, digests, sources, crdc_series_uuid: uuid };
  };
  if (files.every(({ mirrors }) => mirrors['drs'] === undefined)) return files.map(standing);
  return await Promise.all(
    files.map(async (file) => {
      const { drs } = file.mirrors;
      if (drs === undefined) return standing(file);
      // Its URLs are signed anew each time: the host that signs them is asked again.
      const { archive, openStore, from, signal, http, drsToken: token } = tools;
      const { locations } = await resolveDrs(drs, { archive, openStore, from, signal, http, token });
      return { ...standing({ ...file, mirrors: {} }), sources: locations[0]?.sources ?? [], drs };
    }),
  );
}

/** The places of a file by its mirrors; worked out once for all files that share them. */
type Places = (mirrors: LockedFile['mirrors']) => readonly Omit<ObjectLocation['sources'][number], 'key'>[];

/** Mirrors of the archive by their buckets; other places by the URL that the lock file gives. */
function createPlaces({ archive, from }: Tools): Places {
  const known = new WeakMap<LockedFile['mirrors'], ReturnType<Places>>();
  const find: Places = (mirrors) => {
    const buckets = Object.fromEntries(
      Object.entries(mirrors).filter(([mirror]) => archive.mirrors.some(({ name }) => name === mirror)),
    );
    if (Object.keys(buckets).length > 0) return sourcesFor(archive, buckets, '', { from });
    return Object.entries(mirrors).map(([mirror, url]) => ({ mirror, place: foreignPlace(mirror, url) }));
  };
  return (mirrors) => {
    const places = known.get(mirrors) ?? find(mirrors);
    known.set(mirrors, places);
    return places;
  };
}

/** The opposite of `foreignMirror`. */
function foreignPlace(scheme: string, url: string): ObjectLocation['sources'][number]['place'] {
  const match = /^(https?:\/\/[^/]+)(?:\/(.*))?$/.exec(url);
  const [, endpoint = url, bucket = ''] = match ?? [];
  if (scheme === 's3') return { protocol: 's3', endpoint, bucket, access: 'anonymous' };
  if (scheme === 'gs') return { protocol: 'gcs', endpoint, bucket, access: 'anonymous' };
  return { protocol: 'https', endpoint: url, bucket: '' };
}

/** How a place outside of the archive stands in a lock file: `s3` → `https://s3.amazonaws.com/bucket`. */
export function foreignMirror(source: ObjectLocation['sources'][number]): [string, string] {
  const { protocol, endpoint, bucket } = source.place;
  const scheme = protocol === 'gcs' ? 'gs' : protocol;
  return [scheme, bucket === '' ? endpoint : `${endpoint}/${bucket}`];
}
