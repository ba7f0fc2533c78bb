/**
 * Instances that this machine has already. An instance keeps its uuid, and with it its bytes, when its series is revised
 * and when it is fetched somewhere else: so a file is looked for by the uuid in its name. That it is the right one is
 * proven before it is taken.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isCrdcUuid } from '../identifiers/index.ts';
import { type LocalCopy, type PlannedFile, readProven, STATE_FOLDER } from '../transfer/index.ts';
import { knownDestinations } from './destinations.ts';
import { instanceName } from './instance-name.ts';

/** Where copies are looked for. */
export interface ReuseSources {
  /** Folders that were named: everything in them is looked at. */
  folders?: readonly string[] | undefined;
  /** State folder with the list of known destinations; undefined: only the destination itself and what was named. */
  stateDir?: string | undefined;
  /** Hard links where the file system cannot share blocks. */
  hardLinks?: boolean | undefined;
}

/** Copies by uuid. */
export interface LocalCopies {
  /** False where there is no place to look in. */
  anywhere(): Promise<boolean>;
  /** Looks for these, unless it did before. */
  look(uuids: Iterable<string>, signal?: AbortSignal): Promise<void>;
  /** What was found, proven copies first. */
  of(uuid: string): readonly FoundCopy[];
  /** Known destinations that were not looked through because their journals are too long. */
  readonly passedOver: readonly string[];
}

/** A copy and the folder that it was found by. */
export interface FoundCopy extends LocalCopy {
  folder: string;
}

/**
 * Bytes of journals that are read of destinations that nobody named: a tenth of a second. Larger ones are read only when
 * they are named.
 */
const KNOWN_BYTES = 24 << 20;

/** What an update took out of the way. */
const RETIRED = 'retired-';

const LOCK = /^carrel\.lock(\..*)?\.json$/;

const DASH = 45;

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** The instance that a planned file holds; undefined for objects that have no uuid for a name. */
export function instanceOf(file: { key: string }): string | undefined {
  const name = instanceName(file.key);
  return isCrdcUuid(name) ? name : undefined;
}

/** The last uuid in the name of a file. */
function uuidIn(path: string): string | undefined {
  return path
    .slice(path.lastIndexOf('/') + 1)
    .match(UUID)
    ?.at(-1);
}

