/**
 * Digests of bytes on their way and of files on disk.
 *
 * MD5, which costs more than everything else together, is computed for many files side by side where the caller has
 * lanes for it (`md5/`); the rest of the room does not know how a digest is computed.
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { abortError } from '../../errors.ts';
import type { Digest, DigestAlgorithm } from '../../identifiers/index.ts';
import { createCrc32c } from '../../stores/index.ts';
import { diskError } from '../disk-error.ts';
import { createCrc64Nvme } from './crc64nvme.ts';
import type { Md5Lanes, Slab } from './md5/md5-lanes.ts';
import { createMultipartMd5, parseMultipartEtag, partSizesFor } from './multipart-etag.ts';

/** Algorithms from the strongest evidence to the weakest. */
export const STRONGEST_FIRST: readonly DigestAlgorithm[] = ['sha256', 'md5', 's3etag', 'crc64nvme', 'crc32c'];

/** Sizes of parts that are tried for one ETag: each costs an MD5 of everything. */
const ETAG_TRIES = 4;

/** Bytes read at once from a file. */
const READ_BYTES = 1 << 20;

/** Bytes read at once at least: a file that is longer than expected is not read byte by byte. */
const LEAST_READ_BYTES = 1 << 12;

/** Several digests of one sequence of bytes. */
export interface Hasher {
  readonly algorithms: ReadonlySet<DigestAlgorithm>;
  update(chunk: Uint8Array): void;
  /** A promise to be waited for before the next `update`, where too much waits already. */
  behind(): Promise<void> | undefined;
  /**
   * Takes the first bytes of a slab of its lanes, without a copy, and again when there are more of them; in place of `update`. The
   * slab must stay until the digests are there.
   */
  updateSlab(slab: Slab, length: number): void;
  /** Ends the computation; strongest first. May be asked for again. */
  digests(): Promise<Digest[]>;
  /** Gives up what was not ended. */
  abandon(): void;
}

/** What a hasher may be told. */
export interface HasherOptions {
  /** Where MD5s are computed; default `node:crypto`. */
  lanes?: Md5Lanes | undefined;
  /** What the bytes are expected to be: only with it can an `s3etag` be found, which does not tell the size of parts. */
  expected?: { size: number | undefined; digests: readonly Digest[] } | undefined;
}

/**
 * A hasher for these algorithms; with none, it does nothing. An `s3etag` is among the digests only where it is the one
 * that is expected.
 */
