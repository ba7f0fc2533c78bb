/** What an earlier run fetched of a series, so that a second one asks for nothing. */
import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import type { Digest } from '../../identifiers/index.ts';
import { STATE_FOLDER } from '../../transfer/index.ts';
import { printSums } from '../sums/print-sums.ts';
import type { NbiaFile } from './fetch-series.ts';

const recordShape = v.object({
  v: v.literal(1),
  layout: v.string(),
  files: v.array(
    v.object({
      path: v.string(),
      bytes: v.number(),
      md5: v.string(),
      modified: v.number(),
      sopInstanceUid: v.optional(v.string()),
      verifiedBy: v.picklist(['md5', 'crc32']),
    }),
  ),
});

/**
 * The files of a series that stand as they were proven: the same sizes and times. Undefined where one is missing or was
 * touched, or where another layout is asked for.
 */
export async function readSeriesRecord(
  state: string,
  uid: string,
  folder: string,
  layout: string,
): Promise<NbiaFile[] | undefined> {
  const text = await readFile(recordPath(state, uid), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const record = v.safeParse(recordShape, parseJson(text));
  if (!record.success || record.output.layout !== layout || record.output.files.length === 0)
    return undefined;
  const files: NbiaFile[] = [];
  for (const { path, bytes, md5, modified, sopInstanceUid, verifiedBy } of record.output.files) {
    const info = await stat(join(folder, path)).catch(() => undefined);
    if (info?.isFile() !== true || info.size !== bytes || info.mtimeMs !== modified) return undefined;
    files.push({ path, bytes, digest: `md5:${md5}`, sopInstanceUid, verifiedBy });
  }
  return files;
}

/** Records what stands in its place now. */
export async function writeSeriesRecord(
  state: string,
  uid: string,
  folder: string,
  layout: string,
  files: readonly NbiaFile[],
): Promise<void> {
  const lines = await Promise.all(
    files.map(async ({ path, bytes, digest, sopInstanceUid, verifiedBy }) => {
      const modified = (await stat(join(folder, path))).mtimeMs;
      return { path, bytes, md5: digest.slice('md5:'.length), modified, sopInstanceUid, verifiedBy };
    }),
  );
  const temporary = `${recordPath(state, uid)}.${process.pid}.tmp`;
  await writeFile(temporary, `${JSON.stringify({ v: 1, layout, files: lines })}\n`);
  await rename(temporary, recordPath(state, uid));
}

/** The list of checksums that is kept beside what came from NBIA. */
export const NBIA_SUMS_NAME = 'carrel.nbia.sums';

/**
 * Writes `carrel.nbia.sums` into a destination: the MD5 of every file that came from NBIA, in this run or an earlier one, and is
 * still there. `carrel verify DIR --sums` reads it; lock files cannot pin what no bucket holds.
 *
 * @returns where it stands; undefined where nothing ever came
 */
export async function writeNbiaSums(folder: string): Promise<string | undefined> {
  const state = join(folder, STATE_FOLDER, 'nbia');
  const names = (await readdir(state).catch(() => [])).filter((name) => name.endsWith('.json'));
  const entries = new Map<string, { path: string; digests: Digest[] }>();
  for (const name of names) {
    const text = await readFile(join(state, name), 'utf8').catch(() => '');
    const record = v.safeParse(recordShape, parseJson(text));
    if (!record.success) continue;
    for (const { path, md5 } of record.output.files) {
      const info = await stat(join(folder, path)).catch(() => undefined);
      if (info?.isFile() === true) entries.set(path, { path, digests: [`md5:${md5}`] });
    }
  }
  if (entries.size === 0) return undefined;
  const target = join(folder, NBIA_SUMS_NAME);
  const temporary = `${target}.${process.pid}.tmp`;
  await writeFile(temporary, printSums(entries.values(), { comment: 'MD5 by the md5hashes.csv of NBIA' }));
  await rename(temporary, target);
  return target;
}

function recordPath(state: string, uid: string): string {
  return join(state, `${uid}.json`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
