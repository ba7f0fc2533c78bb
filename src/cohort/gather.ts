/**
 * From the words of the command line to identifiers: manifests and stdin are read here, lock files set aside.
 */
import { readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { CarrelError, isCarrelError } from '../errors.ts';
import { type Identifier, parseIdentifier } from '../identifiers/index.ts';
import {
  inspectManifest,
  type LockFile,
  type ManifestFormat,
  type ManifestPointer,
  readManifest,
} from '../manifests/index.ts';
import { followPointers } from './follow-pointers.ts';
import type { CohortNote, Question, Unresolved } from './question.ts';
import { LOCK_NAME } from './write-lock.ts';

/** One thing to look for. */
export interface Wanted {
  identifier: Identifier;
  /** Other names of the same row, tried where the first leads nowhere or is ambiguous. */
  others: Identifier[];
  /** `argument`, or `file.txt:12`. */
  origin: string;
  /** Mirror that a manifest's header names. */
  endpointHint?: string | undefined;
  /** Endpoint that the line itself names. */
  endpoint?: string | undefined;
  /** Format of the manifest that it stands in. */
  manifest?: ManifestFormat | undefined;
}

/** All that was asked, still unresolved. */
export interface Gathered {
  wanted: Wanted[];
  locks: { lock: LockFile; origin: string }[];
  /** JSON of compound objects that lie on this disk. */
  compounds: { json: unknown; origin: string }[];
  notes: CohortNote[];
  unresolved: Unresolved[];
}

/** Largest manifest that is read. */
const MAX_MANIFEST_BYTES = 512 * 1024 * 1024;

/** How words are read. */
export interface GatherOptions {
  /** Folder that relative paths are seen from. */
  cwd: string;
  /** Fetches a manifest that another one names; without it those are not followed. */
  fetchManifest?: ((url: string) => Promise<Uint8Array>) | undefined;
}

/** Reads every word; a word that is an existing file is a manifest unless `as` says otherwise. */
export async function gather(question: Question, options: GatherOptions): Promise<Gathered> {
  const gathered: Gathered = { wanted: [], locks: [], compounds: [], notes: [], unresolved: [] };
  for (const word of question.what) {
    try {
      await gatherWord(word, question, options, gathered);
    } catch (error) {
      if (!isCarrelError(error) || question.what.length === 1) throw error;
      gathered.unresolved.push({ item: word, origin: 'argument', error });
    }
  }
  return gathered;
}

async function gatherWord(
  word: string,
  question: Question,
  options: GatherOptions,
  gathered: Gathered,
): Promise<void> {
  const { cwd } = options;
  const follow = (pointers: readonly ManifestPointer[], from: string): Promise<void> =>
    followPointers(pointers, from, gathered, {
      fetchManifest: options.fetchManifest,
      read: (bytes, name) => readText(bytes, name, name, gathered),
    });
  const read = async (bytes: Uint8Array, from: string, name: string): Promise<void> => {
    const pointers = readText(bytes, from, name, gathered);
    await follow(pointers, name);
  };
  const path = resolve(cwd, word.replace(/^file:\/\//, '').replace(/^~(?=\/)/, process.env['HOME'] ?? '~'));
  const plain = question.as === undefined || question.as === 'path';
  if (plain && word !== '-' && (await isFile(path))) {
    await read(await readFile(path), path, basename(path));
    return;
  }
  const identifier = parseIdentifier(word, { as: question.as });
  for (const message of identifier.warnings) gathered.notes.push({ item: word, message });
  if (identifier.kind === 'stdin') {
    if (question.readStdin === undefined)
      throw new CarrelError('usage', 'there is no stdin to read', { item: '-' });
    await read(await question.readStdin(), '-', '-');
  } else if (identifier.kind === 'path' && (await isFile(join(path, LOCK_NAME)))) {
    // A folder that was filled stands for what its lock file pins.
    await read(await readFile(join(path, LOCK_NAME)), join(path, LOCK_NAME), LOCK_NAME);
  } else if (identifier.kind === 'path') {
    throw new CarrelError('not-found', `there is no file ${word}`, {
      item: word,
      next: (await isFolder(path))
        ? 'that is a folder; name the manifest or lock file in it'
        : 'check the path',
    });
  } else if (plain && isManifestUrl(identifier)) {
    // The file itself is what `carrel cp` gets.
    gathered.notes.push({ item: word, message: 'read as a manifest: what it names is fetched' });
    const pointer = { line: 0, text: word, url: word };
    await follow([pointer], 'argument');
  } else gathered.wanted.push({ identifier, others: [], origin: 'argument' });
}

/** The address of a `.tcia` on the web, as the pages of TCIA link them. */
function isManifestUrl(identifier: Identifier): boolean {
  return (
    identifier.kind === 'object-url' &&
    identifier.scheme === 'https' &&
    /\.tcia(?:[?#]|$)/i.test(identifier.key)
  );
}

/** Reads a manifest into `gathered`; answers with the further manifests that it names. */
function readText(
  bytes: Uint8Array,
  path: string,
  name: string,
  gathered: Gathered,
): readonly ManifestPointer[] {
  if (bytes.byteLength > MAX_MANIFEST_BYTES) {
    throw new CarrelError('bad-input', `${name} has ${bytes.byteLength} bytes, too many for a manifest`, {
      item: path,
      next: 'split it',
    });
  }
  const { format, lock, json } = inspectManifest(bytes, path);
  if (lock !== undefined) gathered.locks.push({ lock, origin: path });
  if (format === 'compound-object') gathered.compounds.push({ json, origin: path });
  if (format === 'lock' || format === 'compound-object') return [];
  const manifest = readManifest(bytes, { origin: path });
  for (const note of manifest.notes) gathered.notes.push({ item: name, message: note });
  for (const { line, text, reason } of manifest.problems) {
    const item = text.slice(0, 80);
    gathered.unresolved.push({
      item,
      origin: `${name}:${line}`,
      error: new CarrelError('bad-input', `${name}:${line}: ${reason}`, {
        item,
        next: 'correct the line, or leave it out',
      }),
    });
  }
  for (const entry of manifest.entries) {
    gathered.wanted.push({
      identifier: entry.identifier,
      others: entry.others ?? [],
      origin: `${name}:${entry.line}`,
      endpointHint: manifest.endpointHint,
      endpoint: entry.endpoint,
      manifest: manifest.format,
    });
  }
  return manifest.pointers ?? [];
}

async function isFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
