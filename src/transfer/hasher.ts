/**
 * Digests of bytes on their way and of files on disk.
 *
 * Each algorithm is an object with `update` and `hex`; the rest of the room does not know how it is computed, so a
 * faster one (several MD5 streams in the lanes of WebAssembly SIMD, or a worker) can take its place.
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { abortError } from '../errors.ts';
import type { Digest, DigestAlgorithm } from '../identifiers/index.ts';
import { createCrc32c } from '../stores/index.ts';
import { diskError } from './disk-error.ts';

/** Algorithms from the strongest evidence to the weakest. */
export const STRONGEST_FIRST: readonly DigestAlgorithm[] = ['sha256', 'md5', 'crc32c'];

/** Bytes read at once from a file. */
const READ_BYTES = 1 << 20;

/** Several digests of one sequence of bytes. */
export interface Hasher {
  readonly algorithms: ReadonlySet<DigestAlgorithm>;
  update(chunk: Uint8Array): void;
  /** Ends the computation; strongest first. May be asked for again. */
  digests(): Promise<Digest[]>;
}

/** A hasher for these algorithms; with none, it does nothing. */
export function createHasher(algorithms: Iterable<DigestAlgorithm>): Hasher {
  const wanted = new Set(algorithms);
  const parts = STRONGEST_FIRST.filter((name) => wanted.has(name)).map((name) => ({
    name,
    ...createPart(name),
  }));
  let ended: Promise<Digest[]> | undefined;
  return {
    algorithms: wanted,
    update(chunk) {
      for (const part of parts) part.update(chunk);
    },
    digests: () => {
      ended ??= Promise.all(parts.map(async (part): Promise<Digest> => `${part.name}:${await part.hex()}`));
      return ended;
    },
  };
}

/**
 * Digests of a file on disk, in one pass.
 *
 * @param options.length only so many bytes from the start.
 * @throws CarrelError `not-found`, `permission` or `internal` from the disk, `interrupted` after an abort.
 */
export async function hashFile(
  path: string,
  algorithms: Iterable<DigestAlgorithm>,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<{ bytes: number; digests: Digest[] }> {
  const hasher = createHasher(algorithms);
  const bytes = await readInto(hasher, path, options);
  return { bytes, digests: await hasher.digests() };
}

/** Feeds a file to a hasher; resolves with the bytes read. */
export async function readInto(
  hasher: Hasher,
  path: string,
  options: { length?: number | undefined; signal?: AbortSignal | undefined } = {},
): Promise<number> {
  const { signal } = options;
  const length = options.length ?? Number.POSITIVE_INFINITY;
  try {
    const file = await open(path, 'r');
    try {
      const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, Math.max(1, length)));
      let position = 0;
      while (position < length) {
        if (signal?.aborted) throw abortError(signal);
        const { bytesRead } = await file.read(
          buffer,
          0,
          Math.min(buffer.length, length - position),
          position,
        );
        if (bytesRead === 0) break;
        hasher.update(buffer.subarray(0, bytesRead));
        position += bytesRead;
      }
      return position;
    } finally {
      await file.close();
    }
  } catch (error) {
    throw diskError(error, path);
  }
}

function createPart(name: DigestAlgorithm): {
  update(chunk: Uint8Array): void;
  hex(): string | Promise<string>;
} {
  if (name === 'crc32c') {
    const crc = createCrc32c();
    return { update: (chunk) => crc.update(chunk), hex: () => crc.digest() };
  }
  const hash = createHash(name);
  return { update: (chunk) => void hash.update(chunk), hex: () => hash.digest('hex') };
}
