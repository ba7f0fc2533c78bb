/**
 * Listings of series versions, kept in the destination's state folder. A series version never changes, so a second
 * run of a cohort needs no request to know its files.
 */
import { appendFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, isDigest } from '../identifiers/index.ts';
import { makeFolder, STATE_FOLDER } from '../transfer/index.ts';

/** An object of a kept listing; where it stands is worked out anew, for mirrors may change. */
export interface KnownObject {
  key: string;
  size: number | undefined;
  digests: Digest[];
}

/** A kept listing: the bucket by mirror, and all objects of the series. */
export interface KnownListing {
  buckets: Record<string, string>;
  objects: KnownObject[];
}

/** The kept listings of one destination and one archive. */
export interface KnownListings {
  get(uuid: string): KnownListing | undefined;
  add(uuid: string, listing: KnownListing): void;
  /** Writes what was added into the state folder; failures are silent, for they cost only requests later. */
  keep(): Promise<void>;
}

/** For runs without a destination: nothing is known, nothing is kept. */
export const forgetListings: KnownListings = {
  get: () => undefined,
  add: () => {},
  keep: () => Promise.resolve(),
};

/** Reads the kept listings of a destination. A damaged line is as if it were not there. */
export async function openKnownListings(
  directory: string,
  archiveName: string,
  part?: string,
): Promise<KnownListings> {
  // Shares append at the same time, on file systems that may mix what they append: each has a file of its own.
  const name = part === undefined ? 'listings.jsonl' : `listings.${part}.jsonl`;
  const folder = join(directory, STATE_FOLDER);
  const path = join(folder, name);
  const known = new Map<string, KnownListing>();
  const added: string[] = [];
  const names = (await readdir(folder).catch(() => [])).filter((one) =>
    /^listings\.([\w-]+\.)?jsonl$/.test(one),
  );
  const texts = names.map((one) => readFile(join(folder, one), 'utf8').catch(() => ''));
  const text = (await Promise.all(texts)).join('\n');
  for (const line of text.split('\n')) {
    const parsed = parseLine(line);
    if (parsed !== undefined && parsed.archive === archiveName) known.set(parsed.uuid, parsed.listing);
  }
  return {
    get: (uuid) => known.get(uuid),
    add(uuid, listing) {
      known.set(uuid, listing);
      added.push(`${JSON.stringify({ v: 1, archive: archiveName, uuid, ...listing })}\n`);
    },
    async keep() {
      if (added.length === 0) return;
      try {
        await makeFolder(join(directory, STATE_FOLDER));
        await appendFile(path, added.splice(0).join(''));
      } catch {
        // A read-only or full disk shows itself where it matters: when files are written.
      }
    },
  };
}

function parseLine(line: string): { archive: string; uuid: string; listing: KnownListing } | undefined {
  if (!line.startsWith('{"v":1,')) return undefined;
  try {
    const { archive, uuid, buckets, objects } = JSON.parse(line) as Record<string, unknown>;
    if (typeof archive !== 'string' || typeof uuid !== 'string' || !Array.isArray(objects)) return undefined;
    if (typeof buckets !== 'object' || buckets === null) return undefined;
    const checked = objects.map((object: unknown): KnownObject => {
      const { key, size, digests } = object as Record<string, unknown>;
      if (typeof key !== 'string' || !Array.isArray(digests))
        throw new TypeError('not an object of a listing');
      return {
        key,
        size: typeof size === 'number' ? size : undefined,
        digests: digests.filter((digest): digest is Digest => typeof digest === 'string' && isDigest(digest)),
      };
    });
    return { archive, uuid, listing: { buckets: buckets as Record<string, string>, objects: checked } };
  } catch {
    return undefined;
  }
}
