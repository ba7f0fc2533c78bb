/** PathDB: whole-slide images as files with addresses of their own, over plain HTTPS. */
import * as v from 'valibot';
import { CarrelError } from '../../errors.ts';
import { type AskOptions, askJson } from '../ask.ts';
import type { TciaServers } from '../servers.ts';
import { atServer } from './at-server.ts';
import type { TciaCollection } from './collection.ts';
import { addressOf, dateOf, numberOf } from './odd-values.ts';
import { squash } from './resolve-collection.ts';

/** A collection as PathDB numbers it. */
export interface PathDbCollection {
  id: number;
  name: string;
  /** `YYYY-MM-DD`. */
  updated: string | null;
}

/** A file to fetch over HTTPS. */
export interface TciaFile {
  url: string;
  /** Below a folder of one's own, with `/`; not yet made safe for every file system. */
  name: string;
  /** Bytes, where the service says. */
  size?: number | undefined;
}

/** A whole-slide image. */
export interface PathDbFile extends TciaFile {
  subject: string;
  image: string;
  /** Pixels. */
  width: number | null;
  height: number | null;
  changed: string | null;
}

/** Drupal wraps every value: `[{ "value": … }]`, with `url` or `target_id` beside it; a field without one is `[]`. */
const Field = v.optional(
  v.fallback(v.array(v.looseObject({ value: v.optional(v.unknown()), url: v.optional(v.unknown()) })), []),
  [],
);
const CollectionSchema = v.looseObject({ tid: Field, name: Field, changed: Field });
const ImageSchema = v.looseObject({
  nid: Field,
  studyid: Field,
  clinicaltrialsubjectid: Field,
  imageid: Field,
  imagedvolumewidth: Field,
  imagedvolumeheight: Field,
  field_wsiimage: Field,
  changed: Field,
});

type FieldValue = v.InferOutput<typeof Field>;

const MOST_PAGES = 10_000;

/** Collections of PathDB. @throws CarrelError as `askJson` */
export async function pathdbCollections(
  servers: TciaServers,
  options: AskOptions,
): Promise<PathDbCollection[]> {
  const what = "PathDB's list of collections";
  const items = listOf(
    await askJson({ what, url: `${servers.pathdb}/collections?_format=json` }, options),
    what,
  );
  return items.flatMap((item) => {
    const read = v.safeParse(CollectionSchema, item);
    if (!read.success) return [];
    const [id, name] = [numberOf(first(read.output.tid)), textOf(read.output.name)];
    return id === null || name === '' ? [] : [{ id, name, updated: dateOf(first(read.output.changed)) }];
  });
}

/**
 * The images of a collection as files, in PathDB's order, named `<subject>/<file>`: file names alone are not always
 * different. Sizes are not in the list.
 *
 * @throws CarrelError `not-found` where PathDB does not have the collection; `network` where pages repeat, or an image
 *   has no address that can be used; and as `askJson`
 */
export async function pathdbFiles(
  collection: Pick<TciaCollection, 'name' | 'slug'>,
  options: AskOptions & { servers: TciaServers; onPage?: ((images: number) => void) | undefined },
): Promise<PathDbFile[]> {
  const { servers } = options;
  const all = await pathdbCollections(servers, options);
  const names = new Set([squash(collection.name), squash(collection.slug)]);
  const own = all.filter(({ name }) => names.has(squash(name)));
  if (own.length === 0) {
    throw new CarrelError('not-found', `PathDB has no collection ${collection.name}`, {
      item: collection.name,
      next: `carrel tcia show ${collection.slug} lists the other downloads`,
    });
  }
  const files = new Map<string, PathDbFile>();
  const taken = new Map<string, number>();
  for (const { id } of own) {
    let last = '';
    for (let page = 0; ; page += 1) {
      const what = `page ${page + 1} of PathDB's list of images of ${collection.name}`;
      const url = `${servers.pathdb}/listofimages/${id}?_format=json&page=${page}`;
      const items = listOf(await askJson({ what, url }, options), what);
      if (items.length === 0) break;
      const text = JSON.stringify(items);
      if (text === last || page >= MOST_PAGES) {
        throw new CarrelError('network', `${what} is the same as the one before`, {
          item: collection.name,
          next: 'try again later; if it stays, its API may have changed: tell us',
        });
      }
      last = text;
      for (const item of items) {
        const file = readImage(item, servers);
        // The same image may come twice where the list changes between two pages.
        if (!files.has(file.url)) files.set(file.url, { ...file, name: ownName(file, taken) });
      }
      options.onPage?.(files.size);
    }
  }
  return [...files.values()];
}

function readImage(item: unknown, servers: TciaServers): PathDbFile {
  const read = v.safeParse(ImageSchema, item);
  const fields = read.success ? read.output : undefined;
  const address = addressOf(fields?.field_wsiimage[0]?.url);
  const image = fields === undefined ? '' : textOf(fields.imageid) || textOf(fields.nid);
  if (fields === undefined || address === null) {
    throw new CarrelError(
      'network',
      `PathDB lists an image without an address${image === '' ? '' : `: ${image}`}`,
      {
        item: image,
        next: 'try again later; the rest can be fetched by its addresses with carrel get',
      },
    );
  }
  const subject = textOf(fields.clinicaltrialsubjectid) || 'unknown';
  return {
    url: atServer(address, 'pathdb', servers),
    name: `${pathPart(subject)}/${fileName(address, image)}`,
    subject,
    image,
    width: numberOf(first(fields.imagedvolumewidth)),
    height: numberOf(first(fields.imagedvolumeheight)),
    changed: dateOf(first(fields.changed)),
  };
}

/** A name that no other file of the list has: `A/1.svs`, `A/1 (2).svs`. */
function ownName({ name }: PathDbFile, taken: Map<string, number>): string {
  const key = name.toLowerCase();
  const count = (taken.get(key) ?? 0) + 1;
  taken.set(key, count);
  return count === 1 ? name : name.replace(/(\.[^./]*)?$/, ` (${count})$1`);
}

/** The last part of an address as a file name. */
export function fileName(address: string, fallback: string): string {
  const [path = ''] = address.replace(/^https?:\/\/[^/]*/i, '').split(/[?#]/, 1);
  const last = path.split('/').at(-1) ?? '';
  let name = last;
  try {
    name = decodeURIComponent(last);
  } catch {
    // A plain % in a name; it is used as it stands.
  }
  return pathPart(name === '' ? fallback : name);
}

/** One part of a path, whatever a service wrote into it. */
function pathPart(text: string): string {
  const part = text.replaceAll(/[/\\]/g, '_').trim();
  return part === '' || part === '.' || part === '..' ? `_${part}` : part;
}

function listOf(value: unknown, what: string): unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  throw new CarrelError('network', `PathDB did not answer with a list for ${what}`, {
    item: what,
    next: 'try again later; if it stays, its API may have changed: tell us',
  });
}

function first(field: FieldValue): unknown {
  return field[0]?.value;
}

function textOf(field: FieldValue): string {
  const value = first(field);
  return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
}
