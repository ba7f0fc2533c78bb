/** ZIP archives of strangers, unpacked so that nothing stands outside of the folder and nothing damaged under its name. */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { abortError, CarrelError, isCarrelError } from '../../errors.ts';
import { checkLocals, createFilesBelow, type GrowingFile } from './files-below.ts';
import { openZip, type ZipArchive, type ZipEntry } from './zip-entries.ts';

/** A file that was unpacked: its CRC-32 was that of the archive. */
export interface UnpackedFile {
  /** In the archive. */
  name: string;
  /** Below the folder, with `/`. */
  local: string;
  bytes: number;
  /** MD5, 32 hexadecimal digits in lower case. */
  digest: string;
}

/** How an archive is unpacked. */
export interface UnpackOptions {
  /** Where an entry goes: a path below `folder` with `/`, or undefined for one that is left out. Not called for folders. */
  nameOf: (entryName: string) => string | undefined;
  /** Exists. Files of the same name are replaced. */
  folder: string;
  /** Most bytes that all files that are wanted may have together. */
  maxBytes: number;
  /** Most entries of the archive, wanted or not. */
  maxEntries: number;
  /** Most times that an entry may shrink; default 1100, since deflate reaches 1032 at most. */
  maxRatio?: number | undefined;
  /** Called for each file when it stands there whole. */
  onFile?: ((file: UnpackedFile) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Unpacks a ZIP archive. The whole directory is judged before a byte is written; a file appears under its name when
 * its length and CRC-32 were right.
 *
 * @returns the files, in the order of the archive's directory
 * @throws CarrelError `unsafe` for traversal, absolute names, control characters, links and devices, two entries of one
 *   name, entries that overlap, and more than the limits; `verification` (retryable) for an archive that is cut short or
 *   damaged, with the files before it in place; `unsupported` for encryption and for methods other than store and deflate;
 *   `no-space`, `permission`, `interrupted`
 */
export async function unpackZip(
  zipPath: string,
  options: UnpackOptions,
): Promise<{ entries: UnpackedFile[] }> {
  const { folder, signal, onFile } = options;
  const zip = await openZip(zipPath, { maxEntries: options.maxEntries, maxRatio: options.maxRatio ?? 1100 });
  try {
    const wanted = zip.entries.flatMap((entry) => {
      const local = entry.isFolder ? undefined : options.nameOf(entry.name);
      return local === undefined ? [] : [{ entry, local }];
    });
    checkLocals(wanted.map(({ local }) => local));
    const total = wanted.reduce((sum, { entry }) => sum + entry.size, 0);
    if (total > options.maxBytes) {
      throw new CarrelError('unsafe', `${zipPath} would unpack to ${total} bytes, which is too much here`, {
        item: zipPath,
        next: `at most ${options.maxBytes} bytes were expected; the archive may be a ZIP bomb`,
      });
    }
    const files = createFilesBelow(folder);
    const unpacked: UnpackedFile[] = [];
    for (const { entry, local } of wanted) {
      if (signal?.aborted === true) throw abortError(signal);
      const file = await files.begin(local);
      try {
        const digest = await unpackOne(zip, entry, file, zipPath, signal);
        await file.finish();
        const done: UnpackedFile = { name: entry.name, local, bytes: entry.size, digest };
        unpacked.push(done);
        onFile?.(done);
      } finally {
        await file.discard();
      }
    }
    return { entries: unpacked };
  } finally {
    zip.close();
  }
}

/** Writes one entry; answers with its MD5. */
async function unpackOne(
  zip: ZipArchive,
  entry: ZipEntry,
  file: GrowingFile,
  zipPath: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const md5 = createHash('md5');
  let crc = 0;
  let bytes = 0;
  let stream: Readable | undefined;
  try {
    stream = await zip.read(entry);
    for await (const piece of stream) {
      const chunk = piece as Uint8Array;
      if (signal?.aborted === true) throw abortError(signal);
      bytes += chunk.length;
      // The library holds this too; a bomb is worth two locks.
      if (bytes > entry.size) break;
      crc = crc32(chunk, crc);
      md5.update(chunk);
      await file.write(chunk);
    }
  } catch (cause) {
    if (isCarrelError(cause)) throw cause;
    throw damaged(zipPath, entry.name, (cause as Error).message, cause);
  } finally {
    stream?.destroy();
  }
  if (bytes !== entry.size)
    throw damaged(zipPath, entry.name, `it has other than the announced ${entry.size} bytes`);
  if (crc !== entry.crc32) throw damaged(zipPath, entry.name, 'its CRC-32 is not that of the archive');
  return md5.digest('hex');
}

function damaged(zipPath: string, name: string, reason: string, cause?: unknown): CarrelError {
  return new CarrelError('verification', `${JSON.stringify(name)} in ${zipPath} is damaged: ${reason}`, {
    item: name,
    next: 'fetch it again',
    retryable: true,
    cause,
  });
}
