/** What stands in a folder that holds packages, by whatever tool it came. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { abortError, CarrelError } from '../../errors.ts';
import { STATE_FOLDER } from '../../transfer/index.ts';

/** Folders that are read at once. */
const READS_AT_ONCE = 16;

/** What ascp leaves beside a file that it has not finished: its bytes so far, and where it stopped. */
const UNFINISHED = /\.(?:partial\.aspera-ckpt|aspera-ckpt|partial|aspx)$/;

/** Files that Carrel itself keeps in a destination. */
const OWN = /^carrel\.(?:lock|receipts)(?:\.[\w.-]+)?\.jsonl?$/;

/**
 * Files below a folder, with `/`, sorted. Links to files are files; links to folders are not followed, since they may lead
 * round in a circle. The state, lock files and receipts of Carrel are left out.
 *
 * @throws CarrelError `not-found` where there is no such folder, `permission`, `interrupted` after an abort
 */
export async function listLocalFiles(
  directory: string,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<string[]> {
  const { signal } = options;
  const files: string[] = [];
  let folders = [''];
  while (folders.length > 0) {
    if (signal?.aborted) throw abortError(signal);
    const now = folders.splice(-READS_AT_ONCE);
    const found = await Promise.all(now.map((folder) => readFolder(directory, folder)));
    for (const one of found) {
      files.push(...one.files);
      folders = folders.concat(one.folders);
    }
  }
  return files.sort();
}

async function readFolder(
  directory: string,
  folder: string,
): Promise<{ files: string[]; folders: string[] }> {
  const files: string[] = [];
  const folders: string[] = [];
  const entries = await readdir(join(directory, folder), { withFileTypes: true }).catch(
    (cause: NodeJS.ErrnoException) => {
      const missing = cause.code === 'ENOENT' || cause.code === 'ENOTDIR';
      throw new CarrelError(
        missing ? 'not-found' : 'permission',
        missing
          ? `there is no folder ${join(directory, folder)}`
          : `cannot read ${join(directory, folder)}: ${cause.message}`,
        { item: join(directory, folder), next: 'name a folder that you may read', cause },
      );
    },
  );
  for (const entry of entries) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (folder === '' && (entry.name === STATE_FOLDER || OWN.test(entry.name))) continue;
    if (entry.isDirectory()) folders.push(path);
    else if (entry.isFile()) files.push(path);
    else if (entry.isSymbolicLink()) {
      const target = await stat(join(directory, path)).catch(() => undefined);
      if (target?.isFile() === true) files.push(path);
    }
  }
  return { files, folders };
}

/** The file that a leftover of ascp would have become; undefined for any other name. */
export function finishedName(path: string): string | undefined {
  return UNFINISHED.test(path) ? path.replace(UNFINISHED, '') : undefined;
}

/** True for a list of checksums by its name. Lists do not list themselves, nor each other. */
export function isSumsName(path: string): boolean {
  return /\.sums$/i.test(path);
}
