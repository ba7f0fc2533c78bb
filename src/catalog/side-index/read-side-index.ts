/** Finds rows by identifier: a few small reads for one, one pass over the file for thousands. */
import type { FileHandle } from 'node:fs/promises';
import { brotliDecompressSync, crc32 } from 'node:zlib';
import { stopIfAborted } from '../abort.ts';
import type { Row } from '../engine.ts';
import { type Piece, readWhole } from './pieces.ts';
import { DamagedSideIndex, readPiece } from './read-piece.ts';
import {
  BLOCK_ITEM,
  BUCKET_ITEM,
  ENTRY,
  openSideFile,
  ROWS_PER_BLOCK,
  type SideHeader,
} from './side-file.ts';
import { hashText } from './text-hash.ts';

/** From so many identifiers on, the lists are read whole: 26 MB take 15 ms, as much as a few hundred small reads. */
const MANY_IDS = 256;
/** Blocks kept decompressed: 128 rows are some 80 kB. */
const KEPT_BLOCKS = 64;

/** A row and its number; rows of the tables' release come first, in the order of answers. */
export interface SideRow {
  row: number;
  values: unknown[];
}

/** An open side index. */
export interface SideIndex {
  readonly header: SideHeader;
  /** Rows of series versions that hold an identifier in any of the four columns; not of the table of prior versions. */
  versionRows(ids: readonly string[], signal?: AbortSignal): Promise<Map<string, SideRow[]>>;
  /** Rows of the table of prior versions by SeriesInstanceUID. */
  historyRows(uid: string, signal?: AbortSignal): Promise<Row[]>;
  /** Place of a value in the rows of versions. */
  at(name: string): number;
  /** The bytes of a piece that the header names. */
  piece(piece: Piece): Promise<Buffer>;
  close(): Promise<void>;
}

/** Opens the file; undefined where there is none of that key. Throws `DamagedSideIndex`. */
export async function openSideIndex(path: string, key: string): Promise<SideIndex | undefined> {
  const opened = await openSideFile(path);
  if (opened === undefined) return undefined;
  const { file, header } = opened;
  if (header.key !== key) {
    await file.close();
    return undefined;
  }
  const places = new Map(header.names.map((name, place) => [name, place]));
  const historyAt = header.historyNames.indexOf('SeriesInstanceUID');
  const idPlaces = ['crdc_series_uuid', 'SeriesInstanceUID', 'StudyInstanceUID', 'PatientID'].map(
    (name) => places.get(name) ?? -1,
  );
  const readBlocks = blockReader(file, header);
  const candidates = async (ids: readonly string[]) => {
    const find = await entryFinder(file, header, ids.length);
    const found = new Map<string, number[]>();
    for (const id of new Set(ids)) found.set(id, await find(id));
    return found;
  };
  const { versions, all } = header.rows;
  return {
    header,
    at: (name) => places.get(name) ?? -1,
    async versionRows(ids, signal) {
      const found = await candidates(ids);
      const wanted = [...found.values()].flat().filter((row) => row < versions);
      const rows = await readBlocks(wanted, signal);
      const answer = new Map<string, SideRow[]>();
      for (const [id, numbers] of found) {
        const mine: SideRow[] = [];
        for (const row of numbers) {
          const values = rows.get(row);
          if (values !== undefined && idPlaces.some((place) => values[place] === id))
            mine.push({ row, values });
        }
        if (mine.length > 0) answer.set(id, mine);
      }
      return answer;
    },
    async historyRows(uid, signal) {
      const numbers = (await candidates([uid])).get(uid) ?? [];
      const rows = await readBlocks(
        numbers.filter((row) => row >= versions && row < all),
        signal,
      );
      return [...rows.entries()]
        .sort(([a], [b]) => a - b)
        .filter(([, values]) => values[historyAt] === uid)
        .map(([, values]) =>
          Object.fromEntries(header.historyNames.map((name, place) => [name, values[place] ?? null])),
        );
    },
    piece: (piece) => readWhole(file, piece),
    close: () => file.close(),
  };
}

