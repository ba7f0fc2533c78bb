/**
 * A file that is written from its beginning to its end, in blocks: many small chunks make few writes, and a block is on
 * its way to the disk while the next one fills.
 */
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CarrelError } from '../../errors.ts';
import { onDisk } from '../disk-error.ts';

/** Bytes gathered before a write. */
const BLOCK_BYTES = 1 << 20;

/** A file under way. Its first `length` bytes are those that were given. */
export interface BlockFile {
  /** Bytes given so far; some of them may not be on disk before `flush`. */
  readonly length: number;
  readonly isOpen: boolean;
  /** Opens it: emptied, or to go on behind `length` bytes that are on disk. Its folder is made if it is missing. */
  open(flags: 'w' | 'r+', length: number): Promise<void>;
  /**
   * Adds bytes. Without a promise they were copied; a promise asks to wait for the disk, and to leave them alone until then.
   */
  write(chunk: Uint8Array): Promise<void> | undefined;
  /** Everything that was given is handed to the system. */
  flush(): Promise<void>;
  /** Waits for the write under way, and closes. What was not flushed is lost. */
  close(): Promise<void>;
  /** Forgets everything about bytes; the file stays. */
  forget(): void;
}

/** The file at `path`, not opened. */
export function createBlockFile(path: string, item: string): BlockFile {
  let length = 0;
  /** Of which `filled` bytes are not on disk yet. */
  let block: Buffer | undefined;
  let filled = 0;
  let handle: FileHandle | undefined;
  /** The write under way. An attempt may have been given up while it runs: whoever comes next waits for it. */
  let writing: Promise<void> | undefined;

  const settle = async (): Promise<void> => {
    const under = writing;
    writing = undefined;
    await under;
  };
  const writeAll = async (bytes: Buffer, position: number): Promise<void> => {
    const target = handle;
    if (target === undefined) throw new CarrelError('internal', `${path} is not open`, { item });
    for (let at = 0; at < bytes.length; ) {
      at += (await target.write(bytes, at, bytes.length - at, position + at)).bytesWritten;
    }
  };
  /** Takes a chunk that fills the block: all of it is copied now, and the full blocks are written meanwhile. */
  const overflow = (chunk: Uint8Array): Promise<void> => {
    const first = length - filled;
    const full: Buffer[] = [];
    for (let rest = chunk; rest.length > 0; ) {
      block ??= Buffer.allocUnsafeSlow(BLOCK_BYTES);
      const piece = rest.subarray(0, block.length - filled);
      block.set(piece, filled);
      filled += piece.length;
      rest = rest.subarray(piece.length);
      if (filled < block.length) continue;
      full.push(block);
      block = undefined;
      filled = 0;
    }
    length += chunk.length;
    const written = onDisk(path, async () => {
      for (const [index, bytes] of full.entries()) await writeAll(bytes, first + index * BLOCK_BYTES);
      // One of them is used again: two buffers take turns.
      block ??= full[0];
    });
    written.catch(() => {}); // whoever waits for it learns of it
    writing = written;
    return written;
  };

  /** Takes whole blocks at once, from where they are. */
  const writeThrough = (chunk: Uint8Array): Promise<void> => {
    const first = length;
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    length += chunk.length;
    const written = onDisk(path, () => writeAll(bytes, first));
    written.catch(() => {}); // whoever waits for it learns of it
    writing = written;
    return written;
  };

  return {
    get length() {
      return length;
    },
    get isOpen() {
      return handle !== undefined;
    },
    async open(flags, from) {
      try {
        handle = await open(path, flags);
      } catch {
        await mkdir(dirname(path), { recursive: true });
        handle = await open(path, flags);
      }
      length = from;
    },
    write(chunk) {
      if (filled === 0 && chunk.length >= BLOCK_BYTES) return writeThrough(chunk);
      if (block === undefined || chunk.length >= block.length - filled) return overflow(chunk);
      block.set(chunk, filled);
      filled += chunk.length;
      length += chunk.length;
      return undefined;
    },
    async flush() {
      await settle();
      const bytes = block?.subarray(0, filled);
      if (bytes === undefined || bytes.length === 0) return;
      await onDisk(path, () => writeAll(bytes, length - bytes.length));
      filled = 0;
    },
    async close() {
      await settle().catch(() => {});
      const open = handle;
      handle = undefined;
      await open?.close();
    },
    forget() {
      length = 0;
      filled = 0;
    },
  };
}
