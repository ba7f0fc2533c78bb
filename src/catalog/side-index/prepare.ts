/** Making the side index of installed tables, beside them, whoever else does the same. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Archive } from '../../archives/index.ts';
import { type ChosenTables, openTablesOf } from '../choose-tables.ts';
import { hostTag, isAlive } from '../layout.ts';
import { openEngine } from '../open-engine.ts';
import { bucketColumnsOf } from '../open-tables.ts';
import { isSideIndexName, sideKey } from './side-key.ts';
import { writeSideIndex } from './write-side-index.ts';

/** Begins the names of files that are not finished. */
const UNFINISHED = '.side-index-';

/** True where these tables can have one: they answer for their own release. */
export function canHaveSideIndex(chosen: ChosenTables): boolean {
  return chosen.release === chosen.tablesRelease;
}

/** Path and key of the side index of these tables. */
export function sideIndexOf(archive: Archive, chosen: ChosenTables): { path: string; key: string } {
  const { key, name } = sideKey(chosen, Object.keys(bucketColumnsOf(archive)));
  return { path: join(chosen.folder, name), key };
}

/** True where side indexes stand beside the tables and none is this one: another version of this program made them. */
export async function isSideIndexOld(archive: Archive, chosen: ChosenTables): Promise<boolean> {
  const own = sideIndexOf(archive, chosen).path;
  const found = (await readdir(chosen.folder).catch(() => [])).filter(isSideIndexName);
  return found.length > 0 && !found.some((name) => join(chosen.folder, name) === own);
}

/**
 * Makes the side index where there is none. Two processes may do so at once: each writes a file of its own, and the
 * later rename replaces a file by its equal. Answers with the path, or undefined where these tables cannot have one.
 */
export async function prepareSideIndex(options: {
  archive: Archive;
  chosen: ChosenTables;
  /** Makes it again where there is one. */
  again?: boolean | undefined;
  signal?: AbortSignal | undefined;
}): Promise<string | undefined> {
  const { archive, chosen, signal } = options;
  if (!canHaveSideIndex(chosen)) return undefined;
  const { path, key } = sideIndexOf(archive, chosen);
  if (options.again !== true && (await stat(path).catch(() => undefined)) !== undefined) return path;
  const { engine, relations } = await openEngine({ archive, signal }, chosen);
  try {
    const tables = openTablesOf(archive, chosen, relations);
    const own = `${hostTag()}-${process.pid}-${Math.random().toString(36).slice(2, 10)}`;
    const temporary = join(chosen.folder, `${UNFINISHED}${own}`);
    await engine.session(
      (session) => writeSideIndex({ session, tables, key, path, temporary, signal }),
      signal,
    );
    await sweep(chosen.folder, path);
    return path;
  } finally {
    engine.close();
  }
}

/** Removes side indexes of other tables than these, and what killed processes left. An open file stays readable. */
async function sweep(folder: string, path: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const [, host, pid] = /^\.side-index-([0-9a-z]+)-(\d+)-/.exec(name) ?? [];
    const left = host === hostTag() && pid !== undefined && !isAlive(Number(pid));
    const old = isSideIndexName(name) && join(folder, name) !== path;
    if (left || old) await rm(join(folder, name), { force: true }).catch(() => undefined);
  }
}
