/**
 * The versioning of the archive: collections, patients, studies, series and instances as a tree of versions.
 *
 * Rules (etl_flow of the Imaging Data Commons, release by release, one parent at a time):
 * - not there in the release before: new uuid, `init` = `rev` = this release. Whatever was away and comes back, or
 *   comes under another parent, is new: the look-up sees nothing but the current parent.
 * - there, and its hash differs: new uuid, `init` kept, `rev` = this release; children are treated the same way.
 * - there, and its hash is the same: the same version stands again.
 * - gone: its version, and those below it, end with the release before.
 *
 * Hash of an instance: MD5 of its file. Hash of a parent: MD5 over the sorted hashes of its children, concatenated as
 * lower-case hex.
 */
import { createHash } from 'node:crypto';
import type { Release } from '../model/types.ts';
import { deriveUuid } from '../random.ts';

/** Levels of the tree, top first. */
export type Level = 'collection' | 'patient' | 'study' | 'series' | 'instance';

const BELOW: Record<Exclude<Level, 'instance'>, Level> = {
  collection: 'patient',
  patient: 'study',
  study: 'series',
  series: 'instance',
};

/** What an owner hands in for a release. Instances have `md5`; everything above has children. */
export interface Submission {
  /** Identifier at its level: collection id, PatientID or DICOM UID. */
  id: string;
  md5?: string;
  children: Submission[];
}

/** One version of one thing. */
export interface Version {
  level: Level;
  id: string;
  uuid: string;
  init: Release;
  rev: Release;
  /** Last release that holds it; null: still current. */
  final: Release | null;
  hash: string;
  children: Version[];
}

/** MD5 over the sorted hashes of children; empty for no children. */
export function hashOf(hashes: readonly string[]): string {
  if (hashes.length === 0) return '';
  return createHash('md5')
    .update([...hashes].sort().join(''))
    .digest('hex');
}

/** Hash of what was handed in. */
function submittedHash(submission: Submission): string {
  return submission.md5 ?? hashOf(submission.children.map(submittedHash));
}

/** Ends a version and all below it with the release `last`. */
function retire(version: Version, last: Release): void {
  version.final ??= last;
  for (const child of version.children) retire(child, last);
}

/** The release before. */
function before(release: Release): Release {
  return (release - 1) as Release;
}

/** What stands in a release: a thing with the versions of its children, made before it. */
export interface Standing {
  level: Level;
  id: string;
  /** Seed and identifiers from the top down to the parent. */
  path: readonly string[];
  /** MD5 of the file, for an instance. */
  md5?: string | undefined;
  children: Version[];
}

/** The version of one thing in `release`, given its version in the release before (if it was there). */
export function stand(previous: Version | undefined, standing: Standing, release: Release): Version {
  const { level, id, path, children } = standing;
  const hash = standing.md5 ?? hashOf(children.map((child) => child.hash));
  if (previous !== undefined) {
    if (previous.hash === hash) return previous;
    const kept = new Set(children.map((child) => child.id));
    retireMissing(previous.children, kept, release);
    previous.final = before(release);
  }
  const uuid = deriveUuid(...path, id, level, release);
  return { level, id, uuid, init: previous?.init ?? release, rev: release, final: null, hash, children };
}

/**
 * The same for a thing and all below it, from what its owner hands in. The hash decides from the top down, as in IDC:
 * where it is the same, nothing below is looked at. (Two files of a series that swapped their contents would pass for
 * unchanged; they cannot, since a file holds its own SOPInstanceUID.)
 */
export function revise(
  previous: Version | undefined,
  submission: Submission,
  level: Level,
  path: readonly string[],
  release: Release,
): Version {
  if (previous !== undefined && previous.hash === submittedHash(submission)) return previous;
  const { id, md5 } = submission;
  const earlier = new Map(previous?.children.map((child) => [child.id, child]));
  const below = [...path, id];
  const children = submission.children.map((child) =>
    revise(earlier.get(child.id), child, BELOW[level as keyof typeof BELOW], below, release),
  );
  return stand(previous, { level, id, path, md5, children }, release);
}

/** Ends whatever of `previous` is not in `release` any more. */
export function retireMissing(
  previous: readonly Version[],
  present: ReadonlySet<string>,
  release: Release,
): void {
  for (const version of previous) {
    if (!present.has(version.id)) retire(version, before(release));
  }
}
