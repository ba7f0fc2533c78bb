import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FileDigests } from './file-digests.ts';

/** What is known of one content of one file. */
export interface KnownDigests extends FileDigests {
  path: string;
  size: number;
  mtimeNs: bigint;
}

/** Digests on disk, so that a server that starts again need not read terabytes again. */
export interface DigestJournal {
  /** All lines that can be read; later ones win. */
  load(): Promise<Map<string, KnownDigests>>;
  /** Written in the background. */
  add(known: KnownDigests): void;
  /** Resolves when all that was added is on disk. */
  settled(): Promise<void>;
}

/**
 * One JSON line per digest, only ever appended to. It is a cache: lines that cannot be read are passed over, and
 * where the file itself cannot be read or written (permissions, disk full) the server goes on without it.
 */
export function createDigestJournal(file: string): DigestJournal {
  let lines: string[] = [];
  let writing: Promise<void> = Promise.resolve();
  let isBroken = false;

  const flush = async () => {
    const text = lines.join('');
    lines = [];
    if (text === '' || isBroken) return;
    try {
      await mkdir(dirname(file), { recursive: true });
      await appendFile(file, text);
    } catch {
      isBroken = true;
    }
  };

  return {
    async load() {
      const known = new Map<string, KnownDigests>();
      let text: string;
      try {
        text = await readFile(file, 'utf8');
      } catch {
        return known;
      }
      for (const line of text.split('\n')) {
        const entry = parseLine(line);
        if (entry !== undefined) known.set(entry.path, entry);
      }
      return known;
    },
    add({ path, size, mtimeNs, md5, crc32c }) {
      lines.push(`${JSON.stringify({ path, size, mtimeNs: String(mtimeNs), md5, crc32c })}\n`);
      if (lines.length === 1) writing = writing.then(flush);
    },
    settled: () => writing,
  };
}

function parseLine(line: string): KnownDigests | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const { path, size, mtimeNs, md5, crc32c } = (value ?? {}) as Record<string, unknown>;
  const isWhole =
    typeof path === 'string' &&
    typeof size === 'number' &&
    typeof mtimeNs === 'string' &&
    /^\d+$/.test(mtimeNs) &&
    typeof md5 === 'string' &&
    /^[0-9a-f]{32}$/.test(md5) &&
    typeof crc32c === 'string' &&
    /^[0-9a-f]{8}$/.test(crc32c);
  return isWhole ? { path, size, mtimeNs: BigInt(mtimeNs), md5, crc32c } : undefined;
}
