/**
 * A file that is not complete yet. Nothing of it ever stands under the final name.
 *
 * Small files stay in memory until they are whole and verified: one write instead of many, and nothing to clean up.
 * Larger ones go to `partial/<id>` in blocks, beside a record `<id>.json` of what they are a part of, so that the
 * next run can go on where this one stopped. Digests are computed on the way.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { CarrelError } from '../errors.ts';
import { type Digest, type DigestAlgorithm, isDigest } from '../identifiers/index.ts';
import { onDisk } from './disk-error.ts';
import { algorithmsOf } from './evidence.ts';
import { createHasher, type Hasher, readInto } from './hasher.ts';
import type { PlannedFile } from './plan.ts';

/** Files up to this size are held in memory until they are whole. */
export const SMALL_BYTES = 1 << 20;

/** Bytes gathered before a write of a larger file. */
const BLOCK_BYTES = 1 << 20;

/** Less than this is fetched again rather than kept for the next run. */
const WORTH_KEEPING_BYTES = 64 << 10;

/** Which object the bytes so far belong to. */
export interface Origin {
  /** Mirror, place and key as one text. */
  source: string;
  /** What `ifMatch` takes; undefined where nothing pins the object. */
  pin: string | undefined;
  /** Bytes of the whole object, where announced. */
  total: number | undefined;
  /** Digests of the whole object that the reply vouched for. */
  replied: Digest[];
}

