/** What came over HTTPS from PathDB or TCIA's web site, pinned beside packages. */
import { join } from 'node:path';
import type { Digest } from '../../identifiers/index.ts';
import { type FileResult, forEachLimited, hashFile, lanesOnce } from '../../transfer/index.ts';
import type { TciaCollection, TciaDownload } from '../collections/collection.ts';
import { writePackageLock } from '../package-lock/package-folder.ts';
import type { LockedDownload, LockedWebFile, PackageLock } from '../package-lock/package-lock.ts';
import type { WebFile } from './plan-web-files.ts';

/** Files that are read at once, where nobody tells their digest. */
const JOBS = 8;

/** A download and the files of it that are in place. */
export interface PlacedWebFiles {
  collection: Pick<TciaCollection, 'slug' | 'version' | 'doi'>;
  download: Pick<TciaDownload, 'id' | 'title' | 'kind'>;
  planned: readonly WebFile[];
  files: readonly FileResult[];
}

/**
 * Adds files to the lock file of a folder, each with size, digest, ETag and date. Their digests are those of the bytes that came:
 * no service of TCIA gives any.
 *
 * @returns what the folder holds now
 * @throws CarrelError as `writePackageLock`; `interrupted`
 */
export async function lockWebFiles(
  directory: string,
  { collection, download, planned, files }: PlacedWebFiles,
  signal: AbortSignal,
): Promise<PackageLock> {
  const byPath = new Map(planned.map((file) => [file.path, file]));
  const locked: LockedWebFile[] = [];
  const lanes = lanesOnce();
  await forEachLimited(files, JOBS, async ({ path, bytes, digest }) => {
    const file = byPath.get(path);
    if (file === undefined) return;
    const known = [...(digest === undefined ? [] : [digest]), ...(file.locked?.digests ?? [])].filter(
      isPinned,
    );
    const digests =
      known.length > 0
        ? known
        : (await hashFile(join(directory, ...path.split('/')), ['md5'], { signal, lanes: lanes() })).digests;
    locked.push({
      path: file.name,
      local: path,
      size: bytes,
      digests,
      evidence: file.size === undefined ? 'own' : 'size',
      etag: file.etag ?? null,
      modified: file.modified ?? null,
    });
  });
  const { slug, version, doi } = collection;
  const { id, title, kind } = download;
  const one: LockedDownload = {
    collection: { slug, version, doi },
    download: id,
    title,
    kind,
    files: locked,
  };
  return await writePackageLock(directory, { carrel_tcia_lock: 1, packages: [], downloads: [one] });
}

function isPinned(digest: Digest): boolean {
  return /^(?:md5|sha256):/.test(digest);
}
