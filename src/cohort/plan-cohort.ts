/** From located series to planned files with their names, and to the lock file. */
import { CarrelError } from '../errors.ts';
import { type Digest, isCrdcUuid } from '../identifiers/index.ts';
import type { ObjectLocation } from '../locations/index.ts';
import { createLock, type LockedFile, type LockFile } from '../manifests/index.ts';
import type { PlannedFile } from '../transfer/index.ts';
import { foreignMirror } from './add-lock.ts';
import { type NamePolicy, refuseHostileName, tellApart } from './file-names.ts';
import { instanceName } from './instance-name.ts';
import { type Layout, pathFor, pathsFor } from './layout.ts';
import type { LocatedCohortSeries } from './locate-cohort.ts';
import { plannedObject } from './planned-object.ts';
import type { Cohort, CohortSeries } from './question.ts';

/** A planned file and what it belongs to. */
export interface CohortFile extends PlannedFile {
  key: string;
  series: CohortSeries | undefined;
  /** Address at a DRS host, for objects whose URLs are signed anew each time. */
  drs?: string | undefined;
}

/**
 * Names every file of the cohort. Paths of a lock file are kept unless a layout was asked for. An instance that
 * stands in two versions of a series (the same uuid) under one path is planned once.
 *
 * @param explicit true where the layout was asked for, false where it is the default
 * @param names what becomes of names of objects that hurt a file system; default `strict`
 * @throws `usage` where the layout names a column that the catalogue does not have; `unsafe` for names, where `strict`
 */
export function planFiles(
  cohort: Cohort,
  located: readonly LocatedCohortSeries[],
  layout: Layout,
  explicit: boolean,
  names: NamePolicy = 'strict',
): CohortFile[] {
  const named: CohortFile[] = [];
  const add = (path: string, location: ObjectLocation, series: CohortSeries | undefined) => {
    const file = plannedObject(path, location, series);
    if (location.drs !== undefined) file.drs = location.drs;
    named.push(file);
  };
  for (const { series, locations } of located) {
    const locked = explicit ? undefined : series.locked?.files;
    let paths: Map<string, string> | undefined;
    let nameOf: ((name: string) => string) | undefined;
    for (const [index, location] of locations.entries()) {
      // Locations of a lock file stand in its own order, unless some of them were left out.
      const here = locked?.[index];
      let path = here?.key === location.key ? here.path : undefined;
      if (path === undefined && locked !== undefined) {
        paths ??= new Map(locked.map((file) => [file.key, file.path]));
        path = paths.get(location.key);
      }
      if (path === undefined) {
        nameOf ??= namer(series, layout, explicit);
        path = nameOf(location.key.slice(location.key.lastIndexOf('/') + 1));
      }
      add(path, location, series);
    }
  }
  // Objects outside of any series have no columns; a layout without columns can be given to them as well.
  const flat = explicit && layout.columns.length === 0;
  for (const { location, path, name } of cohort.objects) {
    if (names === 'strict' && !flat && name !== undefined) refuseHostileName(name);
    add(flat ? pathFor(layout, {}, path.split('/').at(-1) ?? path) : path, location, undefined);
  }
  if (names === 'escape') return tellApart(inOrder(onceOrApart(named)));
  return inOrder(named).every(isFirst) ? named : named.filter(isFirst);
}

/** By path, in place; files of one path stay in the order that they came in. */
function inOrder(files: CohortFile[]): CohortFile[] {
  return files.sort((a, b) => (a.path < b.path ? -1 : a.path === b.path ? 0 : 1));
}

/** Of files in order: false for one that was named twice, an error where two would get one name. */
function isFirst(file: CohortFile, index: number, files: readonly CohortFile[]): boolean {
  let at = index;
  while (files[at - 1]?.path === file.path) at -= 1;
  const before = files[at];
  if (before === undefined || before === file) return true;
  if (!isSameObject(before, file) && !isSameInstance(before, file)) throw twoOfOneName(before, file);
  return false;
}

/** Each path once; another object of the same path gets another one. */
function onceOrApart(files: readonly CohortFile[]): CohortFile[] {
  const byPath = new Map<string, CohortFile>();
  for (const file of files) {
    const before = byPath.get(file.path);
    if (before === undefined) byPath.set(file.path, file);
    else if (!isSameObject(before, file) && !isSameInstance(before, file)) {
      const [apart] = tellApart([before, file]).slice(1);
      if (apart !== undefined) byPath.set(apart.path, apart);
    }
  }
  return [...byPath.values()];
}

function twoOfOneName({ path, key }: CohortFile, other: CohortFile): CarrelError {
  return new CarrelError('unsafe', `two objects would get the same name: ${path} (${key} and ${other.key})`, {
    item: path,
    next: 'give a --layout that tells them apart, such as {crdc_series_uuid}/{file}',
  });
}

/**
 * Paths of the objects of a series. A series that no table knows has nothing but its uuid: it stands under that,
 * unless the layout was asked for and needs no more.
 */
function namer(series: CohortSeries, layout: Layout, explicit: boolean): (name: string) => string {
  const row = rowOf(series);
  if (row !== undefined) return pathsFor(layout, checked(row, layout));
  const { crdc_series_uuid: uuid } = series;
  if (!explicit) return (name) => `${uuid}/${name}`;
  const unknown = layout.columns.find((column) => column !== 'crdc_series_uuid');
  if (unknown === undefined) return pathsFor(layout, { crdc_series_uuid: uuid });
  throw new CarrelError('usage', `the layout names {${unknown}}, and no table knows the series ${uuid}`, {
    item: uuid,
    next: 'only {crdc_series_uuid} and {file} are known of it; install a catalogue that has it, or use these',
  });
}

