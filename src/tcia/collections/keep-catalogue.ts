/**
 * The catalogue of TCIA on disk: one file for each server, `<cacheDir>/tcia/<host>/collections.json`, replaced in one step.
 * It holds links with passcodes, so that only its owner may read it.
 */
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { CarrelError, isCarrelError } from '../../errors.ts';
import type { AskOptions } from '../ask.ts';
import type { TciaServers } from '../servers.ts';
import { TCIA_DOWNLOAD_KINDS, type TciaCatalogue } from './collection.ts';
import { fetchCatalogue, type OnList } from './fetch-catalogue.ts';

/** Version of the file; another one is fetched anew. */
const FORMAT = 'carrel-tcia-collections-1';
const NAME = 'collections.json';
const DAY_MS = 24 * 60 * 60 * 1000;
/** Parts that a killed process left behind are removed after that time. */
const HOUR_MS = 60 * 60 * 1000;

/** How the catalogue is opened. */
export interface OpenCatalogueOptions extends AskOptions {
  cacheDir: string;
  servers: TciaServers;
  /**
   * `auto` (default): fetched where there is none, and once a day; where that fails, the old one answers. `always`: now,
   * and a failure is an error. `never`: only what is here.
   */
  refresh?: 'auto' | 'always' | 'never' | undefined;
  /** Told before the server is asked. */
  onFetch?: (() => void) | undefined;
  onList?: OnList | undefined;
  /** For tests. */
  now?: (() => Date) | undefined;
}

/** An opened catalogue. */
export interface OpenedCatalogue {
  catalogue: TciaCatalogue;
  path: string;
  /** True where it was fetched just now. */
  fresh: boolean;
  ageMs: number;
  /** What the user should know: its age where it could not be refreshed, and why. */
  notes: string[];
}

/**
 * Opens the catalogue of TCIA; see `refresh`.
 *
 * @throws CarrelError `not-found` where there is none and none may be fetched; `network` where it cannot be; `interrupted`
 */
export async function openCatalogue(options: OpenCatalogueOptions): Promise<OpenedCatalogue> {
  const { servers, refresh = 'auto' } = options;
  const now = (options.now ?? (() => new Date()))();
  const path = cataloguePath(options.cacheDir, servers.wordpress);
  const kept = await readKept(path);
  const old = kept?.catalogue;
  const age = (catalogue: TciaCatalogue) => Math.max(0, now.getTime() - Date.parse(catalogue.fetchedAt));
  const asOld = (catalogue: TciaCatalogue, notes: string[]): OpenedCatalogue => ({
    catalogue,
    path,
    fresh: false,
    ageMs: age(catalogue),
    notes,
  });
  if (refresh === 'never') {
    if (old !== undefined) return asOld(old, []);
    throw new CarrelError('not-found', 'the catalogue of TCIA is not here', {
      item: path,
      next: 'carrel tcia collections --refresh fetches it',
    });
  }
  if (refresh === 'auto' && old !== undefined && kept !== undefined) {
    // A time ahead of ours was written with a wrong clock; it must not hold for ever.
    const ahead = Date.parse(old.fetchedAt) - now.getTime() > HOUR_MS;
    if (age(old) < DAY_MS && !ahead) return asOld(old, []);
    // The file's time tells of the last attempt: without a connection, not every command waits for it.
    if (now.getTime() - kept.touchedMs < DAY_MS && kept.touchedMs - Date.parse(old.fetchedAt) > DAY_MS)
      return asOld(old, [
        `${ageText(age(old))} old; carrel tcia collections --refresh tries again to fetch it`,
      ]);
  }
  options.onFetch?.();
  try {
    const patience = refresh === 'auto' && old !== undefined ? { attempts: 2 } : {};
    const catalogue = await fetchCatalogue(servers, { ...options, ...patience, now });
    await writeKept(path, catalogue, now);
    return {
      catalogue,
      path,
      fresh: true,
      ageMs: 0,
      notes: kept?.problem === undefined ? [] : [kept.problem],
    };
  } catch (error) {
    if (refresh === 'always' || old === undefined || !isCarrelError(error) || error.code === 'interrupted')
      throw error;
    await utimes(path, now, now).catch(() => undefined);
    return asOld(old, [`${ageText(age(old))} old, for it could not be refreshed: ${error.message}`]);
  }
}