/** Opens the search. Nothing is read before `look`. */
export function openLocalCopies(
  directory: string,
  sources: ReuseSources & { knownBytes?: number | undefined },
): LocalCopies {
  const found = new Map<string, FoundCopy[]>();
  const asked: ReadonlySet<string>[] = [];
  const passedOver: string[] = [];
  const add = (uuid: string | undefined, copy: FoundCopy) => {
    if (uuid === undefined) return;
    const before = found.get(uuid);
    if (before === undefined) found.set(uuid, [copy]);
    else if (before.every(({ path }) => path !== copy.path)) {
      if (copy.proven === undefined) before.push(copy);
      else before.unshift(copy);
    }
  };
  /** Those of them that no copy is known of. */
  const openOf = (uuids: ReadonlySet<string>): (() => ReadonlySet<string>) => {
    let known = 0;
    let left = uuids;
    return () => {
      // There may be millions, and most folders hold none of them.
      if (found.size !== known) left = new Set([...left].filter((uuid) => !found.has(uuid)));
      known = found.size;
      return left;
    };
  };
  const others = async (stateDir: string) => {
    const named = new Set([directory, ...(sources.folders ?? []).map((one) => resolve(one))]);
    return (await knownDestinations(stateDir)).filter((folder) => !named.has(folder));
  };

  async function fromJournals(folder: string, wanted: ReadonlySet<string>): Promise<void> {
    for (const journal of await journalsOf(folder)) {
      const records = await readProven(journal.path, (line) => {
        const end = line.indexOf('"', 9);
        // Nearly all are called <uuid>.dcm: no pattern need be matched for those.
        const usual = line.slice(end - 40, end - 4);
        if (usual.charCodeAt(8) === DASH && usual.charCodeAt(23) === DASH) return wanted.has(usual);
        const uuid = uuidIn(line.slice(9, end));
        return uuid !== undefined && wanted.has(uuid);
      }).catch(() => new Map<string, never>());
      for (const { path, mtimeNs, digests } of records.values()) {
        const copy = { path: join(folder, path), proven: { mtimeNs, digests }, folder };
        if (await isFile(copy.path)) add(uuidIn(path), copy);
      }
    }
  }
  async function fromLocks(folder: string, wanted: ReadonlySet<string>): Promise<void> {
    for (const name of await readdir(folder).catch(() => [])) {
      if (!LOCK.test(name)) continue;
      const text = await readFile(join(folder, name), 'utf8').catch(() => '');
      for (const { key, path } of filesIn(text)) {
        const uuid = instanceOf({ key });
        const copy = { path: join(folder, path), folder };
        if (uuid !== undefined && wanted.has(uuid) && (await isFile(copy.path))) add(uuid, copy);
      }
    }
  }
  async function byName(folder: string, wanted: ReadonlySet<string>, signal?: AbortSignal): Promise<void> {
    const left = [''];
    for (let below = left.pop(); below !== undefined; below = left.pop()) {
      signal?.throwIfAborted();
      const entries = await readdir(join(folder, below), { withFileTypes: true }).catch(() => []);
      for (const entry of entries) {
        const path = below === '' ? entry.name : `${below}/${entry.name}`;
        // Links are not followed: they may lead in circles.
        if (entry.isDirectory() && entry.name !== STATE_FOLDER) left.push(path);
        else if (entry.isFile()) {
          const uuid = uuidIn(entry.name);
          if (uuid !== undefined && wanted.has(uuid)) add(uuid, { path: join(folder, path), folder });
        }
      }
    }
  }
  async function fromKnown(stateDir: string, open: () => ReadonlySet<string>): Promise<void> {
    let left = sources.knownBytes ?? KNOWN_BYTES;
    for (const folder of await others(stateDir)) {
      const still = open();
      if (still.size === 0) return;
      const bytes = (await journalsOf(folder)).reduce((sum, { size }) => sum + size, 0);
      if (bytes > left) passedOver.push(folder);
      else {
        left -= bytes;
        await fromJournals(folder, still);
      }
    }
  }
  return {
    passedOver,
    of: (uuid) => found.get(uuid) ?? [],
    async anywhere() {
      if ((sources.folders ?? []).length > 0) return true;
      const names = await readdir(directory).catch(() => []);
      if (names.some((name) => name === STATE_FOLDER || LOCK.test(name) || name.startsWith(RETIRED)))
        return true;
      return sources.stateDir !== undefined && (await others(sources.stateDir)).length > 0;
    },
    async look(uuids, signal) {
      const wanted = new Set<string>();
      for (const uuid of uuids) if (!asked.some((before) => before.has(uuid))) wanted.add(uuid);
      if (wanted.size === 0) return;
      asked.push(wanted);
      const open = openOf(wanted);
      await fromJournals(directory, wanted);
      await fromLocks(directory, open());
      for (const name of await readdir(directory).catch(() => [])) {
        if (name.startsWith(RETIRED)) await byName(join(directory, name), open(), signal);
      }
      for (const one of sources.folders ?? []) {
        const folder = resolve(one);
        if (open().size === 0) break;
        await fromJournals(folder, open());
        await fromLocks(folder, open());
        await byName(folder, open(), signal);
      }
      if (sources.stateDir !== undefined && open().size > 0) await fromKnown(sources.stateDir, open);
    },
  };
}

/** A journal and a lock file name what was there once. */
async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}

