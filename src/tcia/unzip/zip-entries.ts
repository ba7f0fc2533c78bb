/** The directory of a ZIP archive, judged before anything is unpacked. */
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import yauzl from 'yauzl';
import { CarrelError, isCarrelError } from '../../errors.ts';

/** An entry that may be unpacked. */
export interface ZipEntry {
  /** Relative, with `/`, without `..` and control characters. */
  name: string;
  isFolder: boolean;
  /** Bytes when unpacked, as announced. */
  size: number;
  crc32: number;
}

/** An open archive. */
export interface ZipArchive {
  entries: readonly ZipEntry[];
  read(entry: ZipEntry): Promise<Readable>;
  close(): void;
}

/** What follows the last entry of a directory (APPNOTE 4.3.13, 4.3.14, 4.3.16). */
const AFTER_DIRECTORY = new Set([0x0605_4b50, 0x0606_4b50, 0x0505_4b50]);

/** Length of a local header without name and extra field, whose lengths only it knows. */
const LOCAL_HEADER = 30;

/** Systems whose entries carry a Unix mode (APPNOTE 4.4.2): Unix and macOS. */
const UNIX = new Set([3, 19]);
const S_IFMT = 0o170000;
const PLAIN_KINDS = new Set([0, 0o100000, 0o040000]);

/**
 * Opens an archive and reads its whole directory.
 *
 * @throws CarrelError `unsafe`, `verification` (retryable: cut short), `unsupported`, `not-found`; see `unpackZip`
 */
export async function openZip(
  path: string,
  limits: { maxEntries: number; maxRatio: number },
): Promise<ZipArchive> {
  const zip = await new Promise<yauzl.ZipFile>((resolve, reject) => {
    yauzl.open(path, { lazyEntries: true, autoClose: false }, (error, opened) =>
      error === null || error === undefined ? resolve(opened) : reject(openError(path, error)),
    );
  });
  try {
    if (zip.entryCount > limits.maxEntries) {
      throw refuse(path, `it has ${zip.entryCount} entries, more than the ${limits.maxEntries} allowed`);
    }
    const found = await readDirectory(zip, path);
    await checkEnd(zip, path);
    checkOverlap(found, path);
    const originals = new Map<ZipEntry, yauzl.Entry>();
    const names = new Set<string>();
    for (const entry of found) {
      check(entry, path, limits.maxRatio);
      const isFolder = entry.fileName.endsWith('/');
      if (names.has(entry.fileName)) throw refuse(path, 'two entries have this name', entry.fileName);
      names.add(entry.fileName);
      const { fileName: name, uncompressedSize: size, crc32 } = entry;
      originals.set({ name, isFolder, size, crc32 }, entry);
    }
    return {
      entries: [...originals.keys()],
      read: (entry) =>
        new Promise((resolve, reject) => {
          const original = originals.get(entry);
          if (original === undefined) throw new Error('an entry of another archive');
          zip.openReadStream(original, (error, stream) =>
            error === null || error === undefined ? resolve(stream) : reject(error),
          );
        }),
      close: () => zip.close(),
    };
  } catch (error) {
    zip.close();
    throw error;
  }
}

function readDirectory(zip: yauzl.ZipFile, path: string): Promise<yauzl.Entry[]> {
  return new Promise((resolve, reject) => {
    const entries: yauzl.Entry[] = [];
    zip.on('entry', (entry: yauzl.Entry) => {
      entries.push(entry);
      zip.readEntry();
    });
    zip.on('end', () => resolve(entries));
    zip.on('error', (error: Error) => reject(openError(path, error)));
    zip.readEntry();
  });
}

/** The end record may count fewer entries than there are; what reads it would drop the rest in silence. */
async function checkEnd(zip: yauzl.ZipFile, path: string): Promise<void> {
  const at = (zip as unknown as { readEntryCursor: number }).readEntryCursor;
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, at);
    if (bytesRead === 4 && AFTER_DIRECTORY.has(buffer.readUInt32LE(0))) return;
  } finally {
    await file.close();
  }
  throw cut(path, 'its directory does not end where it says');
}

/** Entries that share bytes make a bomb of any size out of a small file, within the ratio of each. */
function checkOverlap(entries: readonly yauzl.Entry[], path: string): void {
  const inOrder = entries.toSorted(
    (one, other) => one.relativeOffsetOfLocalHeader - other.relativeOffsetOfLocalHeader,
  );
  let end = 0;
  for (const { relativeOffsetOfLocalHeader: start, compressedSize, fileName } of inOrder) {
    if (start < end) throw refuse(path, 'it shares bytes with another entry', fileName);
    end = start + LOCAL_HEADER + compressedSize;
  }
}

function check(entry: yauzl.Entry, path: string, maxRatio: number): void {
  const { fileName: name, compressedSize, uncompressedSize, compressionMethod } = entry;
  if (/[\p{Cc}\p{Surrogate}]/u.test(name) || name === '')
    throw refuse(path, 'its name holds control characters, or nothing', name);
  if (name.split('/').some((part, at, parts) => part === '.' || (part === '' && at < parts.length - 1)))
    throw refuse(path, 'its name has an empty part', name);
  if (UNIX.has(entry.versionMadeBy >> 8) && !PLAIN_KINDS.has((entry.externalFileAttributes >>> 16) & S_IFMT))
    throw refuse(path, 'it is a link or a device', name);
  if (uncompressedSize > compressedSize * maxRatio)
    throw refuse(path, `it claims to grow from ${compressedSize} to ${uncompressedSize} bytes`, name);
  if (entry.isEncrypted() || (compressionMethod !== 0 && compressionMethod !== 8)) {
    const how = entry.isEncrypted() ? 'it is encrypted' : `it is packed with method ${compressionMethod}`;
    throw new CarrelError('unsupported', `${JSON.stringify(name)} in ${path}: ${how}`, {
      item: name,
      next: 'unpack it with another tool',
    });
  }
}

/** What the library says, told apart: hostile names, and archives that are not whole. */
function openError(path: string, error: unknown): CarrelError {
  if (isCarrelError(error)) return error;
  const { message, code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return new CarrelError('not-found', `${path} does not exist`, { item: path });
  if (/^(?:invalid relative path|absolute path|invalid characters in fileName)/.test(message))
    return refuse(path, message);
  return cut(path, message);
}

function refuse(path: string, reason: string, name?: string): CarrelError {
  const where = name === undefined ? path : `${JSON.stringify(name.slice(0, 200))} in ${path}`;
  return new CarrelError('unsafe', `refused to unpack ${where}: ${reason}`, {
    item: name ?? path,
    next: 'do not unpack this archive; tell whoever made it',
  });
}

function cut(path: string, reason: string): CarrelError {
  return new CarrelError('verification', `${path} is not a whole ZIP archive: ${reason}`, {
    item: path,
    next: 'it was cut short or is damaged: fetch it again',
    retryable: true,
  });
}