/** `less than a minute`, `3 hours`, `5 days`. */
export function ageText(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  const say = (count: number, unit: string) => `${count} ${unit}${count === 1 ? '' : 's'}`;
  if (minutes < 1) return 'less than a minute';
  if (minutes < 120) return say(minutes, 'minute');
  return minutes < 48 * 60 ? say(Math.floor(minutes / 60), 'hour') : say(Math.floor(minutes / 1440), 'day');
}

/** Where the catalogue of a server stands. */
export function cataloguePath(cacheDir: string, origin: string): string {
  const host = new URL(origin).host.toLowerCase().replaceAll(/[^a-z0-9.-]+/g, '_');
  return join(cacheDir, 'tcia', host, NAME);
}

const text = v.string();
const texts = v.array(v.string());
const maybe = v.nullable(v.string());
const count = v.nullable(v.number());
const ids = v.array(v.number());

const CatalogueSchema = v.object({
  format: v.literal(FORMAT),
  origin: text,
  fetchedAt: v.pipe(v.string(), v.isoTimestamp()),
  collections: v.array(
    v.object({
      id: v.number(),
      kind: v.picklist(['collection', 'analysis-result']),
      slug: text,
      name: text,
      title: text,
      doi: maybe,
      version: maybe,
      updated: maybe,
      status: maybe,
      subjects: count,
      species: texts,
      cancerTypes: texts,
      cancerLocations: texts,
      dataTypes: texts,
      supportingData: texts,
      programs: texts,
      licenses: texts,
      access: v.picklist(['public', 'controlled', 'mixed']),
      summary: maybe,
      collections: texts,
      downloads: ids,
      versions: ids,
      citations: ids,
      page: text,
      hidden: v.boolean(),
    }),
  ),
  downloads: v.array(
    v.object({
      id: v.number(),
      title: text,
      kind: v.picklist(TCIA_DOWNLOAD_KINDS),
      url: maybe,
      media: count,
      search: maybe,
      license: maybe,
      access: v.picklist(['public', 'controlled']),
      requirements: maybe,
      size: count,
      counts: v.object({ subjects: count, studies: count, series: count, images: count }),
      types: texts,
      dataTypes: texts,
      fileTypes: texts,
      updated: maybe,
      version: maybe,
      description: maybe,
    }),
  ),
  versions: v.array(v.object({ id: v.number(), number: maybe, date: maybe, text: maybe })),
  citations: v.array(v.object({ id: v.number(), type: maybe, text, doi: maybe })),
});

interface Kept {
  catalogue: TciaCatalogue | undefined;
  touchedMs: number;
  problem?: string | undefined;
}

/** What is on disk; a file that cannot be used counts as none and is told of. */
async function readKept(path: string): Promise<Kept | undefined> {
  let content: string;
  let touchedMs: number;
  try {
    [content, { mtimeMs: touchedMs }] = [await readFile(path, 'utf8'), await stat(path)];
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw new CarrelError('permission', `the catalogue of TCIA cannot be read: ${path}`, {
      item: path,
      next: 'remove the file, or name another folder with --cache-dir',
      cause: error,
    });
  }
  try {
    const { format: _, ...catalogue } = v.parse(CatalogueSchema, JSON.parse(content));
    return { catalogue, touchedMs };
  } catch {
    const problem =
      'the catalogue on disk could not be used (damaged, or of another version) and was fetched anew';
    return { catalogue: undefined, touchedMs, problem };
  }
}

async function writeKept(path: string, catalogue: TciaCatalogue, now: Date): Promise<void> {
  const folder = join(path, '..');
  const part = join(folder, `.${NAME}.${process.pid}-${Math.random().toString(36).slice(2, 10)}.part`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700).catch(() => undefined);
    await sweepParts(folder, now);
    const file = await open(part, 'wx', 0o600);
    try {
      await file.writeFile(`${JSON.stringify({ format: FORMAT, ...catalogue })}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, path);
  } catch (cause) {
    await rm(part, { force: true }).catch(() => undefined);
    const full = ['ENOSPC', 'EDQUOT'].includes((cause as NodeJS.ErrnoException).code ?? '');
    throw new CarrelError(full ? 'no-space' : 'permission', `the catalogue of TCIA cannot be kept: ${path}`, {
      item: path,
      next: full ? 'make room' : 'name a folder that you may write to with --cache-dir',
      cause,
    });
  }
}

async function sweepParts(folder: string, now: Date): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.endsWith('.part')) continue;
    const path = join(folder, name);
    const written = await stat(path).catch(() => undefined);
    if (written !== undefined && now.getTime() - written.mtimeMs > HOUR_MS) await rm(path, { force: true });
  }
}
