/**
 * Adding a table of the user's own: Parquet or CSV, from this disk, a bucket or a web server, under a name of their
 * choice. Copied with digests unless it is linked: what a question reads is whole, and the same tomorrow.
 */
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Archive } from '../../archives/index.ts';
import { abortError, CarrelError, isCarrelError } from '../../errors.ts';
import type { OpenStore } from '../../stores/index.ts';
import { withLock } from '../add-tables.ts';
import { sha256Of } from '../catalog-file.ts';
import type { CatalogEvent } from '../catalogs.ts';
import { archiveFolder, incomingName, sweepIncoming } from '../layout.ts';
import { checkOwn } from './check-own.ts';
import { downloadsOf, fetchObjects, partName } from './fetch-objects.ts';
import { findObjects, oldPartNote, type SourceObject } from './find-objects.ts';
import { describeFiles } from './inspect-files.ts';
import { checkOwnName } from './own-names.ts';
import {
  describeOwn,
  type OwnTable,
  type OwnTableFile,
  type OwnTableInfo,
  ownFolder,
  readOwnTables,
  writeOwnTable,
} from './table-file.ts';

/** Options of `addTable`. */
export interface AddTableOptions {
  archive: Archive;
  cacheDir: string;
  /** Name in SQL: letters, digits, underscores; none of the archive's own. */
  name: string;
  /** Files, folders, patterns: paths, `s3://`, `gs://`, `https://`. */
  sources: string[];
  openStore: OpenStore;
  /** Service of buckets that are not the archive's. */
  endpoint?: string | undefined;
  /** Reads local files where they stand, as they are at the time, instead of a copy. */
  link?: boolean | undefined;
  /** Puts it in the place of a table of that name that came from elsewhere. */
  replace?: boolean | undefined;
  onEvent?: ((event: CatalogEvent) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** A table of the user's own, and how it came. */
export interface AddedTable extends OwnTableInfo {
  /** False where everything was there and unchanged. */
  changed: boolean;
}

/**
 * Adds a table, or brings one up to date: the same name from the same sources fetches what changed. Throws `usage` (the
 * name, another source without `replace`), `not-found`, `bad-input` (no Parquet, a CSV whose lines do not agree), and what
 * stores throw. Nothing is left behind by a failure but what arrived of a download.
 */
export async function addTable(options: AddTableOptions): Promise<AddedTable> {
  const { archive, cacheDir, name, signal } = options;
  if (options.sources.length === 0)
    throw new CarrelError('usage', 'nothing to add', { item: name, next: 'give a file, a folder or a URL' });
  await checkOwnName(archive, cacheDir, name);
  const root = ownFolder(cacheDir, archive.name);
  await mkdir(root, { recursive: true });
  await sweepIncoming(archiveFolder(cacheDir, archive.name));
  const objects = await findObjects(options);
  const note = oldPartNote(objects);
  if (note !== undefined) options.onEvent?.({ type: 'note', message: note });
  const sources = options.sources.map((source) =>
    /^[a-z][a-z0-9+.-]+:\/\//i.test(source) ? source : resolve(source),
  );
  const busy = () =>
    options.onEvent?.({ type: 'note', message: `another process is adding ${name}; waiting for it` });
  return withLock(
    join(root, `.lock-${name.toLowerCase()}`),
    signal,
    async () => {
      const before = (await readOwnTables(cacheDir, archive.name)).find(
        (table) => table.name.toLowerCase() === name.toLowerCase(),
      );
      if (before !== undefined) mustBeTheSame(before, sources, options);
      const table =
        options.link === true ? await linked(options, objects) : await copied(options, objects, before);
      const same =
        before !== undefined &&
        before.problem === undefined &&
        JSON.stringify([before.files, before.linked, before.name]) ===
          JSON.stringify([table.file.files, table.file.linked, table.file.name]);
      const folder = before?.folder ?? join(root, name);
      if (!same) {
        await mkdir(folder, { recursive: true });
        if (table.staged !== undefined) {
          await rename(table.staged, join(folder, table.id));
        }
        await writeOwnTable(folder, { ...table.file, sources });
        await sweepOld(folder, table.id);
      } else if (table.staged !== undefined) await rm(table.staged, { recursive: true, force: true });
      await rm(downloadsOf(options), { recursive: true, force: true });
      const bytes = table.file.files.reduce((sum, { size }) => sum + size, 0);
      options.onEvent?.({ type: 'table', table: name, bytes });
      const file = same && before !== undefined ? before : table.file;
      return { ...describeOwn({ ...file, sources, folder }), changed: !same };
    },
    Number.POSITIVE_INFINITY,
    busy,
  );
}

function mustBeTheSame(before: OwnTable, sources: string[], options: AddTableOptions): void {
  if (options.replace === true || before.problem !== undefined) return;
  if (JSON.stringify(before.sources) === JSON.stringify(sources)) return;
  throw new CarrelError(
    'usage',
    `there is a table ${before.name} of your own already, from ${before.sources.join(', ')}`,
    {
      item: before.name,
      next: 'add --replace to put this one in its place, or choose another name',
    },
  );
}

/** Files that stay where they are. */
async function linked(options: AddTableOptions, objects: SourceObject[]) {
  const files: OwnTableFile['files'] = objects.map(({ path, shown, stat: { size } }) => {
    if (path === undefined) {
      throw new CarrelError('usage', `${shown} cannot be linked: only files of this machine can`, {
        item: shown,
        next: 'leave out --link: a copy is fetched then',
      });
    }
    return { path, size: size ?? 0, source: shown };
  });
  const format = objects[0]?.format ?? 'parquet';
  const inputs = files.map(({ path, source }) => ({ path, shown: source }));
  const found = await describeFiles({ format, inputs, signal: options.signal });
  return { file: fileOf(options, { files, format, linked: true, ...found }), id: '', staged: undefined };
}

/** Files copied or fetched, CSV made Parquet; what is unchanged is taken over from the table as it was. */
async function copied(options: AddTableOptions, objects: SourceObject[], before: OwnTable | undefined) {
  const { archive, cacheDir, signal } = options;
  const incoming = join(archiveFolder(cacheDir, archive.name), incomingName());
  const id = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`;
  await mkdir(incoming, { recursive: true });
  try {
    const inputs = await fetchObjects(options, objects, incoming, before);
    const format = objects[0]?.format ?? 'parquet';
    const found = await describeFiles({ format, inputs, into: incoming, signal });
    const files: OwnTableFile['files'] = [];
    for (const [at, object] of objects.entries()) {
      const name = partName(at);
      const { size } = await stat(join(incoming, name));
      const sha256 = inputs[at]?.sha256 ?? (await sha256Of(join(incoming, name), signal));
      const pin = object.store.pin(object.stat);
      files.push({
        path: `${id}/${name}`,
        size,
        sha256,
        source: object.shown,
        ...(pin === undefined ? {} : { pin }),
      });
    }
    // The same bytes under the same pins are the table that is there.
    const same = before !== undefined && !before.linked && sameFiles(before.files, files);
    if (same && (await checkOwn(before, signal)).every(({ ok }) => ok)) {
      return { file: { ...fileOf(options, before), files: before.files }, id, staged: incoming };
    }
    return {
      file: fileOf(options, { files, format: 'parquet', linked: false, ...found }),
      id,
      staged: incoming,
    };
  } catch (error) {
    await rm(incoming, { recursive: true, force: true });
    // What cannot be read is not worth going on with.
    if (isCarrelError(error, 'bad-input')) await rm(downloadsOf(options), { recursive: true, force: true });
    if (signal?.aborted === true && !isCarrelError(error)) throw abortError(signal);
    throw error;
  }
}

function sameFiles(before: OwnTableFile['files'], now: OwnTableFile['files']): boolean {
  const key = ({ sha256, source }: OwnTableFile['files'][number]) => `${source}\n${sha256}`;
  return before.length === now.length && before.every((file, at) => key(file) === key(now[at] ?? file));
}

function fileOf(
  options: AddTableOptions,
  found: Pick<OwnTableFile, 'files' | 'format' | 'linked' | 'union' | 'rows' | 'columns'>,
): OwnTableFile {
  const { files, format, linked: isLink, union, rows, columns } = found;
  return {
    carrel_table: 1,
    name: options.name,
    archive: options.archive.name,
    linked: isLink,
    format,
    union,
    files,
    rows,
    columns,
    sources: [],
    added: new Date().toISOString(),
  };
}

/** Removes the copies that `table.json` no longer names. An open file stays readable. */
async function sweepOld(folder: string, id: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory() && entry.name !== id)
      await rm(join(folder, entry.name), { recursive: true, force: true });
  }
}
