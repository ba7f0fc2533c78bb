/** Makes the whole sample: objects, catalogue of every release, record. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { abortError, CarrelError, isCarrelError } from '../../errors.ts';
import { BUCKET_CLASSES } from '../model/buckets.ts';
import { buildModel } from '../model/cohort.ts';
import { RELEASES, type Release, type SampleModel } from '../model/types.ts';
import { archiveTree, type CollectionMembers } from '../releases/archive-tree.ts';
import { patientHistory } from '../releases/patient-history.ts';
import { bucketsOf, isWithdrawn, type SeriesVersion } from '../releases/series-version.ts';
import { catalogVersionOf, SAMPLE_TABLES } from '../tables/catalog.ts';
import { createParquetWriter } from '../tables/parquet.ts';
import { DEFAULT_SEED, SAMPLE_VERSION } from '../version.ts';
import { archiveRecord, type CatalogDigests } from './archive-record.ts';
import { hashRecord } from './hash-record.ts';
import { createObjectWriter } from './object-writer.ts';

/** What happens while the sample is made. */
export type SampleEvent =
  | { type: 'patient'; done: number; total: number }
  | { type: 'table'; release: string; table: string; rows: number }
  | { type: 'done'; root: string; objects: number; bytes: number };

/** How the sample is made. */
export interface GenerateSampleOptions {
  /** Folder of the sample; must not exist, or be empty. */
  dir: string;
  /** Multiplies the ordinary patients: 1 (default) gives about 3,000 objects, 40 about 100,000. */
  scale?: number | undefined;
  /** Every uuid, UID and pixel follows from it. Default: the one of the demo. */
  seed?: string | undefined;
  onEvent?: ((event: SampleEvent) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** Where the sample is. */
export interface Sample {
  /** Folder of the sample. */
  root: string;
  /** Its record, `<root>/archive.json`. */
  archivePath: string;
}

/** Start of the names of folders in which samples are being built. */
export const BUILDING_PREFIX = '.sample-building-';

/** Name of the file that says which generator finished a sample. */
export const STAMP_FILE = 'sample.json';

/**
 * Generates the sample at `dir`. It is built in a folder beside and moved into place when it is whole, so `dir`
 * never holds half a sample.
 *
 * @throws `unsafe` where `dir` holds something already, `usage` for a scale that is none, `no-space` and `permission`
 *   where the disk refuses, `interrupted` on abort
 */
export async function generateSample(options: GenerateSampleOptions): Promise<Sample> {
  const root = path.resolve(options.dir);
  let building: string | undefined;
  try {
    await mkdir(path.dirname(root), { recursive: true });
    await requireVacant(root);
    building = await mkdtemp(path.join(path.dirname(root), BUILDING_PREFIX));
    // One folder further down, since mkdtemp makes folders that nobody else may enter.
    const fresh = path.join(building, 'sample');
    await mkdir(fresh);
    const totals = await build(fresh, options);
    await requireVacant(root);
    await rename(fresh, root);
    options.onEvent?.({ type: 'done', root, ...totals });
    return { root, archivePath: path.join(root, 'archive.json') };
  } catch (error) {
    throw asCarrelError(error, root);
  } finally {
    if (building !== undefined) await rm(building, { recursive: true, force: true });
  }
}

/** Throws where there is something at `root` that is no empty folder. */
async function requireVacant(root: string): Promise<void> {
  const names = await readdir(root).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  if (names.length > 0) throw occupied(root);
}

function occupied(root: string, cause?: unknown): CarrelError {
  return new CarrelError('unsafe', `there is something already where the sample should go: ${root}`, {
    item: root,
    next: 'name a folder that does not exist yet',
    cause,
  });
}

/** What a failure of the disk means. */
function asCarrelError(error: unknown, root: string): CarrelError {
  if (isCarrelError(error)) return error;
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOTDIR') return occupied(root, error);
  const details = { item: root, cause: error };
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const next = 'free about 100 MB per unit of scale, or name another folder';
    return new CarrelError('no-space', `the sample does not fit on the disk: ${root}`, { ...details, next });
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    const next = 'name a folder that you may write to';
    return new CarrelError('permission', `the sample may not be written here: ${root}`, { ...details, next });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new CarrelError('internal', `the sample could not be made: ${message}`, details);
}

async function build(
  root: string,
  options: GenerateSampleOptions,
): Promise<{ objects: number; bytes: number }> {
  const { scale = 1, seed = DEFAULT_SEED } = options;
  if (!Number.isFinite(scale) || scale < 0) {
    throw new CarrelError('usage', `scale must be a number of at least 0, not ${scale}`, {
      item: String(scale),
    });
  }
  const model = buildModel({ seed, scale });
  const { items, members, objects, bytes } = await writeObjects(root, model, options);
  const hashes = hashRecord(archiveTree(seed, members), items);
  await writeFile(path.join(root, 'hashes.json'), `${JSON.stringify(hashes)}\n`);
  const digests = await writeCatalogs(root, model, items, options);
  await writeFile(path.join(root, 'archive.json'), `${JSON.stringify(archiveRecord(digests), null, 2)}\n`);
  const stamp = { generator: SAMPLE_VERSION, seed, scale, objects, bytes };
  await writeFile(path.join(root, STAMP_FILE), `${JSON.stringify(stamp, null, 2)}\n`);
  return { objects, bytes };
}

async function writeObjects(
  root: string,
  model: SampleModel,
  { onEvent, signal }: GenerateSampleOptions,
): Promise<{ items: SeriesVersion[]; members: CollectionMembers[]; objects: number; bytes: number }> {
  const buckets = path.join(root, 'buckets');
  for (const { aws, gcs } of BUCKET_CLASSES) {
    await mkdir(path.join(buckets, aws), { recursive: true });
    for (const other of new Set(Object.values(gcs))) {
      if (other !== aws) await symlink(aws, path.join(buckets, other), 'dir');
    }
  }
  const write = createObjectWriter(buckets);
  const items: SeriesVersion[] = [];
  const members: CollectionMembers[] = [];
  let objects = 0;
  let bytes = 0;
  for (const [position, patient] of model.patients.entries()) {
    await setImmediate(); // lets signals and timers in: all else here is synchronous
    if (signal?.aborted) throw abortError(signal);
    const history = patientHistory(model.seed, patient);
    members.push({ collectionId: patient.collection.id, patients: history.patients });
    for (const item of history.series) {
      items.push(item);
      if (isWithdrawn(item)) continue;
      for (const file of item.files) {
        const parts = history.contents(file.sopInstanceUid, file.md5);
        write(bucketsOf(item.context).aws, item.version.uuid, `${file.uuid}.dcm`, parts);
        objects += 1;
        bytes += file.size;
      }
    }
    onEvent?.({ type: 'patient', done: position + 1, total: model.patients.length });
  }
  return { items, members, objects, bytes };
}

async function writeCatalogs(
  root: string,
  model: SampleModel,
  items: readonly SeriesVersion[],
  { onEvent, signal }: GenerateSampleOptions,
): Promise<CatalogDigests> {
  const digests: CatalogDigests = { 1: {}, 2: {}, 3: {} };
  for (const release of RELEASES) {
    const version = catalogVersionOf(release);
    const folder = path.join(root, 'catalog', version);
    await mkdir(folder, { recursive: true });
    const writer = await createParquetWriter(version);
    try {
      for (const table of SAMPLE_TABLES) {
        if (signal?.aborted) throw abortError(signal);
        const rows = table.rows(release, items, model);
        await writer.write(path.join(folder, table.file), table.columns, rows);
        digests[release][table.file] = await writeDigest(folder, table.file);
        onEvent?.({ type: 'table', release: releaseName(release), table: table.name, rows: rows.length });
      }
    } finally {
      writer.close();
    }
  }
  return digests;
}

/** Writes `<file>.sha256` as `sha256sum` does. */
async function writeDigest(folder: string, file: string): Promise<string> {
  const hex = createHash('sha256')
    .update(await readFile(path.join(folder, file)))
    .digest('hex');
  await writeFile(path.join(folder, `${file}.sha256`), `${hex}  ${file}\n`);
  return hex;
}

/** `v3`. */
function releaseName(release: Release): string {
  return `v${release}`;
}
