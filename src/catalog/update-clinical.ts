/** Fetching clinical tables: each is a folder of Parquet files of its own, at a place that the archive's record names. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Archive } from '../archives/index.ts';
import { CarrelError, isCarrelError } from '../errors.ts';
import { type OpenStore, withRetry } from '../stores/index.ts';
import { stopIfAborted } from './abort.ts';
import type { CatalogEvent, InstalledCatalog } from './catalogs.ts';
import { CLINICAL } from './clinical.ts';
import { fetchFile } from './fetch-file.ts';
import { installCatalog } from './install.ts';
import { howToInstall, releaseOf } from './layout.ts';
import { findObjects, storeOf } from './own-tables/find-objects.ts';

/** What fetching needs. */
export interface ClinicalOptions {
  archive: Archive;
  cacheDir: string;
  openStore: OpenStore;
  onEvent?: ((event: CatalogEvent) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** The folder of a table of a release. Throws `not-found` where the record names no place for clinical tables. */
function folderOf(archive: Archive, version: string, table: string): string {
  const { clinical } = archive.catalog;
  if (clinical === undefined) {
    throw new CarrelError('not-found', `the record of ${archive.name} names no place of clinical tables`, {
      item: `${CLINICAL}${table}`,
      next: 'carrel catalog add FOLDER installs those that stand below a folder called clinical',
    });
  }
  const folder = clinical.replaceAll('{release}', releaseOf(archive, version)).replaceAll('{table}', table);
  return folder.endsWith('/') ? folder : `${folder}/`;
}

/** Names (without `clinical.`) of all clinical tables of a version, read off the folders there are. */
export async function listClinical(options: ClinicalOptions, version: string): Promise<string[]> {
  const marked = folderOf(options.archive, version, '{table}');
  const base = marked.slice(0, marked.indexOf('{table}'));
  const { store, key, local } = storeOf(options, base);
  // Of a folder of this disk the store is its parent.
  const prefix = local === undefined || key === '' ? key : `${key}/`;
  const names: string[] = [];
  for await (const page of withRetry(store).list(prefix, { delimiter: '/', signal: options.signal })) {
    for (const found of page.prefixes) names.push(found.slice(prefix.length).replace(/\/$/, ''));
  }
  return names.filter((name) => /^[A-Za-z_][A-Za-z0-9_]{0,120}$/.test(name));
}

/**
 * Fetches clinical tables (names without `clinical.`) and installs them into a version. Throws `not-found` naming the table
 * that is not there, and what stores throw.
 */
export async function fetchClinical(
  options: ClinicalOptions,
  version: string,
  names: readonly string[],
  downloads: string,
): Promise<InstalledCatalog> {
  const { archive, cacheDir, openStore, onEvent, signal } = options;
  const root = join(downloads, 'clinical-tables');
  for (const name of names) {
    const place = folderOf(archive, version, name);
    const folder = join(root, 'clinical', name);
    await mkdir(folder, { recursive: true });
    const objects = await findObjects({ archive, openStore, sources: [place], signal }).catch(
      (error: unknown) => {
        if (!isCarrelError(error, 'not-found')) throw error;
        throw new CarrelError('not-found', `${version} has no clinical table ${name} (${place} is empty)`, {
          item: `${CLINICAL}${name}`,
          next: 'carrel catalog tables lists those that clinical_index names',
          cause: error,
        });
      },
    );
    const total = objects.reduce((sum, { stat }) => sum + (stat.size ?? 0), 0);
    let before = 0;
    for (const [at, { store, key, shown, stat }] of objects.entries()) {
      stopIfAborted(signal);
      const target = join(folder, `${String(at).padStart(5, '0')}.parquet`);
      await fetchFile({
        openStore,
        url: shown,
        object: { store, key },
        target,
        signal,
        onProgress: (bytes) =>
          onEvent?.({ type: 'progress', table: `${CLINICAL}${name}`, bytes: before + bytes, total }),
      });
      before += stat.size ?? 0;
    }
  }
  try {
    return await installCatalog({ archive, cacheDir, sources: [root], version, onEvent, signal });
  } catch (error) {
    // A version without its main table cannot take others in.
    if (!isCarrelError(error, 'bad-input')) throw error;
    throw new CarrelError(error.code, error.message, {
      item: error.item,
      next: howToInstall(archive, version),
      cause: error,
    });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