/** From a text to the numbers of rows that may hold it, ascending. */
async function entryFinder(
  file: FileHandle,
  { entries, bucketList }: SideHeader,
  ids: number,
): Promise<(text: string) => Promise<number[]>> {
  const whole =
    ids >= MANY_IDS
      ? {
          entries: await readPiece(file, entries.at, entries.items * ENTRY),
          buckets: await readPiece(file, bucketList.at, (2 ** bucketList.bits + 1) * BUCKET_ITEM),
        }
      : undefined;
  const checked = new Set<number>();
  return async (text) => {
    const [a, b] = hashText(text);
    const bucket = a >>> (32 - bucketList.bits);
    const place = bucket * BUCKET_ITEM;
    const item =
      whole?.buckets.subarray(place, place + 2 * BUCKET_ITEM) ??
      (await readPiece(file, bucketList.at + place, 2 * BUCKET_ITEM));
    const [start, end] = [item.readUInt32LE(0), item.readUInt32LE(BUCKET_ITEM)];
    if (start > end || end > entries.items) throw new DamagedSideIndex('its list of buckets is damaged');
    const piece =
      whole?.entries.subarray(start * ENTRY, end * ENTRY) ??
      (await readPiece(file, entries.at + start * ENTRY, (end - start) * ENTRY));
    if (!checked.has(bucket)) {
      if (crc32(piece) !== item.readUInt32LE(4)) throw new DamagedSideIndex('its entries are damaged');
      checked.add(bucket);
    }
    const rows: number[] = [];
    for (let at = 0; at < piece.length; at += ENTRY) {
      if (piece.readUInt32LE(at) !== b) continue;
      const first = piece.readUInt32LE(at + 4);
      const count = piece.readUInt16LE(at + 8);
      for (let next = 0; next < count; next += 1) rows.push(first + next);
    }
    // A row that holds a text in two columns has two entries.
    return [...new Set(rows)].sort((one, other) => one - other);
  };
}

/**
 * From numbers of rows to their values; blocks read lately are kept. Decompressing is done in place, for libuv's threads
 * take three times as long for such small pieces; others get their turn after every read.
 */
function blockReader(file: FileHandle, { blockList, rows }: SideHeader) {
  const kept = new Map<number, string[]>();
  const unpack = (block: number, bytes: Buffer, crc: number): string[] => {
    if (crc32(bytes) !== crc) throw new DamagedSideIndex(`its block ${block} is damaged`);
    const lines = brotliDecompressSync(bytes, { chunkSize: CHUNK }).toString().split('\n');
    const expected = Math.min(ROWS_PER_BLOCK, rows.all - block * ROWS_PER_BLOCK);
    if (lines.length !== expected) throw new DamagedSideIndex(`its block ${block} has ${lines.length} rows`);
    kept.set(block, lines);
    const [oldest] = kept.keys();
    if (kept.size > KEPT_BLOCKS && oldest !== undefined) kept.delete(oldest);
    return lines;
  };
  /** Where blocks stand, in stretches that one read takes. */
  const stretches = async (blocks: readonly number[]): Promise<Stretch[]> => {
    const first = blocks[0] ?? 0;
    const list = await readPiece(
      file,
      blockList.at + first * BLOCK_ITEM,
      ((blocks.at(-1) ?? first) - first + 1) * BLOCK_ITEM,
    );
    const found: Stretch[] = [];
    for (const block of blocks) {
      const place = (block - first) * BLOCK_ITEM;
      const [at, length] = [list.readUIntLE(place, 6), list.readUInt32LE(place + 6)];
      if (at + length > blockList.at) throw new DamagedSideIndex('its list of blocks is damaged');
      const one = { block, at, length, crc: list.readUInt32LE(place + 10) };
      const last = found.at(-1);
      if (last !== undefined && at >= last.end && at - last.end < GAP && at + length - last.at < STRETCH) {
        last.blocks.push(one);
        last.end = at + length;
      } else found.push({ at, end: at + length, blocks: [one] });
    }
    return found;
  };
  return async (wanted: readonly number[], signal?: AbortSignal): Promise<Map<number, unknown[]>> => {
    const byBlock = new Map<number, number[]>();
    for (const row of new Set(wanted)) {
      const block = Math.floor(row / ROWS_PER_BLOCK);
      const mine = byBlock.get(block);
      if (mine === undefined) byBlock.set(block, [row]);
      else mine.push(row);
    }
    const found = new Map<number, unknown[]>();
    const take = (block: number, lines: readonly string[]) => {
      for (const row of byBlock.get(block) ?? [])
        found.set(row, JSON.parse(lines[row % ROWS_PER_BLOCK] ?? 'null') as unknown[]);
    };
    const missing: number[] = [];
    for (const block of [...byBlock.keys()].sort((a, b) => a - b)) {
      const lines = kept.get(block);
      if (lines !== undefined) take(block, lines);
      else if (block < blockList.items) missing.push(block);
      else throw new DamagedSideIndex('it names rows that it has not');
    }
    if (missing.length === 0) return found;
    for (const stretch of await stretches(missing)) {
      stopIfAborted(signal);
      const bytes = await readPiece(file, stretch.at, stretch.end - stretch.at);
      for (const { block, at, length, crc } of stretch.blocks)
        take(block, unpack(block, bytes.subarray(at - stretch.at, at - stretch.at + length), crc));
    }
    return found;
  };
}

/** Blocks that are read at once. */
interface Stretch {
  at: number;
  end: number;
  blocks: { block: number; at: number; length: number; crc: number }[];
}

/** Bytes that one read takes at most; bytes between two blocks that are read rather than skipped; room to decompress to. */
const STRETCH = 1 << 20;
const GAP = 1 << 15;
const CHUNK = 1 << 17;