export function createHasher(algorithms: Iterable<DigestAlgorithm>, options: HasherOptions = {}): Hasher {
  const wanted = new Set(algorithms);
  const parts = STRONGEST_FIRST.filter((name) => wanted.has(name)).map((name) => ({
    name,
    ...createPart(name, options),
  }));
  let ended: Promise<Digest[]> | undefined;
  return {
    algorithms: wanted,
    update(chunk) {
      for (const part of parts) part.update(chunk);
    },
    behind: () => parts.find((part) => part.behind !== undefined)?.behind?.(),
    updateSlab(slab, length) {
      for (const part of parts) part.updateSlab(slab, length);
    },
    digests: () => {
      ended ??= Promise.all(
        parts.map(async ({ name, hex }): Promise<Digest[]> => {
          const value = await hex();
          return value === undefined ? [] : [`${name}:${value}`];
        }),
      ).then((lists) => lists.flat());
      return ended;
    },
    abandon() {
      if (ended === undefined) for (const part of parts) part.abandon();
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
  options: HasherOptions & { signal?: AbortSignal | undefined } = {},
): Promise<{ bytes: number; digests: Digest[] }> {
  const hasher = createHasher(algorithms, options);
  try {
    const bytes = await readInto(hasher, path, { ...options, about: options.expected?.size });
    return { bytes, digests: await hasher.digests() };
  } finally {
    hasher.abandon();
  }
}

/** Feeds a file to a hasher; resolves with the bytes read. */
export async function readInto(
  hasher: Pick<Hasher, 'update'>,
  path: string,
  options: {
    length?: number | undefined;
    /** What the file is expected to hold: no more memory is taken than that needs. It may hold more. */
    about?: number | undefined;
    signal?: AbortSignal | undefined;
  } = {},
): Promise<number> {
  const { signal } = options;
  const length = options.length ?? Number.POSITIVE_INFINITY;
  const room = Math.min(READ_BYTES, length, options.about ?? READ_BYTES);
  try {
    const file = await open(path, 'r');
    try {
      const buffer = Buffer.allocUnsafe(Math.max(LEAST_READ_BYTES, room));
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

/** One digest under way. */
interface Part {
  update(chunk: Uint8Array): void;
  behind?(): Promise<void> | undefined;
  /** All bytes so far, which lie in a slab of the lanes. */
  updateSlab(slab: Slab, length: number): void;
  /** Undefined where it cannot be told. */
  hex: () => string | undefined | Promise<string | undefined>;
  /** Frees what it holds, if it was not ended. */
  abandon(): void;
}

function createPart(name: DigestAlgorithm, { lanes, expected }: HasherOptions): Part {
  if (name === 's3etag') return createEtagPart(lanes, expected);
  if (name === 'md5' && lanes !== undefined) {
    const stream = lanes.open();
    return {
      update: (chunk) => stream.update(chunk),
      behind: () => stream.behind(),
      updateSlab: (slab, length) => stream.updateSlab(slab, length),
      hex: () => stream.digest(),
      abandon: () => stream.abandon(),
    };
  }
  return { ...piecewise(createPlainPart(name)), abandon() {} };
}

/** Bytes of a slab are taken in pieces of at least so many: a call for each read would cost more than the digest. */
const PIECE_BYTES = 64 << 10;

/** Adds slabs to what takes chunks. */
function piecewise<T>(plain: {
  update(chunk: Uint8Array): void;
  hex(): T;
}): Pick<Part, 'update' | 'updateSlab'> & { hex(): T } {
  let slab: Slab | undefined;
  let [there, taken] = [0, 0];
  const take = () => {
    if (slab !== undefined && there > taken) plain.update(slab.view.subarray(taken, there));
    taken = there;
  };
  return {
    update: (chunk) => plain.update(chunk),
    updateSlab(from, length) {
      slab = from;
      there = length;
      if (there - taken >= PIECE_BYTES) take();
    },
    hex() {
      take();
      return plain.hex();
    },
  };
}

/** The ETag that is expected, if any of the likely sizes of parts gives it. */
function createEtagPart(lanes: Md5Lanes | undefined, expected: HasherOptions['expected']): Part {
  const etags = (expected?.digests ?? []).flatMap((digest) =>
    digest.startsWith('s3etag:') ? [digest.slice('s3etag:'.length)] : [],
  );
  const size = expected?.size;
  const sizes = etags.flatMap((etag) => {
    const parts = parseMultipartEtag(etag)?.parts;
    return parts === undefined || size === undefined ? [] : partSizesFor({ parts, size, limit: ETAG_TRIES });
  });
  const md5 = createMultipartMd5([...new Set(sizes)], {
    open: lanes === undefined ? undefined : () => lanes.open(),
  });
  const pieces = piecewise({
    update: (chunk) => md5.update(chunk),
    async hex() {
      const found = await md5.etags();
      return etags.find((etag) => found.some((one) => one.etag === etag));
    },
  });
  return { ...pieces, abandon: () => md5.abandon() };
}

function createPlainPart(name: Exclude<DigestAlgorithm, 's3etag'>): {
  update(chunk: Uint8Array): void;
  hex(): string;
} {
  if (name === 'crc32c' || name === 'crc64nvme') {
    const crc = name === 'crc32c' ? createCrc32c() : createCrc64Nvme();
    return { update: (chunk) => crc.update(chunk), hex: () => crc.digest() };
  }
  const hash = createHash(name);
  return { update: (chunk) => void hash.update(chunk), hex: () => hash.digest('hex') };
}
