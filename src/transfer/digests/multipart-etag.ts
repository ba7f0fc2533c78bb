/**
 * ETags of S3 objects that were uploaded in parts: `<hex>-<N>`, the MD5 of the N binary MD5s of the parts, one after
 * another. They prove the bytes to whoever knows where the parts begin, which the ETag does not say. All parts but the
 * last have one size in practice, and uploaders choose from few: that is what is tried here. `HEAD ?partNumber=1` tells
 * the size for certain (`Content-Length` of the reply), at the price of a request.
 */
import { createHash } from 'node:crypto';
import type { Md5Stream } from './md5/md5-lanes.ts';
import { createNodeLanes } from './md5/node-lanes.ts';

const MEBI = 1 << 20;
const MEGA = 1_000_000;

/** S3's limits (AWS: "Amazon S3 multipart upload limits"); the least size does not hold for servers that do as it does. */
const MOST_PARTS = 10_000;
const MOST_PART_BYTES = 5 * 1024 * MEBI;

/** Defaults of uploaders, the most common first: AWS's tools 8, SDKs 5, s5cmd 50, s3cmd 15, minio 16, others. In MiB. */
const COMMON_MEBIBYTES = [
  8, 5, 16, 50, 15, 64, 10, 100, 128, 32, 25, 256, 512, 1024, 20, 200, 250, 500, 2048, 5120,
];

/** An ETag of an object in parts. */
export interface MultipartEtag {
  /** 32 hex digits, in lower case. */
  md5: string;
  parts: number;
}

/** Reads `<32 hex>-<N>`, without quotes; undefined for every other ETag. */
export function parseMultipartEtag(etag: string | undefined): MultipartEtag | undefined {
  const found = /^([0-9a-f]{32})-([1-9][0-9]{0,4})$/i.exec(etag ?? '');
  const parts = Number(found?.[2]);
  return found?.[1] === undefined || parts > MOST_PARTS ? undefined : { md5: found[1].toLowerCase(), parts };
}

/**
 * Sizes that the parts of an object may have, the likeliest first: defaults of uploaders, then powers of two, then any
 * whole number of MiB, then of MB. Each gives the right number of parts.
 *
 * @param options.parts N of the ETag
 * @param options.size bytes of the object
 * @param options.firstPart bytes of part 1 where the server told them: the answer then, or nothing where the parts
 *   cannot all be of that size
 * @param options.limit at most so many. Each costs an MD5 of the whole object; eight in lanes cost as much as two and
 *   a half with `node:crypto`. Default 8.
 */
export function partSizesFor(options: {
  parts: number;
  size: number;
  firstPart?: number | undefined;
  limit?: number | undefined;
}): number[] {
  const { parts, size, firstPart, limit = 8 } = options;
  if (!Number.isSafeInteger(parts) || parts < 1 || !Number.isSafeInteger(size) || size < 0) return [];
  // One part holds everything, however large it was allowed to be.
  if (parts === 1) return firstPart === undefined || firstPart === size ? [Math.max(1, size)] : [];
  const fits = (bytes: number) => bytes >= 1 && Math.ceil(size / bytes) === parts;
  if (firstPart !== undefined) return fits(firstPart) ? [firstPart] : [];
  const least = Math.ceil(size / parts);
  const most = Math.min(MOST_PART_BYTES, Math.ceil(size / (parts - 1)) - 1);
  const chosen = new Set<number>();
  const take = (bytes: number) => {
    if (chosen.size < limit && fits(bytes) && bytes <= MOST_PART_BYTES) chosen.add(bytes);
  };
  for (const count of COMMON_MEBIBYTES) take(count * MEBI);
  for (const count of COMMON_MEBIBYTES) take(count * MEGA);
  for (let bytes = MEBI; bytes <= most; bytes *= 2) take(bytes);
  for (const unit of [MEBI, MEGA]) {
    for (let count = Math.ceil(least / unit); count * unit <= most && chosen.size < limit; count += 1)
      take(count * unit);
  }
  return [...chosen];
}

/** A part size with the ETag that it gives. */
export interface PartedEtag {
  partSize: number;
  etag: string;
}

/** ETags of one sequence of bytes for several sizes of parts, in one pass. */
export interface MultipartMd5 {
  /** Takes the next bytes, in any chunking. */
  update(chunk: Uint8Array): void;
  /** Ends the computation: the ETag for each size, in the order of the sizes. May be asked for again. */
  etags(): Promise<PartedEtag[]>;
  /** Ends it: the size of parts that gives this ETag; undefined where none of them does. */
  matches(etag: string): Promise<number | undefined>;
  /** Gives it up. */
  abandon(): void;
}

/**
 * ETags for parts of these sizes.
 *
 * @param partSizes from `partSizesFor`; each costs an MD5 of everything
 * @param options.open begins an MD5. Default: `node:crypto`. The streams of all sizes take the same bytes at the same
 *   time, so those of `createMd5Lanes` fill their lanes by themselves.
 */
export function createMultipartMd5(
  partSizes: readonly number[],
  options: { open?: (() => Md5Stream) | undefined } = {},
): MultipartMd5 {
  const open = options.open ?? (() => createNodeLanes(0).open());
  const runs = partSizes.map((partSize) => createRun(partSize, open));
  let ended: Promise<PartedEtag[]> | undefined;
  const etags = () => {
    ended ??= Promise.all(runs.map((run) => run.end()));
    return ended;
  };
  return {
    update(chunk) {
      for (const run of runs) run.update(chunk);
    },
    etags,
    async matches(etag) {
      const wanted = etag.toLowerCase();
      return (await etags()).find((found) => found.etag === wanted)?.partSize;
    },
    abandon() {
      for (const run of runs) run.abandon();
    },
  };
}

function createRun(partSize: number, open: () => Md5Stream) {
  const digests: Promise<string>[] = [];
  let part: Md5Stream | undefined;
  let room = 0;
  const begin = () => {
    room = partSize;
    part = open();
    return part;
  };
  const close = () => {
    if (part !== undefined) digests.push(part.digest());
    part = undefined;
  };
  return {
    update(chunk: Uint8Array) {
      for (let from = 0; from < chunk.length; ) {
        const current = part ?? begin();
        const piece = chunk.subarray(from, from + room);
        current.update(piece);
        room -= piece.length;
        from += piece.length;
        if (room === 0) close();
      }
    },
    async end(): Promise<PartedEtag> {
      // An object of no bytes has one part of none.
      if (digests.length === 0 && part === undefined) begin();
      close();
      const hash = createHash('md5');
      for (const digest of await Promise.all(digests)) hash.update(digest, 'hex');
      return { partSize, etag: `${hash.digest('hex')}-${digests.length}` };
    },
    abandon() {
      part?.abandon();
      part = undefined;
    },
  };
}
