/**
 * A file that is not complete yet. Nothing of it ever stands under the final name.
 *
 * Small files stay in memory until they are whole and verified: one write instead of many, and nothing to clean up.
 * Larger ones go to `partial/<id>` in blocks, beside a record `<id>.json` of what they are a part of, so that the
 * next run can go on where this one stopped. Digests are computed on the way.
 */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CarrelError } from '../errors.ts';
import type { Digest, DigestAlgorithm } from '../identifiers/index.ts';
import { onDisk } from './disk-error.ts';
import { algorithmsOf } from './evidence.ts';
import { createHasher, type Hasher, readInto } from './hasher.ts';
import type { Md5Lanes } from './md5/md5-lanes.ts';
import { type Origin, readPartialRecord, writePartialRecord } from './partial-record.ts';
import type { PlannedFile } from './plan.ts';
import { createSmallBody, type SmallBody } from './small-body.ts';

/** Files up to this size are held in memory until they are whole. */
export const SMALL_BYTES = 1 << 20;

/** Bytes gathered before a write of a larger file. */
const BLOCK_BYTES = 1 << 20;

/** Less than this is fetched again rather than kept for the next run. */
const WORTH_KEEPING_BYTES = 64 << 10;

/** The bytes so far of one planned file. One attempt at a time uses it. */
export interface PartialFile {
  /** Bytes that can be built upon. */
  readonly length: number;
  /** Undefined while there is nothing. */
  readonly origin: Origin | undefined;
  /** True where some of the bytes come from an earlier run or from another source. */
  readonly pieced: boolean;
  /** Takes over what an earlier run left, as far as a digest of the whole will prove it. */
  inherit(signal: AbortSignal): Promise<void>;
  /** Starts from nothing. */
  begin(origin: Origin, algorithms: Set<DigestAlgorithm>): Promise<void>;
  /** Goes on; the hasher is built again if it lacks an algorithm. */
  resume(origin: Origin, algorithms: Set<DigestAlgorithm>, signal: AbortSignal): Promise<void>;
  /** Adds bytes. They are copied before it returns; a promise asks to wait for the disk. */
  write(chunk: Uint8Array): Promise<void> | undefined;
  /** Digests of all bytes; ends the computation. */
  digests(): Promise<Digest[]>;
  /** Puts everything on disk and closes. The file at `file` is then complete. */
  complete(): Promise<{ file: string; bytes: number; mtimeNs: bigint }>;
  /** Forgets the record after the file got its final name. */
  moved(): Promise<void>;
  /** Keeps the bytes for a later run, if they are worth it. */
  keep(): Promise<void>;
  /** Throws the bytes away. */
  discard(): Promise<void>;
}

/** Name of a file's partial: the same in every run. */
export function partialId(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 32);
}

