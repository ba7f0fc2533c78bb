/** Tar archives (ustar, pax and GNU names), gzipped or not, under the rules of `unpackZip`. */
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { abortError, CarrelError, isCarrelError } from '../../errors.ts';
import { checkLocals, createFilesBelow, type GrowingFile } from './files-below.ts';
import { type BlockReader, createBlockReader } from './read-blocks.ts';
import { extensionFields, readTarHeader, type TarHeader } from './tar-header.ts';

/** How an archive is unpacked. */
export interface UntarOptions {
  /** Where an entry goes, below `folder`; undefined for one that is left out. Called for files and links. */
  nameOf: (entryName: string) => string | undefined;
  /** Exists. */
  folder: string;
  maxBytes: number;
  maxEntries: number;
  signal?: AbortSignal | undefined;
}

/** What came out. */
export interface UntarResult {
  files: { name: string; local: string; bytes: number; executable: boolean }[];
  /** Symbolic links that were wanted: not made, told. `target` as it stands there, relative to the entry. */
  links: { name: string; local: string; target: string }[];
}

/** Longest extension header: a path, not a book. */
const LONGEST_EXTENSION = 1 << 20;

/** What writers put behind the end, to fill a record. */
const MOST_PADDING = 1 << 22;

/**
 * Unpacks a tar archive in one pass. A file appears under its name when all its bytes came.
 *
 * @throws CarrelError `unsafe` for traversal, absolute names, control characters, devices, names that collide, and more
 *   than the limits; `verification` for an archive that is cut short or damaged; `no-space`, `permission`, `interrupted`
 */
export async function unpackTar(path: string, options: UntarOptions): Promise<UntarResult> {
  const { signal } = options;
  const result: UntarResult = { files: [], links: [] };
  const files = createFilesBelow(options.folder);
  const source = createReadStream(path);
  const stream = /\.t?gz$/i.test(path) ? source.pipe(createGunzip()) : source;
  source.on('error', (error) => stream.destroy(error));
  const blocks = createBlockReader(stream);
  let [entries, total] = [0, 0];
  let extension: { path?: string | undefined; linkpath?: string | undefined; size?: number | undefined } = {};
  try {
    for (;;) {
      if (signal?.aborted === true) throw abortError(signal);
      const block = await blocks.read(512);
      const header = readTarHeader(block);
      if (header === undefined) break;
      entries += 1;
      if (entries > options.maxEntries) throw refuse(path, `it has more than ${options.maxEntries} entries`);
      if ('xgLK'.includes(header.kind)) {
        if (header.size > LONGEST_EXTENSION) throw refuse(path, 'a name in it is longer than any path');
        const fields = extensionFields(header, await readPadded(blocks, header.size));
        // What `g` says is about all; nothing of it is used here.
        if (header.kind !== 'g') extension = { ...extension, ...fields };
        continue;
      }
      const entry: TarHeader = {
        ...header,
        name: extension.path ?? header.name,
        link: extension.linkpath ?? header.link,
        size: extension.size ?? header.size,
      };
      extension = {};
      checkEntry(path, entry);
      const local = entry.kind === '5' ? undefined : options.nameOf(entry.name);
      total += local === undefined ? 0 : entry.size;
      if (total > options.maxBytes) throw refuse(path, `it unpacks to more than ${options.maxBytes} bytes`);
      if (local === undefined) {
        await skip(blocks, entry.size);
      } else if (entry.kind === '2') {
        result.links.push({ name: entry.name, local, target: entry.link });
      } else {
        checkLocals([...result.files.map((file) => file.local), local]);
        const file = await files.begin(local, { mode: entry.executable ? 0o755 : 0o644 });
        await save(blocks, entry.size, file, signal);
        result.files.push({ name: entry.name, local, bytes: entry.size, executable: entry.executable });
      }
    }
    await blocks.drain(MOST_PADDING);
    return result;
  } catch (cause) {
    if (isCarrelError(cause)) throw cause;
    throw new CarrelError('verification', `${path} is not a whole tar archive: ${(cause as Error).message}`, {
      item: path,
      next: 'it was cut short or is damaged: fetch it again',
      retryable: true,
      cause,
    });
  } finally {
    source.destroy();
    stream.destroy();
  }
}

function checkEntry(path: string, { name, kind }: TarHeader): void {
  if (!'\x000257'.includes(kind)) throw refuse(path, 'it is a hard link or a device', name);
  const parts = name.replace(/^\.\//, '').replace(/\/$/, '').split('/');
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name) || name.includes('\\'))
    throw refuse(path, 'its name is absolute', name);
  if (parts.includes('..')) throw refuse(path, 'its name leads out of the folder', name);
  if (/[\p{Cc}\p{Surrogate}]/u.test(name)) throw refuse(path, 'its name holds control characters', name);
}

async function save(
  blocks: BlockReader,
  size: number,
  file: GrowingFile,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    for (let left = size; left > 0; ) {
      if (signal?.aborted === true) throw abortError(signal);
      const piece = await blocks.read(Math.min(left, 1 << 20));
      await file.write(piece);
      left -= piece.length;
    }
    await blocks.read(padding(size));
    await file.finish();
  } finally {
    await file.discard();
  }
}

async function skip(blocks: BlockReader, size: number): Promise<void> {
  for (let left = size + padding(size); left > 0; )
    left -= (await blocks.read(Math.min(left, 1 << 20))).length;
}

async function readPadded(blocks: BlockReader, size: number): Promise<Buffer> {
  const bytes = await blocks.read(size);
  await blocks.read(padding(size));
  return bytes;
}

function padding(size: number): number {
  return (512 - (size % 512)) % 512;
}

function refuse(path: string, reason: string, name?: string): CarrelError {
  const where = name === undefined ? path : `${JSON.stringify(name.slice(0, 200))} in ${path}`;
  return new CarrelError('unsafe', `refused to unpack ${where}: ${reason}`, {
    item: name ?? path,
    next: 'do not unpack this archive; tell whoever made it',
  });
}
