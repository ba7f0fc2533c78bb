/**
 * A small file on its way: in memory until it is whole and proven, then written at once. Its digests are computed as it
 * comes, while its bytes are still in the cache, MD5 together with other files and in place. It lies in the memory of the
 * lanes where that has room: memory that is used again costs no page faults, which would be as dear as the digest.
 */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Digest, DigestAlgorithm } from '../../identifiers/index.ts';
import { createHasher, type HasherOptions } from '../digests/hasher.ts';
import type { Md5Lanes, Slab } from '../digests/md5/md5-lanes.ts';
import { systemCode } from '../disk-error.ts';

/** The bytes so far of a file whose size is known. */
export interface SmallBody {
  /** Bytes that it has room for. */
  readonly total: number;
  /** Its memory from byte `from` on, to be written to directly. */
  room(from: number): Uint8Array;
  /** Copies a chunk to its place. */
  write(chunk: Uint8Array, at: number): void;
  /** Which digests are wanted; those of an earlier call are begun again with the first `length` bytes. */
  hash(algorithms: Iterable<DigestAlgorithm>, length: number, expected?: HasherOptions['expected']): void;
  /** The first `length` bytes are there, for good. */
  landed(length: number): void;
  /** Digests of what landed. They are final: nothing may be written after this. */
  digests(): Promise<Digest[]>;
  /** Shows the first `length` bytes. */
  read(length: number, look: (bytes: Uint8Array) => void): void;
  /** Writes the first `length` bytes to `file`, whose folder is made if it is missing. */
  writeTo(file: string, length: number): void;
  /** Gives the memory back. */
  release(): void;
}

/** Room for `total` bytes. */
export function createSmallBody(total: number, lanes?: Md5Lanes): SmallBody {
  return bodyIn(lanes?.allocate(total), total, lanes);
}

/** The same for a larger file, which can go to the disk as it comes: only where the lanes have room to spare. */
export function createSpareBody(total: number, lanes: Md5Lanes | undefined): SmallBody | undefined {
  const slab = lanes?.allocateSpare(total);
  return slab === undefined ? undefined : bodyIn(slab, total, lanes);
}

function bodyIn(slab: Slab | undefined, total: number, lanes: Md5Lanes | undefined): SmallBody {
  const view = slab?.view ?? Buffer.allocUnsafe(total);
  let hasher = createHasher([]);
  /** False where bytes are given to it as chunks: a slab is hashed in place once. */
  let inPlace = slab !== undefined;
  let landed = 0;
  const take = (length: number): void => {
    if (inPlace && slab !== undefined) hasher.updateSlab(slab, length);
    else hasher.update(view.subarray(landed, length));
    landed = length;
  };
  return {
    total,
    room: (from) => view.subarray(from),
    write: (chunk, at) => view.set(chunk, at),
    hash(algorithms, length, expected) {
      if (landed > 0) inPlace = false;
      hasher.abandon();
      hasher = createHasher(algorithms, { lanes, expected });
      landed = 0;
      if (length > 0) take(length);
    },
    landed: take,
    digests: () => hasher.digests(),
    read: (length, look) => look(view.subarray(0, length)),
    writeTo: (file, length) => writeWhole(file, view.subarray(0, length)),
    release() {
      hasher.abandon();
      slab?.release();
    },
  };
}

/**
 * Synchronously: a hop through the thread pool for each of open, write and close costs as much processor time as all
 * three, and the thread has nothing better to do than to write what it has received.
 */
function writeWhole(file: string, bytes: Uint8Array): void {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'w');
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    mkdirSync(dirname(file), { recursive: true });
    descriptor = openSync(file, 'w');
  }
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at, bytes.length - at);
  } finally {
    closeSync(descriptor);
  }
}
