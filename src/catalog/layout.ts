/** Where installed catalogues stand: `<cacheDir>/catalogs/<archive>/<version>/`. */
import { readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Archive } from '../archives/index.ts';
import { CarrelError } from '../errors.ts';

/** Unfinished work stands beside the versions under names that no version can have. */
const INCOMING = '.incoming-';

/** Folder of an archive's catalogues. */
export function archiveFolder(cacheDir: string, archive: string): string {
  return join(cacheDir, 'catalogs', safeName(archive));
}

/** Folder of one version. */
export function versionFolder(cacheDir: string, archive: string, version: string): string {
  return join(archiveFolder(cacheDir, archive), safeName(version));
}

/** A name of a file's part of a path, or `usage`: versions come from files and from the command line. */
function safeName(name: string): string {
  if (/^[0-9A-Za-z][0-9A-Za-z._+-]{0,99}$/.test(name)) return name;
  throw new CarrelError(
    'usage',
    `not a name of an archive or a version: ${JSON.stringify(name.slice(0, 80))}`,
    {
      item: name.slice(0, 80),
      next: 'versions look like 25.0.5',
    },
  );
}

/** A name for a folder of unfinished work that no other process uses. */
export function incomingName(): string {
  return `${INCOMING}${hostTag()}-${process.pid}-${Math.random().toString(36).slice(2, 10)}`;
}

/** Removes what processes of this machine left that were killed in the middle. */
export async function sweepIncoming(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const [, host, pid] = /^\.incoming-([0-9a-z]+)-(\d+)-/.exec(name) ?? [];
    if (host !== hostTag() || pid === undefined || isAlive(Number(pid))) continue;
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** True where a process of that id runs on this machine. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The machine's name in letters and digits: a cache may be shared over a network. */
export function hostTag(): string {
  return (
    hostname()
      .toLowerCase()
      .replaceAll(/[^0-9a-z]/g, '') || 'host'
  );
}

/** Versions by their numbers, newest first; what is no number sorts as text. */
export function newestFirst(a: string, b: string): number {
  return b.localeCompare(a, 'en', { numeric: true });
}

/** The release that a version describes: as the record says, else its first number (`25.0.5` → `v25`). */
export function releaseOf(archive: Archive, version: string): string {
  const known = archive.catalog.versions.find((entry) => entry.version === version);
  return known?.release ?? `${archive.catalog.releasePrefix}${/^\d+/.exec(version)?.[0] ?? version}`;
}

/** `v24`, `24` → 24. Throws `usage` for anything else. */
export function releaseNumber(archive: Archive, release: string): number {
  const prefix = archive.catalog.releasePrefix;
  const text = release.startsWith(prefix) ? release.slice(prefix.length) : release;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new CarrelError('usage', `not a release: ${JSON.stringify(release.slice(0, 80))}`, {
    item: release.slice(0, 80),
    next: `releases look like ${prefix}24; "current" is the newest one`,
  });
}

/** ` --archive …` for a command to be typed; nothing for a built-in archive. */
export function archiveFlag({ origin }: Archive): string {
  if (origin === 'built-in') return '';
  return ` --archive ${/^[\w@%+=:,./-]+$/.test(origin) ? origin : `'${origin.replaceAll("'", "'\\''")}'`}`;
}

/** The two ways to get tables, as commands to be typed. */
export function howToInstall(archive: Archive, version?: string): string {
  const wanted = version ?? archive.catalog.versions[0]?.version;
  const name = archiveFlag(archive);
  const update = `carrel catalog update${name}${version === undefined ? '' : ` --version ${version}`}`;
  const purl = archive.catalog.sources
    .map(({ url }) => /^pkg:pypi\/([^@]+)@/.exec(url)?.[1])
    .find((found) => found !== undefined);
  if (purl === undefined || wanted === undefined) return `${update}, or carrel catalog add${name} FOLDER`;
  const wheel = `${purl.replaceAll('-', '_')}-${wanted}-py3-none-any.whl`;
  return `${update}, or without direct access: pip download --no-deps ${purl}==${wanted} && carrel catalog add${name} ${wheel}`;
}
