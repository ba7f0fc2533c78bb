/** From an address to the objects that it names: listings asked once, the first place that answers, by the letters. */

import type { Archive } from '../archives/index.ts';
import { CarrelError, isCarrelError } from '../errors.ts';
import { type Source, urlPlaces } from '../locations/index.ts';
import { type ObjectStat, type OpenStore, type Place, type Store, withRetry } from '../stores/index.ts';
import { accessesOf, type PlaceOptions } from './access.ts';
import type { Address } from './address.ts';
import { compileGlob, type Glob, type GlobLanguage } from './glob.ts';
import { listFolders } from './list-folders.ts';

/** What objects are found with. */
export interface MatchTools {
  archive: Archive;
  openStore: OpenStore;
  from?: string | undefined;
  /** Servers to ask instead of the archive's mirrors and the public clouds, by scheme. */
  endpoints?: { s3?: string | undefined; gs?: string | undefined } | undefined;
  places: PlaceOptions;
  /** Places that answered, by bucket: a bucket that had to be signed is not asked anonymously again. */
  known: Map<string, Place>;
  signal?: AbortSignal | undefined;
}

/** How an address is read. */
export interface MatchOptions {
  /** Overrides the language of the address's scheme. */
  glob?: GlobLanguage | undefined;
  /** No character is a wildcard. */
  raw?: boolean | undefined;
  /** Folders are taken with everything below. */
  recursive?: boolean | undefined;
}

/** An object that an address names. */
export interface Match {
  key: string;
  stat: ObjectStat;
  /** `s3://bucket/key`, or a path. */
  url: string;
  sources: Source[];
  /** Its name below the fixed part of the address, as the address's tool would keep it; with `/`. */
  name: string;
}

/** The objects of an address. */
export interface Matched {
  /** In key order. Never empty. */
  matches: Match[];
  /** True where the address may name several: a pattern, or a folder. */
  several: boolean;
  /** A folder taken whole: its own name, which `cp -r` of Google's tools puts in front where the destination exists. */
  folder: string | undefined;
  /** Folders that a pattern matched and that were left out, since nobody said `recursive`. */
  leftFolders: number;
  /** Open, and of the place that answered. */
  store: Store;
}

/**
 * Finds what an address names.
 *
 * @throws `not-found` where nothing is there (silence would hide a slip of the pen), `usage` for a folder without
 *   `recursive`, `unsupported` for folders of plain web servers, what the stores throw
 */
export async function findMatches(
  address: Address,
  tools: MatchTools,
  options: MatchOptions = {},
): Promise<Matched> {
  const language = options.glob ?? address.language;
  const glob = compileGlob(address.key, language, options.raw === true || isWebAddress(address));
  return await firstPlace(address, tools, async (store, sources) => {
    const { found, folder, several, leftFolders = 0 } = await ask(address, glob, store, tools, options);
    const matches = found.map(({ stat, name }) => {
      const key = stat.key;
      return {
        key,
        stat,
        name,
        url: shownUrl(address, store.url(key)),
        sources: sources.map((source) => ({ ...source, key })),
      };
    });
    if (matches.length === 0) throw nothingAt(address);
    return { matches, several, folder, leftFolders, store };
  });
}

interface Found {
  found: { stat: ObjectStat; name: string }[];
  folder: string | undefined;
  several: boolean;
  leftFolders?: number;
}

async function ask(
  address: Address,
  glob: Glob,
  plain: Store,
  tools: MatchTools,
  { recursive = false }: MatchOptions,
): Promise<Found> {
  const store = withRetry(plain);
  const { key } = address;
  const { signal } = tools;
  if (glob.isPattern && (glob.deep || (recursive && glob.language === 's5cmd'))) {
    const from = glob.prefix.lastIndexOf('/') + 1;
    const found = (await listAll(store, glob.prefix, signal)).filter(({ key: one }) => glob.matches(one));
    // gsutil calls each match by its own name; s5cmd keeps the tree below the fixed part.
    const nameOf = (one: string) => (glob.language === 's5cmd' ? one.slice(from) : lastName(one));
    return {
      found: found.map((stat) => ({ stat, name: nameOf(stat.key) })),
      folder: undefined,
      several: true,
    };
  }
  if (glob.isPattern) {
    const level = await listFolders(store, key, signal);
    const found = level.objects.map((stat) => ({ stat, name: lastName(stat.key) }));
    if (recursive) {
      for (const prefix of level.prefixes) {
        const from = prefix.lastIndexOf('/', prefix.length - 2) + 1;
        for (const stat of await listAll(store, prefix, signal))
          found.push({ stat, name: stat.key.slice(from) });
      }
    } else if (found.length === 0 && level.prefixes.length > 0) throw folderOnly(address);
    const leftFolders = recursive ? 0 : level.prefixes.length;
    return { found, folder: undefined, several: true, leftFolders };
  }
  const isFolder = key === '' || key.endsWith('/');
  if (isFolder && !recursive) throw folderOnly(address);
  if (recursive) {
    const prefix = isFolder ? key : `${key}/`;
    const below = await listAll(store, prefix, signal);
    const found = below.map((stat) => ({ stat, name: stat.key.slice(prefix.length) }));
    if (isFolder || found.length > 0) return { found, folder: lastName(prefix.slice(0, -1)), several: true };
  }
  const stat = await store.stat(key, { signal }).catch((error: unknown) => {
    if (isCarrelError(error, 'not-found') || isFolderError(error)) return undefined;
    throw error;
  });
  if (stat !== undefined) {
    const wanted = address.kind === 'remote' ? address.url.generation : undefined;
    if (wanted !== undefined && stat.generation !== wanted)
      throw new CarrelError(
        'not-found',
        `${address.text}: the object is of generation ${stat.generation ?? 'unknown'} today`,
        {
          item: address.text,
          next: 'leave the generation out for the object of today; gsutil cp gets older ones',
        },
      );
    return {
      found: [{ stat: { ...stat, key }, name: webName(address, key) }],
      folder: undefined,
      several: false,
    };
  }
  throw !recursive && (await firstObject(store, `${key}/`, signal))
    ? folderOnly(address)
    : nothingAt(address);
}

