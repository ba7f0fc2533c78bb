import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { createCrc32c } from '../../stores/index.ts';
import type { StoredFile } from './bucket-tree.ts';
import { createDigestJournal } from './digest-journal.ts';

/** Digests of a whole file, in lower-case hex. */
export interface FileDigests {
  md5: string;
  crc32c: string;
}

/** Digests of a file, computed at most once per content. */
export type DigestFile = (file: StoredFile) => Promise<FileDigests>;

const CHUNK = 1024 * 1024;
/** Files read at once; hashing itself has one thread. */
const PARALLEL = 4;
/** The oldest ones are forgotten beyond this many: about 100 MB. */
const KEPT_FILES = 300_000;

/** Options of `createDigestCache`. */
export interface DigestCacheOptions {
  /** File that digests are kept in over restarts, one JSON line each; default: memory only. */
  journal?: string | undefined;
}

interface Entry {
  size: number;
  mtimeNs: bigint;
  digests: FileDigests | Promise<FileDigests>;
}

/**
 * Digests by path, size and time stamp: the first request for a file reads it once (MD5 runs at about 0.5 GB/s),
 * later ones cost nothing. A file that is replaced gets new digests. Share one instance between servers over the
 * same folder.
 */
export function createDigestCache(options: DigestCacheOptions = {}): DigestFile {
  const known = new Map<string, Entry>();
  const journal = options.journal === undefined ? undefined : createDigestJournal(options.journal);
  let loaded: Promise<void> | undefined;
  const inTurn = createTurns(PARALLEL);

  const keep = (path: string, entry: Entry) => {
    if (known.size >= KEPT_FILES) known.delete(known.keys().next().value ?? '');
    known.set(path, entry);
  };
  const load = async () => {
    for (const [path, { size, mtimeNs, md5, crc32c }] of (await journal?.load()) ?? []) {
      keep(path, { size, mtimeNs, digests: { md5, crc32c } });
    }
  };
  const compute = async ({ path, size, mtimeNs }: StoredFile) => {
    const digests = await inTurn(() => digestFile(path, size));
    journal?.add({ path, size, mtimeNs, ...digests });
    return digests;
  };

  return async (file) => {
    loaded ??= load();
    await loaded;
    const { path, size, mtimeNs } = file;
    const entry = known.get(path);
    if (entry !== undefined && entry.size === size && entry.mtimeNs === mtimeNs) return entry.digests;
    const digests = compute(file);
    keep(path, { size, mtimeNs, digests });
    digests.catch(() => known.delete(path));
    return digests;
  };
}

/** Runs at most `limit` tasks at once, in the order in which they came. */
function createTurns(limit: number): <T>(task: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (task) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}

async function digestFile(path: string, size: number): Promise<FileDigests> {
  const md5 = createHash('md5');
  const crc32c = createCrc32c();
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK, size));
    for (let left = size; left > 0; ) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, left));
      if (bytesRead === 0) throw new Error(`${path} became shorter while it was read`);
      left -= bytesRead;
      const chunk = buffer.subarray(0, bytesRead);
      md5.update(chunk);
      crc32c.update(chunk);
    }
  } finally {
    await file.close();
  }
  return { md5: md5.digest('hex'), crc32c: crc32c.digest() };
}

/** Hex to base64: the form of `x-goog-hash` and `x-amz-checksum-crc32c` (big-endian bytes). */
export function hexToBase64(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}
