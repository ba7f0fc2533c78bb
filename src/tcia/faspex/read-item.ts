/** Items of a listing as Faspex writes them → entries. */
import * as v from 'valibot';
import { CarrelError } from '../../errors.ts';
import type { PackageEntry } from './package-entry.ts';

const SIZE = v.fallback(
  v.optional(
    v.pipe(
      v.union([v.number(), v.pipe(v.string(), v.regex(/^[0-9]+$/), v.transform(Number))]),
      v.safeInteger(),
      v.minValue(0),
    ),
  ),
  undefined,
);
const TEXT = v.fallback(v.optional(v.string()), undefined);

const TARGET = v.looseObject({ path: TEXT, type: TEXT, size: SIZE, mtime: TEXT });
const ITEM = v.looseObject({
  path: TEXT,
  basename: TEXT,
  type: TEXT,
  size: SIZE,
  mtime: TEXT,
  target: v.fallback(v.optional(TARGET), undefined),
});

/** A listing. Fields: `files/received` (`items`, `total_count`) and `files/received/page` (`items`). */
const LISTING = v.looseObject({
  items: v.array(v.unknown()),
  total_count: SIZE,
});

/** One answer of a listing. */
export interface ListingPage {
  entries: PackageEntry[];
  /** Rows of the whole folder, where the server tells. */
  total?: number | undefined;
}

/** Reads an answer. `folder` as in `PackageEntry.path`, `''` for the root. @throws CarrelError `network` where it is none */
export function readListing(json: unknown, folder: string, what: string): ListingPage {
  const parsed = v.safeParse(LISTING, json);
  if (!parsed.success) {
    throw new CarrelError('network', `${what}: the server answered with something else than a list`, {
      item: what,
      next: 'try again later',
    });
  }
  const { items, total_count } = parsed.output;
  return { entries: items.map((item) => readItem(item, folder, what)), total: total_count };
}

/**
 * An item as entry. Servers echo the folder as it was asked for, with or without a slash in front; sizes come as numbers or
 * text; a link without a target is taken for a file, as most are.
 */
function readItem(value: unknown, folder: string, what: string): PackageEntry {
  const parsed = v.safeParse(ITEM, value);
  const { path, basename, type, size, mtime, target } = parsed.success ? parsed.output : {};
  const given = path === undefined || path === '' ? basename : path;
  if (given === undefined || given === '') {
    throw new CarrelError('network', `${what}: the server lists something without a name`, { item: what });
  }
  const prefix = folder === '' ? '' : `${folder}/`;
  const bare = given.replace(/^\/+/, '').replace(/\/+$/, '');
  // Some servers give the name alone where the folder was asked for without a slash.
  const whole = path === undefined || path === '' ? `${prefix}${bare}` : bare;
  const refused = faultOf(whole, prefix);
  const isFolder = (kind: string | undefined) => kind === 'directory' || kind === 'folder';
  const kind = isFolder(type) ? 'folder' : type === 'symbolic_link' ? 'link' : 'file';
  const entry: PackageEntry = { path: refused === undefined ? whole : given, kind };
  if (kind === 'link' && target?.type !== undefined) {
    entry.targetKind = isFolder(target.type) ? 'folder' : 'file';
  }
  const bytes = kind === 'link' ? (target?.size ?? size) : size;
  if (bytes !== undefined && kind !== 'folder' && entry.targetKind !== 'folder') entry.size = bytes;
  const modified = kind === 'link' ? (target?.mtime ?? mtime) : mtime;
  if (modified !== undefined) entry.modified = modified;
  if (kind === 'link' && target?.path !== undefined) entry.target = target.path;
  if (refused !== undefined) entry.refused = refused;
  return entry;
}

/** What makes a path unfit to be asked for or written; undefined for a plain child of the folder. */
function faultOf(path: string, prefix: string): string | undefined {
  if (/\p{Cc}/u.test(path)) return 'holds a control character';
  if (/\p{Surrogate}/u.test(path)) return 'is no well-formed text';
  const names = path.split('/');
  if (names.some((name) => name === '.' || name === '..')) return 'holds a "." or ".." segment';
  const name = path.startsWith(prefix) ? path.slice(prefix.length) : '';
  if (name === '' || name.includes('/')) return 'does not lie in the folder that was listed';
  return undefined;
}