/** A path on a disk may be a folder where a key in a bucket is simply absent. */
function isFolderError(error: unknown): boolean {
  return isCarrelError(error) && /EISDIR|is a folder|directory/i.test(error.message);
}

async function firstObject(store: Store, prefix: string, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    for await (const page of store.list(prefix, { pageSize: 1, signal })) return page.objects.length > 0;
  } catch {
    // What may not be listed shows no folders.
  }
  return false;
}

/** Every object below a prefix; placeholders that make folders visible in consoles are none. */
async function listAll(store: Store, prefix: string, signal: AbortSignal | undefined): Promise<ObjectStat[]> {
  const objects: ObjectStat[] = [];
  for await (const page of store.list(prefix, { signal }))
    for (const stat of page.objects) if (!stat.key.endsWith('/')) objects.push(stat);
  return objects;
}

/** True for plain web servers: a `?` begins a query there, and nothing can be listed. */
export function isWebAddress(address: Address): boolean {
  return address.kind === 'remote' && address.url.scheme === 'https';
}

/** What is printed: the query of a web address may be a signature, which is nobody else's business. */
function shownUrl(address: Address, url: string): string {
  return isWebAddress(address) ? url.replace(/\?.*$/s, '') : url;
}

/** A name from a URL of a web server: without its query, decoded. */
function webName(address: Address, key: string): string {
  if (!isWebAddress(address)) return lastName(key);
  const name = lastName(key.split(/[?#]/)[0] ?? key);
  try {
    return decodeURIComponent(name) || 'index.html';
  } catch {
    return name;
  }
}

/** The folder of a key, with its `/`. */
export function folderName(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1);
}

function lastName(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

/** The error of an address where nothing is. */
export function nothingAt({ text }: Address): CarrelError {
  return new CarrelError('not-found', `nothing is at ${text}`, {
    item: text,
    next: 'list the folder above it with carrel ls; keys start right after the bucket, and case matters',
  });
}

function folderOnly({ text, language }: Address): CarrelError {
  const base = text.replace(/\/+$/, '');
  return new CarrelError('usage', `${text} names a folder`, {
    item: text,
    next: language === 's5cmd' ? `give '${base}/*', or --recursive` : `give --recursive, or '${base}/**'`,
  });
}

const FINAL = new Set<string>(['interrupted', 'usage', 'bad-input', 'unsafe']);

/** Asks one place after the other, anonymously and signed as told, until one answers. */
export async function firstPlace<T>(
  address: Address,
  tools: MatchTools,
  work: (store: Store, sources: Omit<Source, 'key'>[]) => Promise<T>,
): Promise<T> {
  const places = placesOf(address, tools);
  const errors: CarrelError[] = [];
  const absent = new Set<unknown>();
  for (const candidate of places) {
    const id = JSON.stringify([candidate.place.endpoint, candidate.place.bucket]);
    const known = tools.known.get(id);
    for (const place of known === undefined ? accessesOf(candidate.place, tools.places) : [known]) {
      try {
        const others = places.filter((other) => other !== candidate && !absent.has(other));
        const sources = [
          { mirror: candidate.mirror, place },
          ...others.map(({ mirror, place: other }) => ({
            mirror,
            place: tools.known.get(JSON.stringify([other.endpoint, other.bucket])) ?? other,
          })),
        ];
        const answer = await work(tools.openStore(place), sources);
        tools.known.set(id, place);
        return answer;
      } catch (error) {
        if (!isCarrelError(error) || FINAL.has(error.code)) throw error;
        errors.push(error);
        if (error.code === 'not-found') absent.add(candidate);
        // Only a refusal may be mended by a signature.
        if (error.code !== 'permission') break;
      }
    }
  }
  // The last refusal is that of the signed request; of several mirrors, the first that could not answer counts.
  const worst =
    errors.findLast(({ code }) => code === 'permission') ??
    errors.find(({ code }) => code !== 'not-found') ??
    errors[0];
  throw worst ?? nothingAt(address);
}

function placesOf(address: Address, tools: MatchTools): { mirror: string; place: Place }[] {
  if (address.kind === 'local')
    return [{ mirror: 'disk', place: { protocol: 'file', endpoint: address.root, bucket: '' } }];
  const { endpoints, from, archive } = tools;
  const endpoint = address.url.scheme === 'https' ? undefined : endpoints?.[address.url.scheme];
  return urlPlaces(archive, address.url, { endpoint, from }).places;
}
