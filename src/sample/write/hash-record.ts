/**
 * The record `hashes.json`: every version of everything with its hash, so that an archive can be proven from the
 * files up. Withdrawn versions stay in it as tombstones: without their hashes those of their parents in earlier
 * releases could not be computed any more.
 */
import { LATEST_RELEASE, type Release } from '../model/types.ts';
import type { ReleaseTree } from '../releases/archive-tree.ts';
import { bucketsOf, isWithdrawn, type SeriesVersion } from '../releases/series-version.ts';
import type { Level, Version } from '../releases/tree.ts';

/** One version in `hashes.json`. */
export interface HashedVersion {
  level: Level;
  /** Collection id, PatientID or DICOM UID. */
  id: string;
  uuid: string;
  init: Release;
  rev: Release;
  final: Release | null;
  /** Instance: MD5 of the file. Others: MD5 over the sorted hashes of the children, concatenated. */
  hash: string;
  /** Bytes, of instances. */
  size?: number;
  /** Bucket, of series. */
  bucket?: string;
  /** Release from which it is gone from buckets and tables. */
  withdrawn?: Release;
  /** uuids of the next level. */
  children?: string[];
}

/** `hashes.json`. */
export interface HashRecord {
  rule: string;
  releases: { release: string; hash: string; children: string[] }[];
  versions: HashedVersion[];
}

/** The record of these trees. */
export function hashRecord(trees: readonly ReleaseTree[], items: readonly SeriesVersion[]): HashRecord {
  const series = new Map(items.map((item) => [item.version.uuid, item]));
  const sizes = new Map(items.flatMap(({ files }) => files.map(({ uuid, size }) => [uuid, size])));
  const versions = new Map<string, HashedVersion>();
  const visit = (version: Version, withdrawn: Release | undefined): void => {
    const item = version.level === 'series' ? series.get(version.uuid) : undefined;
    const gone = withdrawn ?? (item && isWithdrawn(item) ? item.context.series.withdrawn : undefined);
    if (versions.has(version.uuid)) return;
    const { level, id, uuid, init, rev, final, hash, children } = version;
    versions.set(uuid, {
      level,
      id,
      uuid,
      init,
      rev,
      final: final ?? null,
      hash,
      ...(level === 'instance' ? { size: sizes.get(uuid) ?? 0 } : { children: uuids(children) }),
      ...(item === undefined ? {} : { bucket: bucketsOf(item.context).aws }),
      ...(gone === undefined || gone > LATEST_RELEASE ? {} : { withdrawn: gone }),
    });
    for (const child of children) visit(child, gone);
  };
  for (const { collections } of trees) for (const collection of collections) visit(collection, undefined);
  return {
    rule: 'instance: md5 of the file; above: md5 of the concatenated, sorted hashes of the children',
    releases: trees.map(({ release, hash, collections }) => ({
      release: `v${release}`,
      hash,
      children: uuids(collections),
    })),
    versions: [...versions.values()],
  };
}

function uuids(versions: readonly Version[]): string[] {
  return versions.map(({ uuid }) => uuid);
}
