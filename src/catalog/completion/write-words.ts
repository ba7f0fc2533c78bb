/** Making the words for completion of installed tables. */
import { randomUUID } from 'node:crypto';
import { readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Archive } from '../../archives/index.ts';
import type { ChosenTables } from '../choose-tables.ts';
import { quoted, type Session } from '../engine.ts';
import { openEngine } from '../open-engine.ts';
import { type CompletionWords, WORDS_PREFIX, wordsName } from './words-file.ts';

/** Columns with more values than these are not offered: nobody reads such a list. */
const MOST_VALUES = 2_000;
/** Longer values are texts, not words. */
const MOST_LETTERS = 120;

/**
 * Writes the words where they are missing. Two processes may do so at once: each writes a file of its own, and the later
 * rename replaces a file by its equal.
 */
export async function prepareWords(options: {
  archive: Archive;
  chosen: ChosenTables;
  /** Makes them again where there are some. */
  again?: boolean | undefined;
  signal?: AbortSignal | undefined;
}): Promise<void> {
  const { archive, chosen, signal } = options;
  const name = wordsName(chosen.content.tables);
  const path = join(chosen.folder, name);
  if (options.again !== true && (await stat(path).catch(() => undefined)) !== undefined) return;
  const { engine, relations } = await openEngine({ archive, signal }, chosen);
  try {
    const values = await engine.session(
      (session) => valuesOf(session, relations.columns, relations.types),
      signal,
    );
    const prefix = archive.catalog.releasePrefix;
    const words: CompletionWords = {
      carrel_completion: 1,
      version: chosen.content.version,
      release: chosen.content.release,
      releases: Array.from({ length: chosen.tablesRelease }, (_, at) => `${prefix}${at + 1}`),
      tables: chosen.content.tables.map((table) => table.name),
      columns: relations.columns,
      values,
    };
    const temporary = join(chosen.folder, `.${name}-${randomUUID()}`);
    try {
      await writeFile(temporary, JSON.stringify(words));
      await rename(temporary, path);
    } finally {
      await rm(temporary, { force: true });
    }
    for (const other of await readdir(chosen.folder))
      if (other.startsWith(WORDS_PREFIX) && other !== name)
        await rm(join(chosen.folder, other), { force: true });
  } finally {
    engine.close();
  }
}

/** One pass tells which columns have few values, another reads those. */
async function valuesOf(
  session: Session,
  columns: readonly string[],
  types: Readonly<Record<string, string>>,
): Promise<Record<string, string[]>> {
  const texts = columns.filter((column) => types[column] === 'VARCHAR');
  if (texts.length === 0) return {};
  const counts = texts.map((column, at) => `approx_count_distinct(${quoted(column)}) AS n${at}`);
  const [row] = await session.rows(`SELECT ${counts.join(', ')} FROM "index"`);
  const values: Record<string, string[]> = {};
  for (const [at, column] of texts.entries()) {
    // The count is about right, to a few per cent.
    if (Number(row?.[`n${at}`] ?? 0) > MOST_VALUES * 1.2) continue;
    const name = quoted(column);
    const found = await session.rows(
      `SELECT DISTINCT ${name} AS value FROM "index" WHERE ${name} <> '' ORDER BY 1 LIMIT ${MOST_VALUES + 1}`,
    );
    if (found.length > MOST_VALUES) continue;
    const words = found.map(({ value }) => String(value));
    values[column] = words.filter((word) => word.length <= MOST_LETTERS && isPrintable(word));
  }
  return values;
}

/** A line break or a tab has a meaning of its own between shell and command. */
function isPrintable(word: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return !/[\u0000-\u001f\u007f-\u009f\ufffd]/.test(word);
}
