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
  for (const series of lock.series) {
    const locations = await Promise.all(series.files.map((file) => toLocation(file, tools)));
    cohort.series.push({
      crdc_series_uuid: series.crdc_series_uuid,
      row: undefined,
      locked: series,
      locations: locations.map((location) => ({ ...location, crdc_series_uuid: series.crdc_series_uuid })),
    });
  }
  for (const file of lock.files) {
    cohort.objects.push({ location: await toLocation(file, tools), path: file.path, locked: file });
  }
  cohort.layout = lock.layout;
  cohort.release = lock.release;
  cohort.catalog = lock.catalog;
}

async function toLocation(file: LockedFile, tools: Tools): Promise<ObjectLocation> {
  const { key, size, digests } = file;
  const { drs } = file.mirrors;
  if (drs === undefined) return { key, size, digests, sources: lockedSources(file, tools) };
  // Its URLs are signed anew each time: the host that signs them is asked again.
  const { archive, openStore, from, signal, http, drsToken: token } = tools;
  const { locations } = await resolveDrs(drs, { archive, openStore, from, signal, http, token });
  return { key, size, digests, sources: locations[0]?.sources ?? [], drs };
}

/** Mirrors of the archive by their buckets; other places by the URL that the lock file gives. */
function lockedSources(file: LockedFile, tools: Tools): ObjectLocation['sources'] {
  const buckets = Object.fromEntries(
    Object.entries(file.mirrors).filter(([mirror]) =>
      tools.archive.mirrors.some(({ name }) => name === mirror),
    ),
  );
  if (Object.keys(buckets).length > 0)
    return sourcesFor(tools.archive, buckets, file.key, { from: tools.from });
  return Object.entries(file.mirrors).map(([mirror, url]) => ({
    mirror,
    ...foreignPlace(mirror, url, file.key),
  }));
}

/** The opposite of `foreignMirror`. */
function foreignPlace(
  scheme: string,
  url: string,
  key: string,
): Omit<ObjectLocation['sources'][number], 'mirror'> {
  const match = /^(https?:\/\/[^/]+)(?:\/(.*))?$/.exec(url);
  const [, endpoint = url, bucket = ''] = match ?? [];
  if (scheme === 's3') return { place: { protocol: 's3', endpoint, bucket, access: 'anonymous' }, key };
  if (scheme === 'gs') return { place: { protocol: 'gcs', endpoint, bucket, access: 'anonymous' }, key };
  return { place: { protocol: 'https', endpoint: url, bucket: '' }, key };
}

/** How a place outside of the archive stands in a lock file: `s3` → `https://s3.amazonaws.com/bucket`. */
export function foreignMirror(source: ObjectLocation['sources'][number]): [string, string] {
  const { protocol, endpoint, bucket } = source.place;
  const scheme = protocol === 'gcs' ? 'gs' : protocol;
  return [scheme, bucket === '' ? endpoint : `${endpoint}/${bucket}`];
}