/** The partial of a planned file in `folder`; touches nothing before the first byte. */
export function createPartialFile(folder: string, planned: PlannedFile, lanes?: Md5Lanes): PartialFile {
  const file = join(folder, partialId(planned.path));
  const record = `${file}.json`;
  let origin: Origin | undefined;
  let hasher: Hasher = createHasher([]);
  let length = 0;
  let pieced = false;
  /** A small file as a whole; else bytes go through `block`, of which `blockLength` are not on disk yet. */
  let small: SmallBody | undefined;
  let wanted = new Set<DigestAlgorithm>();
  let block: Buffer | undefined;
  let blockLength = 0;
  let handle: FileHandle | undefined;
  /** The write under way. An attempt may have been given up while it runs: whoever comes next waits for it. */
  let writing: Promise<void> | undefined;
  /** A file of ours may be on disk; a record beside it. */
  let touched = false;
  let recorded = false;

  const settle = async () => {
    const under = writing;
    writing = undefined;
    await under;
  };
  const close = async () => {
    await settle().catch(() => {});
    const open = handle;
    handle = undefined;
    await open?.close();
  };
  const openForWriting = async (flags: 'w' | 'r+') => {
    touched = true;
    try {
      handle = await open(file, flags);
    } catch {
      await mkdir(dirname(file), { recursive: true });
      handle = await open(file, flags);
    }
  };
  const writeRecord = async (from: Origin) => {
    recorded = true;
    await writePartialRecord(record, planned, from);
  };
  const writeAll = async (bytes: Buffer, position: number) => {
    const target = handle;
    if (target === undefined)
      throw new CarrelError('internal', `${file} is not open`, { item: planned.path });
    for (let at = 0; at < bytes.length; ) {
      at += (await target.write(bytes, at, bytes.length - at, position + at)).bytesWritten;
    }
  };
  const flush = async () => {
    await settle();
    const bytes = block?.subarray(0, blockLength);
    if (bytes === undefined || bytes.length === 0) return;
    await onDisk(file, () => writeAll(bytes, length - bytes.length));
    blockLength = 0;
  };
  /** Takes a chunk that fills the block: all of it is copied now, and the full blocks are written meanwhile. */
  const overflow = (chunk: Uint8Array): Promise<void> => {
    const first = length - blockLength;
    const full: Buffer[] = [];
    for (let rest = chunk; rest.length > 0; ) {
      block ??= Buffer.allocUnsafeSlow(BLOCK_BYTES);
      const piece = rest.subarray(0, block.length - blockLength);
      block.set(piece, blockLength);
      blockLength += piece.length;
      rest = rest.subarray(piece.length);
      if (blockLength < block.length) continue;
      full.push(block);
      block = undefined;
      blockLength = 0;
    }
    length += chunk.length;
    const written = onDisk(file, async () => {
      for (const [index, bytes] of full.entries()) await writeAll(bytes, first + index * BLOCK_BYTES);
      // One of them is used again: two buffers take turns.
      block ??= full[0];
    });
    written.catch(() => {}); // whoever waits for it learns of it
    writing = written;
    return written;
  };
  const release = () => {
    small?.release();
    small = undefined;
    hasher.abandon();
  };
  const forget = () => {
    origin = undefined;
    length = 0;
    blockLength = 0;
    release();
    pieced = false;
  };

  return {
    get length() {
      return length;
    },
    get origin() {
      return origin;
    },
    get pieced() {
      return pieced;
    },
    async inherit(signal) {
      touched = true;
      recorded = true;
      const left = await readPartialRecord(record, planned);
      if (left === undefined) return;
      const running = createHasher(algorithmsOf(planned.digests, left.replied), lanes);
      const bytes = await readInto(running, file, { signal }).catch((error: unknown) => {
        if (!signal.aborted) return 0;
        running.abandon();
        throw error;
      });
      if (bytes === 0 || bytes > (left.total ?? Number.POSITIVE_INFINITY)) {
        running.abandon();
        return;
      }
      hasher = running;
      length = bytes;
      origin = left;
      pieced = true;
    },
    async begin(from, algorithms) {
      await close();
      forget();
      origin = from;
      wanted = algorithms;
      if (from.total !== undefined && from.total <= SMALL_BYTES) {
        small = createSmallBody(from.total, algorithms.has('md5') ? lanes : undefined);
        return;
      }
      hasher = createHasher(algorithms, lanes);
      // Emptied first, recorded second: a record never stands beside bytes of another object.
      await onDisk(file, async () => {
        await openForWriting('w');
        await writeRecord(from);
      });
    },
    async resume(from, algorithms, signal) {
      wanted = new Set([...wanted, ...algorithms]);
      if (small === undefined) {
        await flush();
        if (handle === undefined) await onDisk(file, () => openForWriting('r+'));
        if (![...algorithms].every((algorithm) => hasher.algorithms.has(algorithm))) {
          hasher.abandon();
          hasher = createHasher(new Set([...hasher.algorithms, ...algorithms]), lanes);
          await readInto(hasher, file, { length, signal });
        }
      }
      const elsewhere = origin?.source !== from.source;
      if (elsewhere) pieced = true;
      if (elsewhere && small === undefined) await onDisk(file, () => writeRecord(from));
      origin = from;
    },
    write(chunk) {
      const total = small?.total ?? origin?.total;
      if (total !== undefined && length + chunk.length > total) throw tooLong(planned.path, total);
      if (small !== undefined) {
        small.write(chunk, length);
        length += chunk.length;
        return undefined;
      }
      hasher.update(chunk);
      if (block !== undefined && chunk.length < block.length - blockLength) {
        block.set(chunk, blockLength);
        blockLength += chunk.length;
      } else return overflow(chunk);
      length += chunk.length;
      return undefined;
    },
    digests: () => small?.digests(length, wanted) ?? hasher.digests(),
    complete: () =>
      onDisk(file, async () => {
        if (small !== undefined) small.writeTo(file, length);
        else {
          await flush();
          if (handle === undefined) await openForWriting('r+');
          await close();
        }
        touched = true;
        // Asked for after the close: network file systems may settle the time only then.
        const { mtimeNs, size } = statSync(file, { bigint: true });
        if (size !== BigInt(length)) {
          throw new CarrelError('internal', `${file}: ${size} bytes on disk instead of ${length}`, {
            item: planned.path,
          });
        }
        return { file, bytes: length, mtimeNs };
      }),
    async moved() {
      if (recorded) await rm(record, { force: true });
      forget();
      touched = false;
      recorded = false;
    },
    async keep() {
      const from = origin;
      try {
        await onDisk(file, async () => {
          if (from !== undefined && small !== undefined && length >= WORTH_KEEPING_BYTES) {
            await openForWriting('w');
            await writeRecord(from);
            small.writeTo(file, length);
          } else if (small === undefined && handle !== undefined) await flush();
        });
      } finally {
        release();
        await close();
      }
    },
    async discard() {
      await close();
      forget();
      if (!touched) return;
      touched = false;
      recorded = false;
      await rm(record, { force: true });
      await rm(file, { force: true });
    },
  };
}

function tooLong(path: string, size: number): CarrelError {
  return new CarrelError('network', `${path}: more than the ${size} bytes of the object came`, {
    item: path,
    retryable: true,
  });
}
