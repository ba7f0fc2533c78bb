/** Finds and opens lists of checksums. */
import { readdir } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { CarrelError } from '../../errors.ts';
import { isSumsName } from './local-files.ts';
import { OWN_SUMS_NAME } from './own-sums-name.ts';
import { readSums } from './parse-sums.ts';
import type { SumsSource } from './verify-sums.ts';

/** A list, and what it is worth. */
export interface FoundSums extends SumsSource {
  /** `own`: written by Carrel from bytes on this disk; it proves that they have not changed since, no more. */
  evidence: 'sums' | 'own';
}

/**
 * Lists at the root of a folder and of each package below it (`PKG - …`), as absolute paths, sorted. The list that Carrel
 * writes is only among them where there is no other beside it.
 */
export async function findSums(directory: string): Promise<string[]> {
  const root = resolve(directory);
  const entries = await readdir(root, { withFileTypes: true }).catch((cause: unknown) => {
    throw new CarrelError('not-found', `there is no folder ${directory}`, {
      item: directory,
      next: 'name the folder that the package was fetched to',
      cause,
    });
  });
  const packages = entries.filter((entry) => entry.isDirectory() && entry.name.startsWith('PKG - '));
  const folders = [root, ...packages.map(({ name }) => join(root, name))];
  const found = await Promise.all(
    folders.map(async (folder) => {
      const names = (await readdir(folder)).filter(isSumsName);
      const theirs = names.filter((name) => name !== OWN_SUMS_NAME);
      return (theirs.length > 0 ? theirs : names).map((name) => join(folder, name));
    }),
  );
  return found.flat().sort();
}

/**
 * Reads lists and tells where they lie in the folder.
 *
 * @throws CarrelError `not-found`, `permission` or `bad-input` for a list that cannot be read
 */
export async function openSums(
  directory: string,
  paths: readonly string[],
  options: { signal?: AbortSignal | undefined } = {},
): Promise<FoundSums[]> {
  const root = resolve(directory);
  const sources: FoundSums[] = [];
  for (const path of paths) {
    const full = resolve(path);
    const below = relative(root, full);
    const inside = below !== '' && below.split(sep)[0] !== '..' && !isAbsolute(below);
    const at = inside ? dirname(below).split(sep).join('/') : '.';
    sources.push({
      list: await readSums(full, options),
      at: at === '.' ? '' : at,
      self: inside ? below.split(sep).join('/') : undefined,
      evidence: basename(full) === OWN_SUMS_NAME ? 'own' : 'sums',
    });
  }
  return sources;
}