/** The journals of a destination, those of its parts too. */
async function journalsOf(folder: string): Promise<{ path: string; size: number }[]> {
  const state = join(folder, STATE_FOLDER);
  const parts = await readdir(join(state, 'parts')).catch(() => []);
  const paths = [state, ...parts.map((part) => join(state, 'parts', part))].map((one) =>
    join(one, 'journal.jsonl'),
  );
  const sizes = await Promise.all(paths.map((path) => stat(path).catch(() => undefined)));
  return paths.flatMap((path, at) => (sizes[at] === undefined ? [] : [{ path, size: sizes[at].size }]));
}

/** Files of a lock file, read leniently: each is proven before it is taken, so a wrong one costs a look. */
function filesIn(text: string): { key: string; path: string }[] {
  try {
    const lock = JSON.parse(text) as { series?: { files?: unknown[] }[]; files?: unknown[] };
    const all = [...(lock.series ?? []).flatMap(({ files }) => files ?? []), ...(lock.files ?? [])];
    return all.filter((file): file is { key: string; path: string } => {
      const { key, path } = file as { key?: unknown; path?: unknown };
      return typeof key === 'string' && typeof path === 'string' && !path.split('/').includes('..');
    });
  } catch {
    return [];
  }
}

/** What of a plan can be taken from this machine, by the folder that it was found in. */
export interface LocalShare {
  copies: LocalCopies;
  files: number;
  bytes: number;
  from: { folder: string; files: number; bytes: number }[];
}

/**
 * Looks for what a destination lacks. The sum is what stands there with the right size; what is really taken is proven
 * first. Whether a file is lacking is told by the names in its folder, one look per folder.
 */
export async function lookForCopies(
  files: readonly (PlannedFile & { key: string })[],
  directory: string,
  sources: ReuseSources,
  signal?: AbortSignal,
): Promise<LocalShare> {
  const copies = openLocalCopies(resolve(directory), sources);
  const share: LocalShare = { copies, files: 0, bytes: 0, from: [] };
  if (!(await copies.anywhere())) return share;
  const absent = await absentFiles(files, resolve(directory));
  const wanted = absent.flatMap((file) => {
    const uuid = file.digests.length === 0 ? undefined : instanceOf(file);
    return uuid === undefined ? [] : [{ file, uuid }];
  });
  await copies.look(
    wanted.map(({ uuid }) => uuid),
    signal,
  );
  const from = new Map<string, LocalShare['from'][number]>();
  for (const { file, uuid } of wanted) {
    for (const copy of copies.of(uuid)) {
      const info = await stat(copy.path).catch(() => undefined);
      if (!info?.isFile() || (file.size !== undefined && file.size !== info.size)) continue;
      const one = from.get(copy.folder) ?? { folder: copy.folder, files: 0, bytes: 0 };
      from.set(copy.folder, one);
      one.files += 1;
      one.bytes += info.size;
      share.files += 1;
      share.bytes += info.size;
      break;
    }
  }
  share.from = [...from.values()].sort((a, b) => b.bytes - a.bytes || (a.folder < b.folder ? -1 : 1));
  return share;
}

/** Files of a plan that do not stand in the folder, by name. */
export async function absentFiles<T extends { path: string }>(
  files: readonly T[],
  directory: string,
): Promise<T[]> {
  const folders = new Map<string, ReadonlySet<string>>();
  const absent: T[] = [];
  // Files of one folder mostly stand one after the other.
  let folder = '/';
  let names: ReadonlySet<string> = new Set();
  for (const file of files) {
    const slash = file.path.lastIndexOf('/');
    if (Math.max(slash, 0) !== folder.length || !file.path.startsWith(folder)) {
      folder = slash === -1 ? '' : file.path.slice(0, slash);
      const known = folders.get(folder);
      names = known ?? new Set(await readdir(join(directory, folder)).catch(() => []));
      if (known === undefined) folders.set(folder, names);
    }
    if (names.size === 0 || !names.has(file.path.slice(slash + 1))) absent.push(file);
  }
  return absent;
}