/** Named twice, in lists or by overlapping folders: the same key at the same place. */
function isSameObject(one: CohortFile, other: CohortFile): boolean {
  const place = ({ sources }: CohortFile) => JSON.stringify(sources[0]?.place);
  return one.key === other.key && place(one) === place(other);
}

/** An instance keeps its uuid and its bytes when its series is revised; anything else of one name is another file. */
function isSameInstance(one: CohortFile, other: CohortFile): boolean {
  if (one.series === undefined || other.series === undefined || one.size !== other.size) return false;
  const name = instanceName(one.key);
  if (name !== instanceName(other.key) || !isCrdcUuid(name)) return false;
  const md5 = (file: CohortFile) => file.digests.find((digest) => digest.startsWith('md5:'));
  const [first, second] = [md5(one), md5(other)];
  return first === undefined || second === undefined || first === second;
}

/** The columns of a series that a layout can name; undefined where nothing but the uuid is known. */
function rowOf({ row, locked }: CohortSeries): Record<string, unknown> | undefined {
  if (row !== undefined) return { ...row.columns, ...row };
  if (locked === undefined || locked.SeriesInstanceUID === null) return undefined;
  const { files: _, ...columns } = locked;
  return columns;
}

function checked(row: Record<string, unknown>, layout: Layout): Record<string, unknown> {
  const missing = layout.columns.find((column) => !(column in row));
  if (missing === undefined) return row;
  throw new CarrelError('usage', `the layout names {${missing}}, which is no column of the catalogue`, {
    item: missing,
    next: 'carrel catalog schema index lists the columns',
  });
}

/**
 * The lock file of a cohort.
 *
 * One digest per file: MD5 where one is known (every mirror vouches for it), else the strongest, so that the same
 * cohort gives the same text whatever mirror served it.
 *
 * @param proven digest of the bytes on disk by path
 */
export function lockOf(
  cohort: Cohort,
  files: readonly CohortFile[],
  layout: string,
  proven: ReadonlyMap<string, { digest: Digest | undefined; bytes: number }>,
): LockFile {
  const mirrorsOf = createMirrors(cohort);
  const bySeries = new Map<CohortSeries, LockedFile[]>();
  const others: LockedFile[] = [];
  for (const file of files) {
    const known = proven.get(file.path);
    const size = known?.bytes ?? file.size;
    // A file whose size nobody knows and that never came cannot be pinned.
    if (size === undefined) continue;
    const { path, key, series } = file;
    const digests = pinned(file.digests, known?.digest);
    const locked: LockedFile = { path, key, size, digests, mirrors: mirrorsOf(file) };
    const siblings = series === undefined ? others : bySeries.get(series);
    if (siblings !== undefined) siblings.push(locked);
    else if (series !== undefined) bySeries.set(series, [locked]);
  }
  const { name, origin } = cohort.archive;
  return createLock({
    archive: { name, origin: /^(built-in|https?:|s3:|gs:)/.test(origin) ? origin : 'local' },
    release: cohort.release,
    catalog: cohort.catalog,
    question: cohort.question,
    layout,
    series: [...bySeries].map(([series, locked]) => ({ ...identityOf(series), files: locked })),
    files: others,
    part: cohort.part,
  });
}

/** From what is pinned first. */
const PINNED = ['md5:', 'sha256:', 'crc32c:', 's3etag:', 'crc64nvme:'];

function pinned(digests: readonly Digest[], own: Digest | undefined): Digest[] {
  if (digests.length === 1 && digests[0]?.startsWith('md5:') === true) return [digests[0]];
  const all = own === undefined ? digests : [...digests, own];
  for (const algorithm of PINNED) {
    const found = all.find((digest) => digest.startsWith(algorithm));
    if (found !== undefined) return [found];
  }
  return [];
}

/** Mirrors of a file for the lock file; files that stand at the same places share one record of them. */
function createMirrors(cohort: Cohort): (file: CohortFile) => Record<string, string> {
  let last: CohortFile['sources'] = [];
  let shared: Record<string, string> | undefined;
  return ({ sources, drs }) => {
    // A signed URL holds a secret and expires; the address that signs it is what can be kept.
    if (drs !== undefined) return { drs };
    const isSame =
      shared !== undefined &&
      sources.length === last.length &&
      sources.every(({ mirror, place }, at) => mirror === last[at]?.mirror && place === last[at].place);
    if (shared === undefined || !isSame) shared = mirrorsOf(cohort, sources);
    last = sources;
    return shared;
  };
}

function mirrorsOf(cohort: Cohort, sources: CohortFile['sources']): Record<string, string> {
  const mirrors: [string, string][] = sources.map((source: ObjectLocation['sources'][number]) => {
    const ours = cohort.archive.mirrors.find(({ name }) => name === source.mirror);
    return ours === undefined ? foreignMirror(source) : [source.mirror, source.place.bucket];
  });
  // Every mirror of the archive, also those that this run was told not to use.
  const first = sources[0];
  const known = cohort.archive.bucketClasses.find(
    ({ buckets }) => first !== undefined && buckets[first.mirror] === first.place.bucket,
  );
  return known === undefined ? Object.fromEntries(mirrors) : { ...known.buckets };
}

function identityOf(series: CohortSeries): Omit<LockFile['series'][number], 'files'> {
  const { row, locked } = series;
  const from = row ?? locked;
  return {
    crdc_series_uuid: series.crdc_series_uuid,
    SeriesInstanceUID: from?.SeriesInstanceUID ?? null,
    StudyInstanceUID: from?.StudyInstanceUID ?? null,
    PatientID: from?.PatientID ?? null,
    collection_id: from?.collection_id ?? null,
    Modality: from?.Modality ?? null,
    license_short_name: from?.license_short_name ?? null,
    source_DOI: from?.source_DOI ?? null,
  };
}
