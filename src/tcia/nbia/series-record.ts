/** What an earlier run fetched of a series, so that a second one asks for nothing. */
import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import type { Digest } from '../../identifiers/index.ts';
import { STATE_FOLDER } from '../../transfer/index.ts';
import { printSums } from '../sums/print-sums.ts';
import type { NbiaFile } from './fetch-series.ts';
import { NBIA_SUMS_NAME } from './nbia-sums-name.ts';

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
  await writeRecord(recordPath(state, uid), { v: 1, layout, files: lines });
}

/**
 * Writes `carrel.nbia.sums` into a destination: the MD5 of every file that came from NBIA, in this run or an earlier one, and is
 * still there. `carrel verify DIR --sums` reads it; lock files cannot pin what no bucket holds.
 *
 * @returns where it stands; undefined where nothing ever came
 */
export async function writeNbiaSums(folder: string): Promise<string | undefined> {
  const entries = new Map<string, { path: string; digests: Digest[] }>();
  for await (const { record } of readRecords(folder)) {
    for (const { path, md5 } of record.files) {
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

/** No time that a file can have. */
const NEVER = -1;

/**
 * Takes back that files stand as they were proven, since they were found wrong or missing. A folder that cannot be written to is
 * left as it is.
 *
 * @returns whose files they are, by path; those of no record are not in it
 */
export async function doubtFiles(
  folder: string,
  paths: ReadonlySet<string>,
): Promise<Map<string, { uid: string; layout: string }>> {
  const owners = new Map<string, { uid: string; layout: string }>();
  for await (const { uid, record } of readRecords(folder)) {
    const wrong = record.files.filter(({ path }) => paths.has(path));
    if (wrong.length === 0) continue;
    for (const { path } of wrong) owners.set(path, { uid, layout: record.layout });
    const files = record.files.map((file) => (wrong.includes(file) ? { ...file, modified: NEVER } : file));
    await writeRecord(recordPath(join(folder, STATE_FOLDER, 'nbia'), uid), { ...record, files }).catch(
      () => undefined,
    );
  }
  return owners;
}

async function* readRecords(
  folder: string,
): AsyncGenerator<{ uid: string; record: v.InferOutput<typeof recordShape> }> {
  const state = join(folder, STATE_FOLDER, 'nbia');
  const names = (await readdir(state).catch(() => [])).filter((name) => name.endsWith('.json'));
  for (const name of names) {
    const text = await readFile(join(state, name), 'utf8').catch(() => '');
    const record = v.safeParse(recordShape, parseJson(text));
    if (record.success) yield { uid: name.slice(0, -'.json'.length), record: record.output };
  }
}

async function writeRecord(path: string, record: v.InferInput<typeof recordShape>): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, `${JSON.stringify(record)}\n`);
  await rename(temporary, path);
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
