/** A lock file without fetching anything: keys, sizes and digests as the buckets list them. */
import { createHash } from 'node:crypto';
import { isCarrelError } from '../errors.ts';
import type { Digest } from '../identifiers/index.ts';
import { locateSeries, type ObjectLocation } from '../locations/index.ts';
import type { LockFile } from '../manifests/index.ts';
import type { CohortPlan } from './get-cohort.ts';
import { patientStores } from './patient-store.ts';
import { type CohortFile, lockOf } from './plan-cohort.ts';
import type { CohortSeries, Tools } from './question.ts';

/** A lock file, and what could not be pinned by its content. */
export interface LockedCohort {
  lock: LockFile;
  /** Files whose content no mirror vouches for: pinned by key and size. */
  bySizeOnly: string[];
  /** Files whose size nobody tells: not pinned. */
  unpinned: string[];
}

/**
 * Pins a plan. The text depends on the question alone: where the mirror that was listed knows no MD5 of a file (S3 has
 * none of what came in parts), the others are listed too, and what lies on this disk is read.
 *
 * @throws `interrupted`
 */
export async function lockCohort(plan: CohortPlan, tools: Tools): Promise<LockedCohort> {
  const files = await withDigests(plan.files, tools);
  const lock = lockOf(plan.cohort, files, plan.layout, new Map());
  return {
    lock,
    bySizeOnly: files
      .filter(({ digests, size }) => digests.length === 0 && size !== undefined)
      .map(({ path }) => path),
    unpinned: files.filter(({ size }) => size === undefined).map(({ path }) => path),
  };
}

const hasMd5 = ({ digests }: { digests: readonly Digest[] }) =>
  digests.some((digest) => digest.startsWith('md5:'));

async function withDigests(files: readonly CohortFile[], tools: Tools): Promise<CohortFile[]> {
  const bySeries = new Map<CohortSeries, Map<string, CohortFile>>();
  const lacking = new Set<CohortSeries>();
  for (const file of files) {
    if (file.series === undefined || file.series.locked !== undefined) continue;
    const known = bySeries.get(file.series);
    if (known === undefined) bySeries.set(file.series, new Map([[file.key, file]]));
    else known.set(file.key, file);
    if (!hasMd5(file) && onDisk(file) === undefined) lacking.add(file.series);
  }
  const better = new Map<string, Digest[]>();
  const dead = new Set<string>();
  for (const series of lacking)
    await askOtherMirrors(series, bySeries.get(series) ?? new Map(), tools, better, dead);
  const completed: CohortFile[] = [];
  for (const file of files) {
    const digests = [...new Set([...file.digests, ...(better.get(file.key) ?? [])])];
    const local = hasMd5({ digests }) ? undefined : onDisk(file);
    if (local !== undefined) digests.push(await digestOf(local, tools));
    completed.push({ ...file, digests });
  }
  return completed;
}

const onDisk = (file: CohortFile) => file.sources.find(({ place }) => place.protocol === 'file');

/** Lists a series on each mirror by itself until every file has an MD5; a mirror that fails is not asked again. */
async function askOtherMirrors(
  series: CohortSeries,
  /** By key. */
  mine: ReadonlyMap<string, CohortFile>,
  tools: Tools,
  better: Map<string, Digest[]>,
  dead: Set<string>,
): Promise<void> {
  for (const { name, protocol } of tools.archive.mirrors) {
    if (protocol === 'file' || protocol === 'https' || dead.has(name)) continue;
    if ([...mine.values()].every((file) => hasMd5(file) || hasMd5({ digests: better.get(file.key) ?? [] })))
      return;
    let found: readonly ObjectLocation[];
    try {
      const located = await locateSeries(
        {
          crdc_series_uuid: series.crdc_series_uuid,
          buckets: series.row?.buckets ?? {},
          instanceCount: series.row?.instanceCount,
        },
        {
          archive: tools.archive,
          openStore: patientStores(tools.openStore),
          from: name,
          signal: tools.signal,
        },
      );
      found = located.locations;
    } catch (error) {
      if (tools.signal?.aborted === true) throw error;
      if (isCarrelError(error, 'network', 'permission')) dead.add(name);
      continue;
    }
    for (const { key, size, digests } of found) {
      // Another size is another file: its digest proves nothing here.
      const file = mine.get(key);
      if (file !== undefined && (file.size === undefined || file.size === size))
        better.set(key, [...(better.get(key) ?? []), ...digests]);
    }
  }
}

async function digestOf(source: ObjectLocation['sources'][number], tools: Tools): Promise<Digest> {
  const hash = createHash('md5');
  const body = await tools.openStore(source.place).get(source.key, { signal: tools.signal });
  await body.consume((piece) => {
    hash.update(piece);
  });
  return `md5:${hash.digest('hex')}`;
}
