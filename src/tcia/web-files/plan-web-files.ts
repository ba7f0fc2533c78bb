/** Files of PathDB and of TCIA's web site: what their servers say of them, and what an earlier run knows. */
import { stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { CarrelError, isCarrelError } from '../../errors.ts';
import type { ObjectStat, OpenStore, Place } from '../../stores/index.ts';
import {
  checkPlan,
  forEachLimited,
  type PlannedFile,
  readProven,
  STATE_FOLDER,
  safeSegment,
  verifyFiles,
} from '../../transfer/index.ts';
import type { TciaFile } from '../collections/pathdb.ts';
import type { LockedWebFile } from '../package-lock/package-lock.ts';

/** Files that servers are asked about at a time. */
const QUESTIONS_AT_ONCE = 8;

/** A file that will be fetched over HTTPS. */
export interface WebFile extends PlannedFile {
  /** As its service names it. */
  name: string;
  /** Without quotes; undefined where the server says none. */
  etag: string | undefined;
  /** RFC 3339. */
  modified: string | undefined;
  /** Of an earlier run, where the server still has what came then. */
  locked: LockedWebFile | undefined;
}

/** How files are planned. */
export interface WebFilesOptions {
  directory: string;
  /** First folder of the local names. */
  folder: string;
  /** Make names safe that hurt a file system. */
  safeNames: boolean;
  openStore: OpenStore;
  /** Files of the same download by the lock file. */
  locked: readonly LockedWebFile[];
  /** Read what is here, instead of believing the journal. */
  recheck?: boolean | undefined;
  signal: AbortSignal;
}

/**
 * Asks for size, ETag and date of each file, and plans it. What the server changed since an earlier run comes again; what it did not
 * change is proven by the digest of that run, so that it counts whoever put it there.
 *
 * @returns also the local names of what changed
 * @throws CarrelError `unsafe` for names that no disk takes, `interrupted`
 */
export async function planWebFiles(
  files: readonly TciaFile[],
  options: WebFilesOptions,
): Promise<{ files: WebFile[]; changed: string[] }> {
  const { directory, folder, safeNames, openStore, signal } = options;
  const locked = new Map(options.locked.map((file) => [file.local, file]));
  const proven = await readProven(join(directory, STATE_FOLDER, 'journal.jsonl'));
  const planned: (WebFile | undefined)[] = [];
  const changed: string[] = [];
  const now = new Date();
  const places = files.map((file) => {
    const { origin } = new URL(file.url);
    const place: Place = { protocol: 'https', endpoint: origin, bucket: '' };
    const key = file.url.slice(origin.length).replace(/^\//, '');
    const local = safeNames ? file.name.split('/').map(safeSegment).join('/') : file.name;
    const source = { mirror: new URL(file.url).host, place, key };
    return { ...file, path: `${safeSegment(folder)}/${local}`, source };
  });
  checkPlan(places.map(({ path, source }) => ({ path, digests: [], sources: [source] })));
  await forEachLimited([...places.entries()], QUESTIONS_AT_ONCE, async ([at, file]) => {
    const { path, name, source } = file;
    const said = await statOf(openStore, source, signal);
    const size = said?.size ?? file.size;
    const here = { name, path, size, etag: said?.etag, modified: said?.lastModified, sources: [source] };
    const before = locked.get(path);
    const same = before === undefined ? undefined : isSame(before, here);
    const info = await stat(join(directory, ...path.split('/')), { bigint: true }).catch(() => undefined);
    const record = proven.get(path);
    const untouched =
      info !== undefined && record?.mtimeNs === String(info.mtimeNs) && record.size === Number(info.size);
    const vouched = untouched && options.recheck !== true;
    const known = same === true ? before : undefined;
    if (same === false) changed.push(path);
    // The journal believes a file whose time has not changed; what changed elsewhere or went bad here it must not believe.
    const rotten =
      untouched && !vouched && known !== undefined && !(await isProven(known, directory, signal));
    if (untouched && (same === false || rotten)) await utimes(join(directory, ...path.split('/')), now, now);
    const digests = [...(said?.digests ?? []), ...(known === undefined || vouched ? [] : known.digests)];
    planned[at] = { ...here, digests: [...new Set(digests)], locked: known };
  });
  return { files: planned.flatMap((file) => file ?? []), changed: changed.sort() };
}

/** What a server says of a file without sending it; undefined where it does not say: the transfer will tell why. */
async function statOf(
  openStore: OpenStore,
  { place, key }: { place: Place; key: string },
  signal: AbortSignal,
): Promise<ObjectStat | undefined> {
  try {
    return await openStore(place).stat(key, { signal });
  } catch (error) {
    if (!isCarrelError(error) || error.code === 'interrupted') throw error;
    return undefined;
  }
}

/** True or false where the server says enough to tell. */
function isSame(
  before: LockedWebFile,
  now: Pick<WebFile, 'etag' | 'modified' | 'size'>,
): boolean | undefined {
  if (now.size !== undefined && now.size !== before.size) return false;
  if (before.etag !== null && now.etag !== undefined) return before.etag === now.etag;
  if (before.modified !== null && now.modified !== undefined) return before.modified === now.modified;
  return undefined;
}

async function isProven(file: LockedWebFile, directory: string, signal: AbortSignal): Promise<boolean> {
  const { local: path, size, digests } = file;
  const { ok } = await verifyFiles([{ path, size, digests }], { directory, signal });
  return ok.length === 1;
}

/** The error for a choice that leaves nothing. */
export function nothingChosen(title: string, name: string): CarrelError {
  return new CarrelError('not-found', `nothing in ${title} is what was asked for`, {
    item: name,
    next: 'take fewer conditions',
  });
}
