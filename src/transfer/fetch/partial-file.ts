/**
 * A file that is not complete yet. Nothing of it ever stands under the final name.
 *
 * Small files stay in memory until they are whole and verified: one write instead of many, and nothing to clean up.
 * Larger ones go to `partial/<id>` in blocks, beside a record `<id>.json` of what they are a part of, so that the
 * next run can go on where this one stopped. Digests are computed on the way.
 */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CarrelError } from '../../errors.ts';
import type { Digest, DigestAlgorithm } from '../../identifiers/index.ts';
import { createHasher, type Hasher, readInto } from '../digests/hasher.ts';
import type { Md5Lanes } from '../digests/md5/md5-lanes.ts';
import { createMultipartMd5 } from '../digests/multipart-etag.ts';
import { onDisk } from '../disk-error.ts';
import { algorithmsOf } from '../evidence.ts';
import type { PlannedFile } from '../plan.ts';
import { createBlockFile } from './block-file.ts';
import { whenFilesAreFree } from './out-of-files.ts';
import { type Origin, readPartialRecord, writePartialRecord } from './partial-record.ts';
import { createSmallBody, createSpareBody, type SmallBody } from './small-body.ts';

/** Files up to this size are held in memory until they are whole. */
export const SMALL_BYTES = 1 << 20;

/** Larger ones too, up to this size, while there is memory to spare. */
const SPARE_BYTES = 4 << 20;

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
  /**
   * Where the rest of a small file belongs: memory as long as what is missing. What is written to it counts from `landed` on.
   * Undefined for files that do not lie in memory.
   */
  room(): Uint8Array | undefined;
  /** So many bytes more stand in the room. */
  landed(count: number): void;
  /** Adds bytes. Without a promise they were copied; a promise asks to wait, and to leave them alone until then. */
  write(chunk: Uint8Array): Promise<void> | undefined;
  /** Digests of all bytes; ends the computation. */
  digests(): Promise<Digest[]>;
  /** The ETag that these bytes would have if they had been uploaded in parts of this size. */
  etagFor(partSize: number, signal: AbortSignal): Promise<string | undefined>;
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
  /** A small file as a whole; the bytes of others go to `blocks`. */
  let small: SmallBody | undefined;
  const blocks = createBlockFile(file, planned.path);
  let wanted = new Set<DigestAlgorithm>();
  /** A file of ours may be on disk; a record beside it. */
  let touched = false;
  let recorded = false;

  const expectedOf = (from: Origin | undefined) => ({
    size: from?.total ?? planned.size,
    digests: [...planned.digests, ...(from?.replied ?? [])],
  });
  const hasherOptions = (from: Origin) => ({ lanes, expected: expectedOf(from) });
  const openForWriting = async (flags: 'w' | 'r+') => {
    touched = true;
    await whenFilesAreFree(() => blocks.open(flags, length));
  };
  const writeRecord = async (from: Origin) => {
    recorded = true;
    await whenFilesAreFree(() => writePartialRecord(record, planned, from));
  };
  const release = () => {
    small?.release();
    small = undefined;
    hasher.abandon();
  };
  const forget = () => {
    origin = undefined;
    length = 0;
    blocks.forget();
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
      const running = createHasher(algorithmsOf(planned.digests, left.replied), hasherOptions(left));
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
      await blocks.close();
      forget();
      origin = from;
      wanted = algorithms;
      if (from.total !== undefined && from.total <= SPARE_BYTES) {
        const isSmall = from.total <= SMALL_BYTES;
        small = isSmall ? createSmallBody(from.total, lanes) : createSpareBody(from.total, lanes);
        small?.hash(algorithms, 0, expectedOf(from));
        if (small !== undefined) return;
      }
      hasher = createHasher(algorithms, hasherOptions(from));
      // Emptied first, recorded second: a record never stands beside bytes of another object.
      await onDisk(file, async () => {
        await openForWriting('w');
        await writeRecord(from);
      });
    },
    async resume(from, algorithms, signal) {
      const more = [...algorithms].some((algorithm) => !wanted.has(algorithm));
      wanted = new Set([...wanted, ...algorithms]);
      if (small !== undefined && more) small.hash(wanted, length, expectedOf(from));
      if (small === undefined) {
        await blocks.flush();
        if (!blocks.isOpen) await onDisk(file, () => openForWriting('r+'));
        if (![...algorithms].every((algorithm) => hasher.algorithms.has(algorithm))) {
          hasher.abandon();
          hasher = createHasher(new Set([...hasher.algorithms, ...algorithms]), hasherOptions(from));
          await readInto(hasher, file, { length, signal });
        }
      }
      const elsewhere = origin?.source !== from.source;
      if (elsewhere) pieced = true;
      if (elsewhere && small === undefined) await onDisk(file, () => writeRecord(from));
      origin = from;
    },
    room: () => small?.room(length),
    landed(count) {
      length += count;
      small?.landed(length);
    },
    write(chunk) {
      const total = small?.total ?? origin?.total;
      if (total !== undefined && length + chunk.length > total) throw tooLong(planned.path, total);
      const at = length;
      length += chunk.length;
      if (small === undefined) {
        hasher.update(chunk);
        const behind = hasher.behind();
        const written = blocks.write(chunk);
        return behind === undefined ? written : Promise.all([behind, written]).then(() => {});
      }
      small.write(chunk, at);
      small.landed(length);
      return undefined;
    },
    digests: () => (small ?? hasher).digests(),
    async etagFor(partSize, signal) {
      const md5 = createMultipartMd5([partSize], {
        open: lanes === undefined ? undefined : () => lanes.open(),
      });
      if (small !== undefined) small.read(length, (bytes) => md5.update(bytes));
      else {
        await blocks.flush();
        await readInto(md5, file, { length, signal });
      }
      return (await md5.etags())[0]?.etag;
    },
    complete: () =>
      onDisk(file, async () => {
        const whole = small;
        if (whole !== undefined) await whenFilesAreFree(() => whole.writeTo(file, length));
        else {
          await blocks.flush();
          if (!blocks.isOpen) await openForWriting('r+');
          await blocks.close();
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
            touched = true;
            // Emptied first, recorded second, as in `begin`.
            small.writeTo(file, 0);
            await writeRecord(from);
            small.writeTo(file, length);
          } else if (small === undefined && blocks.isOpen) await blocks.flush();
        });
      } finally {
        release();
        await blocks.close();
      }
    },
    async discard() {
      await blocks.close();
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
