/**
 * Words for completion: names of columns and tables, and the values of columns that have few. A small JSON file beside the
 * tables, written while they are installed, so that a shell's Tab never waits for the SQL engine. Nothing here loads it.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { archiveFolder, newestFirst } from '../layout.ts';

/** What completion can offer of one installed version. */
export interface CompletionWords {
  carrel_completion: 1;
  version: string;
  /** `v25`. */
  release: string;
  /** Oldest first. */
  releases: string[];
  tables: string[];
  /** Columns of `index`. */
  columns: string[];
  /** Column → its distinct values in the newest release, sorted; only columns with few. */
  values: Record<string, string[]>;
}

/** Beginning of the names of such files. */
export const WORDS_PREFIX = 'completion-';

/** Form of the file; a new one makes old files unseen. */
const FORM = 1;

/** Name of the file for these tables: other tables, another name. */
export function wordsName(tables: readonly { name: string; files: readonly { sha256: string }[] }[]): string {
  const digests = tables.map(({ name, files }) => [name, files.map(({ sha256 }) => sha256)]);
  const key = createHash('sha256')
    .update(JSON.stringify([FORM, digests]))
    .digest('hex');
  return `${WORDS_PREFIX}${key.slice(0, 16)}.json`;
}

/**
 * The words of the newest installed version, or of the release named; undefined where none is installed or where it was
 * installed before there were such files. A damaged file is as if it were not there.
 */
export async function readCompletionWords(options: {
  cacheDir: string;
  archive: string;
  release?: string | undefined;
}): Promise<{ words: CompletionWords | undefined; versions: string[] }> {
  const { cacheDir, archive, release } = options;
  let root: string;
  try {
    root = archiveFolder(cacheDir, archive);
  } catch {
    return { words: undefined, versions: [] };
  }
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  const versions = entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .sort(newestFirst);
  let newest: CompletionWords | undefined;
  for (const version of versions) {
    const words = await wordsIn(join(root, version));
    newest ??= words;
    if (words !== undefined && (release === undefined || words.release === release))
      return { words, versions };
    if (release === undefined) break;
  }
  return { words: newest, versions };
}

async function wordsIn(folder: string): Promise<CompletionWords | undefined> {
  try {
    const content = JSON.parse(await readFile(join(folder, 'catalog.json'), 'utf8')) as {
      tables: Parameters<typeof wordsName>[0];
    };
    const words: unknown = JSON.parse(await readFile(join(folder, wordsName(content.tables)), 'utf8'));
    return isWords(words) ? words : undefined;
  } catch {
    return undefined;
  }
}

function isWords(value: unknown): value is CompletionWords {
  if (typeof value !== 'object' || value === null) return false;
  const words = value as Record<string, unknown>;
  const lists = [words['releases'], words['tables'], words['columns']];
  return (
    words['carrel_completion'] === 1 &&
    typeof words['release'] === 'string' &&
    typeof words['values'] === 'object' &&
    words['values'] !== null &&
    lists.every((list) => Array.isArray(list) && list.every((item) => typeof item === 'string'))
  );
}