const digest = v.custom<Digest>((value) => typeof value === 'string' && isDigest(value));
const sidecarShape = v.object({
  version: v.literal(1),
  path: v.string(),
  planned: v.array(digest),
  source: v.string(),
  pin: v.optional(v.string()),
  total: v.optional(v.number()),
  replied: v.array(digest),
});

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
  /** Adds bytes; where a promise is returned, they are needed until it settles. */
  write(chunk: Uint8Array): Promise<void> | undefined;
  /** Digests of all bytes; ends the computation. */
  digests(): Digest[];
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
export function createPartialFile(folder: string, planned: PlannedFile): PartialFile {
  const file = join(folder, partialId(planned.path));
  const sidecar = `${file}.json`;
  let origin: Origin | undefined;
  let hasher: Hasher = createHasher([]);
  let length = 0;
  let pieced = false;
  let memory: Buffer | undefined;
  let handle: FileHandle | undefined;
  let block: Buffer | undefined;
  let blockLength = 0;
  /** A file or a record of ours may be on disk. */
  let touched = false;
  let recorded = false;

  const close = async () => {
    const open = handle;
    handle = undefined;
    await open?.close();
  };
  const writeAll = async (bytes: Buffer, position: number) => {
    const target = handle;
    if (target === undefined)
      throw new CarrelError('internal', `${planned.path}: the partial file is not open`);
    for (let at = 0; at < bytes.length; ) {
      at += (await target.write(bytes, at, bytes.length - at, position + at)).bytesWritten;
    }
  };
  const flush = async () => {
    if (block === undefined || blockLength === 0) return;
    const bytes = block.subarray(0, blockLength);
    await onDisk(file, () => writeAll(bytes, length - blockLength));
    blockLength = 0;
  };
  const fill = async (chunk: Uint8Array) => {
    let rest = chunk;
    while (rest.length > 0) {
      block ??= Buffer.allocUnsafeSlow(BLOCK_BYTES);
      const piece = rest.subarray(0, block.length - blockLength);
      block.set(piece, blockLength);
      blockLength += piece.length;
      length += piece.length;
      rest = rest.subarray(piece.length);
      if (blockLength === block.length) await flush();
    }
  };
  const openForWriting = async (flags: 'w' | 'r+') => {
    try {
      handle = await open(file, flags);
    } catch {
      await mkdir(dirname(file), { recursive: true });
      handle = await open(file, flags);
    }
    touched = true;
  };
  const writeSidecar = async (from: Origin) => {
    const record: v.InferInput<typeof sidecarShape> = {
      version: 1,
      path: planned.path,
      planned: planned.digests,
      ...from,
    };
    await writeFile(`${sidecar}.new`, JSON.stringify(record));
    await rename(`${sidecar}.new`, sidecar);
    recorded = true;
  };
  const forget = () => {
    origin = undefined;
    length = 0;
    blockLength = 0;
    memory = undefined;
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
      const record = await readSidecar(sidecar);
      if (record === undefined || record.path !== planned.path || !isCovered(record, planned)) return;
      const running = createHasher(algorithmsOf(planned.digests, record.replied));
      const limit = record.total ?? planned.size;
      try {
        length = await readInto(running, file, { signal });
      } catch (error) {
        if (signal.aborted) throw error;
        length = 0;
      }
      if (length === 0 || (limit !== undefined && length > limit)) {
        forget();
        return;
      }
      hasher = running;
      const { source, pin, total, replied } = record;
      origin = { source, pin, total, replied };
      pieced = true;
    },
    async begin(from, algorithms) {
      forget();
      await close();
      origin = from;
      hasher = createHasher(algorithms);
      if (from.total !== undefined && from.total <= SMALL_BYTES) {
        memory = Buffer.allocUnsafe(from.total);
        return;
      }
      // Emptied first, recorded second: a record never stands beside bytes of another object.
      await onDisk(file, async () => {
        await openForWriting('w');
        await writeSidecar(from);
      });
    },
    async resume(from, algorithms, signal) {
      await flush();
      if (memory === undefined && handle === undefined) await onDisk(file, () => openForWriting('r+'));
      if (![...algorithms].every((algorithm) => hasher.algorithms.has(algorithm))) {
        hasher = createHasher(new Set([...hasher.algorithms, ...algorithms]));
        if (memory === undefined) await readInto(hasher, file, { length, signal });
        else hasher.update(memory.subarray(0, length));
      }
      const moved = origin?.source !== from.source;
      if (moved) pieced = true;
      if (moved && memory === undefined) await onDisk(file, () => writeSidecar(from));
      origin = from;
    },
    write(chunk) {
      hasher.update(chunk);
      if (memory !== undefined) {
        if (length + chunk.length > memory.length) throw tooLong(planned.path, memory.length);
        memory.set(chunk, length);
        length += chunk.length;
        return undefined;
      }
      if (block !== undefined && chunk.length < block.length - blockLength) {
        block.set(chunk, blockLength);
        blockLength += chunk.length;
        length += chunk.length;
        return undefined;
      }
      return fill(chunk);
    },
    digests: () => hasher.digests(),
    complete: () =>
      onDisk(file, async () => {
        if (memory === undefined) await flush();
        if (handle === undefined) await openForWriting(memory === undefined ? 'r+' : 'w');
        if (memory !== undefined) await writeAll(memory.subarray(0, length), 0);
        const { mtimeNs, size } = await statOf(handle);
        await close();
        if (size !== BigInt(length)) {
          throw new CarrelError('internal', `${file}: ${size} bytes on disk instead of ${length}`, {
            item: file,
          });
        }
        return { file, bytes: length, mtimeNs };
      }),
    async moved() {
      if (recorded) await rm(sidecar, { force: true });
      forget();
      touched = false;
      recorded = false;
    },
    async keep() {
      const from = origin;
      if (from === undefined) return;
      await onDisk(file, async () => {
        if (memory !== undefined && length >= WORTH_KEEPING_BYTES) {
          await openForWriting('w');
          await writeSidecar(from);
          await writeAll(memory.subarray(0, length), 0);
        }
        if (memory === undefined && handle !== undefined) await flush();
        await close();
      });
    },
    async discard() {
      forget();
      await close();
      if (!touched) return;
      touched = false;
      recorded = false;
      await rm(sidecar, { force: true });
      await rm(file, { force: true });
    },
  };
}

/** Bytes of an earlier run are used only where a digest of the whole proves them in the end. */
function isCovered(record: v.InferOutput<typeof sidecarShape>, planned: PlannedFile): boolean {
  if (planned.size !== undefined && record.total !== undefined && planned.size !== record.total) return false;
  if (planned.digests.length > 0) {
    return [...planned.digests].sort().join() === [...record.planned].sort().join();
  }
  return record.pin !== undefined && record.replied.length > 0;
}

async function readSidecar(sidecar: string): Promise<v.InferOutput<typeof sidecarShape> | undefined> {
  try {
    return v.parse(sidecarShape, JSON.parse(await readFile(sidecar, 'utf8')));
  } catch {
    return undefined;
  }
}

async function statOf(handle: FileHandle | undefined): Promise<{ mtimeNs: bigint; size: bigint }> {
  if (handle === undefined) throw new CarrelError('internal', 'the partial file is not open');
  return await handle.stat({ bigint: true });
}

function tooLong(path: string, size: number): CarrelError {
  return new CarrelError(
    'network',
    `${path}: the server sent more than the ${size} bytes that it announced`,
    {
      item: path,
      retryable: true,
    },
  );
}
