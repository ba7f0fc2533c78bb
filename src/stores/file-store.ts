/** A folder as a store: mirrors on a disk, and archives that are being made. */
import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { abortError, CarrelError } from '../errors.ts';
import { collect, DEFAULT_LIMIT } from './http/collect.ts';
import { codeOf } from './http/http-error.ts';
import { listFolder } from './list-folder.ts';
import { emptyBody, rangeHeader } from './object-body.ts';
import { changedError, shorterError } from './reply-error.ts';
import type { GetOptions, ObjectBody, ObjectStat, Place, Store } from './store.ts';

/** Bytes of one read. */
const READ_BYTES = 256 * 1024;

/** Opens a folder: the endpoint's, or the one in it that is named like the bucket. */
export function createFileStore(place: Place): Store {
  const root = resolve(place.endpoint, place.bucket);
  const url = (key: string): string => join(root, key);

  const get = async (key: string, options: GetOptions = {}): Promise<ObjectBody> => {
    rangeHeader(options.range); // refuses what is no range
    if (options.signal?.aborted) throw abortError(options.signal);
    const handle = await openInside(root, key);
    try {
      const stat = await statOf(key, handle);
      if (options.ifMatch !== undefined && stat.etag !== options.ifMatch)
        throw changedError(url(key), options.ifMatch);
      const size = stat.size ?? 0;
      const start = options.range?.start ?? 0;
      const end = Math.min(options.range?.end ?? size, size);
      if (start > size) throw shorterError(url(key), start, size);
      if (start >= end) {
        await handle.close();
        return emptyBody(stat, start);
      }
      return bodyOf(handle, stat, { start, end }, url(key), options.signal);
    } catch (error) {
      await handle.close();
      throw error;
    }
  };

  return {
    place,
    pin: ({ etag }) => etag,
    get,
    async stat(key, { signal } = {}) {
      if (signal?.aborted) throw abortError(signal);
      const handle = await openInside(root, key);
      try {
        return await statOf(key, handle);
      } finally {
        await handle.close();
      }
    },
    list: (prefix, options) => listFolder(root, prefix, options),
    url,
  };
}

/**
 * Opens a regular file below the root. Rejects with `unsafe` for keys that lead out of it, by `..` or by links; with
 * `not-found` for folders, devices and whatever does not exist.
 */
async function openInside(root: string, key: string): Promise<FileHandle> {
  const path = join(root, key);
  const unsafe = (): CarrelError =>
    new CarrelError('unsafe', `${key} leads out of ${root}`, { item: key, next: 'this key is not fetched' });
  if (key.split('/').includes('..') || key.includes('\0')) throw unsafe();
  try {
    const [realRoot, real] = await Promise.all([realpath(root), realpath(path)]);
    const inside = realRoot.endsWith(sep) ? realRoot : realRoot + sep;
    if (real !== realRoot && !real.startsWith(inside)) throw unsafe();
    // Non-blocking, so that a named pipe is refused instead of waited for.
    const handle = await open(real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    if ((await handle.stat()).isFile() && !key.endsWith('/')) return handle;
    await handle.close();
  } catch (error) {
    throw error instanceof CarrelError ? error : fileError(path, error);
  }
  throw fileError(path, Object.assign(new Error('not a file'), { code: 'ENOENT' }));
}

async function statOf(key: string, handle: FileHandle): Promise<ObjectStat> {
  const { size, mtimeNs } = await handle.stat({ bigint: true });
  return {
    key,
    size: Number(size),
    etag: `${size}-${mtimeNs}`,
    lastModified: new Date(Number(mtimeNs / 1_000_000n)).toISOString(),
    digests: [],
  };
}

function bodyOf(
  handle: FileHandle,
  stat: ObjectStat,
  range: { start: number; end: number },
  path: string,
  signal: AbortSignal | undefined,
): ObjectBody {
  const cancel = (): void => void handle.close().catch(() => {});
  const consume: ObjectBody['consume'] = async (onChunk) => {
    try {
      const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, range.end - range.start));
      for (let at = range.start; at < range.end; ) {
        if (signal?.aborted) throw abortError(signal);
        const { bytesRead } = await handle
          .read(buffer, 0, Math.min(buffer.length, range.end - at), at)
          .catch((error: unknown) => {
            throw fileError(path, error);
          });
        if (bytesRead === 0) throw changedError(path, stat.etag);
        at += bytesRead;
        await onChunk(buffer.subarray(0, bytesRead));
      }
      if ((await statOf(stat.key, handle)).etag !== stat.etag) throw changedError(path, stat.etag);
    } finally {
      await handle.close();
    }
  };
  return {
    stat,
    range,
    consume,
    bytes: (limit = DEFAULT_LIMIT) => collect({ consume, cancel }, path, range.end - range.start, limit),
    cancel,
  };
}

/** The system's error in the words of the contract. */
export function fileError(path: string, cause: unknown): CarrelError {
  const code = codeOf(cause);
  if (['ENOENT', 'ENOTDIR', 'EISDIR', 'ENXIO', 'ENAMETOOLONG'].includes(code)) {
    return new CarrelError('not-found', `${path} does not exist`, {
      item: path,
      next: 'check the path',
      cause,
    });
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new CarrelError('permission', `${path} may not be read`, {
      item: path,
      next: 'check its permissions',
      cause,
    });
  }
  if (code === 'ELOOP') {
    return new CarrelError('unsafe', `${path} is a link that changes or leads nowhere`, {
      item: path,
      cause,
    });
  }
  return new CarrelError('network', `${path} could not be read${code === '' ? '' : ` (${code})`}`, {
    item: path,
    next: 'check the disk',
    cause,
    retryable: code === 'EMFILE' || code === 'ENFILE' || code === 'EIO',
  });
}
