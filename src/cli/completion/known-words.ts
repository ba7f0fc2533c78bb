/** What is known of the archive that a half-typed command line is about, from small files alone. */
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { builtInArchiveNames, builtInRecord } from '../../archives/index.ts';
import { type CompletionWords, readCompletionWords } from '../../catalog/index.ts';
import { createRun } from '../command.ts';
import { textOf } from '../settings.ts';
import type { Terminal } from '../terminal.ts';

/** Words of the catalogue and of the archive's record. */
export interface Known extends Omit<CompletionWords, 'carrel_completion' | 'version' | 'release'> {
  /** Installed versions, newest first. */
  versions: string[];
  mirrors: string[];
  /** Tables that the record names, installed or not, and those installed. */
  archiveTables: string[];
}

/** A record as far as it is needed here. */
interface Outline {
  name: string;
  mirrors: { name: string }[];
  tables: { name: string }[];
}

/** Reads them; the flags `--archive`, `--cache-dir` and `--release` of the line count. */
export async function knownWords(words: readonly string[], terminal: Terminal): Promise<Known> {
  const flag = (name: string) => {
    // The last word is still being typed.
    const at = words.lastIndexOf(name, -3);
    return at === -1 ? undefined : words[at + 1];
  };
  const flags = {
    archive: flag('--archive'),
    cacheDir: flag('--cache-dir'),
    config: words.includes('--no-config') ? false : undefined,
  };
  const { settings } = createRun(terminal, [], flags, new AbortController().signal);
  const cacheDir = resolve(terminal.cwd, textOf(settings, 'cache_dir'));
  const outline = await outlineOf(textOf(settings, 'archive'), cacheDir, terminal.cwd);
  const { words: found, versions } = await readCompletionWords({
    cacheDir,
    archive: outline.name,
    release: flag('--release'),
  });
  const tables = found?.tables ?? [];
  return {
    releases: [...(found?.releases ?? [])].reverse(),
    tables,
    columns: found?.columns ?? [],
    values: found?.values ?? {},
    versions,
    mirrors: outline.mirrors.map(({ name }) => name),
    archiveTables: [...new Set([...outline.tables.map(({ name }) => name), ...tables])],
  };
}

/** Name, mirrors and tables of an archive; of one behind a URL nothing but its name is guessed. */
async function outlineOf(name: string, cacheDir: string, cwd: string): Promise<Outline> {
  if (builtInArchiveNames.includes(name)) {
    const record = builtInRecord(name);
    return { name, mirrors: record.mirrors, tables: record.catalog?.tables ?? [] };
  }
  try {
    const path = name === 'sample' ? await samplePath(cacheDir) : resolve(cwd, name);
    const record = JSON.parse(await readFile(path, 'utf8')) as Partial<Outline> & {
      catalog?: { tables?: { name: string }[] };
    };
    return {
      name: record.name ?? name,
      mirrors: record.mirrors ?? [],
      tables: record.catalog?.tables ?? [],
    };
  } catch {
    return { name, mirrors: [], tables: [] };
  }
}

/** The record of the sample, where it was made already. */
async function samplePath(cacheDir: string): Promise<string> {
  const folder = join(cacheDir, 'sample');
  const made = (await readdir(folder)).filter((name) => name.startsWith('sample-')).sort();
  return join(folder, made.at(-1) ?? '', 'archive.json');
}
