/** The published tables of the public archive, for tests that hold the catalogue against them. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { builtInArchive } from '../../src/archives/index.ts';
import { type InstalledCatalog, installCatalog, listCatalogs } from '../../src/catalog/index.ts';
import { unpackWheel } from '../e2e/unpack-wheel.ts';
import { oncePerRun } from '../fixtures/once-per-run.ts';

/** Version that the facts in these tests are of. */
export const VERSION = '25.0.5';

/**
 * Path of the wheel `idc-index-data`: `CARREL_TEST_WHEEL`, else a cached download, else `pip download`. Undefined with a
 * reason where none can be had.
 */
export async function realWheel(): Promise<{ path?: string; reason: string }> {
  const named = process.env['CARREL_TEST_WHEEL'];
  if (named !== undefined && named !== '') {
    return existsSync(named)
      ? { path: named, reason: '' }
      : { reason: `CARREL_TEST_WHEEL names no file: ${named}` };
  }
  const folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'carrel-tests');
  const path = join(folder, `idc_index_data-${VERSION}-py3-none-any.whl`);
  if (existsSync(path)) return { path, reason: '' };
  try {
    await mkdir(folder, { recursive: true });
    await promisify(execFile)(
      'pip',
      ['download', '--no-deps', '--quiet', '--dest', folder, `idc-index-data==${VERSION}`],
      { timeout: 170_000 },
    );
    return existsSync(path) ? { path, reason: '' } : { reason: 'pip downloaded another file' };
  } catch (error) {
    return { reason: `pip download failed: ${(error as Error).message.split('\n')[0]}` };
  }
}

/** A cache folder with the wheel installed, made once for all test files that only ask it, and what installing it answered. */
export async function installedWheel(
  path: string,
): Promise<{ cacheDir: string; installed: InstalledCatalog }> {
  const cacheDir = await oncePerRun('installed-wheel', async (folder) => {
    const installed = await installCatalog({
      archive: builtInArchive('idc'),
      cacheDir: folder,
      sources: [path],
    });
    await writeFile(join(folder, 'installed.json'), JSON.stringify(installed));
  });
  const installed = JSON.parse(await readFile(join(cacheDir, 'installed.json'), 'utf8')) as InstalledCatalog;
  return { cacheDir, installed };
}

/** A folder with the Parquet files of the wheel side by side, unpacked once for all test files that only read them. */
export function unpackedWheel(path: string): Promise<string> {
  return oncePerRun('unpacked-wheel', (folder) => unpackWheel(path, folder));
}

/** Versions of earlier releases that tests are held against, by release. */
export const EARLIER = {
  17: '17.0.2',
  18: '18.2.0',
  19: '19.0.3',
  20: '20.0.3',
  21: '21.0.0',
  22: '22.1.5',
  23: '23.10.1',
  24: '24.2.2',
} as const;

/**
 * Wheels of all releases from v17 to v25, by release: those in the folder `CARREL_TEST_WHEELS` (they are 500 MB, so they
 * are not downloaded here) and `realWheel()`. Undefined with a reason where one is missing.
 */
export async function allWheels(): Promise<{ paths?: ReadonlyMap<number, string>; reason: string }> {
  const folder = process.env['CARREL_TEST_WHEELS'];
  if (folder === undefined || folder === '')
    return { reason: 'CARREL_TEST_WHEELS names no folder with the wheels idc-index-data 17.0.2 to 24.2.2' };
  const paths = new Map<number, string>();
  for (const [release, version] of Object.entries(EARLIER)) {
    const path = join(folder, `idc_index_data-${version}-py3-none-any.whl`);
    if (!existsSync(path)) return { reason: `${path} is missing` };
    paths.set(Number(release), path);
  }
  const current = await realWheel();
  if (current.path === undefined) return { reason: current.reason };
  paths.set(25, current.path);
  return { paths, reason: '' };
}

/**
 * A cache folder with all these wheels installed: `CARREL_TEST_RELEASES`, else one beside the cached wheels. It is kept, for
 * installing nine releases with their side indexes takes minutes; only what is missing is installed.
 */
export async function installedReleases(paths: ReadonlyMap<number, string>): Promise<string> {
  const named = process.env['CARREL_TEST_RELEASES'];
  const cacheDir =
    named !== undefined && named !== ''
      ? named
      : join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'carrel-tests', 'releases');
  const archive = builtInArchive('idc');
  const installed = await listCatalogs({ cacheDir, archive: archive.name });
  const there = new Set(
    installed.filter(({ problem }) => problem === undefined).map(({ release }) => release),
  );
  for (const [release, path] of paths)
    if (!there.has(`v${release}`)) await installCatalog({ archive, cacheDir, sources: [path] });
  return cacheDir;
}
