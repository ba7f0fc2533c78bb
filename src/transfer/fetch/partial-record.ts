/**
 * The record beside the bytes of a file under way: what they are a part of, for the run that goes on with them.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import * as v from 'valibot';
import { type Digest, isDigest } from '../../identifiers/index.ts';
import type { PlannedFile } from '../plan.ts';

const digest = v.custom<Digest>((value) => typeof value === 'string' && isDigest(value));

const recordShape = v.object({
  version: v.literal(1),
  path: v.string(),
  planned: v.array(digest),
  source: v.string(),
  pin: v.optional(v.string()),
  total: v.optional(v.number()),
  replied: v.array(digest),
});

/** Which object the bytes so far belong to. */
export interface Origin {
  /** Mirror, place and key as one text. */
  source: string;
  /** What `ifMatch` takes; undefined where nothing pins the object. */
  pin: string | undefined;
  /** Bytes of the whole object, where announced or planned. */
  total: number | undefined;
  /** Digests of the whole object that the reply vouched for. */
  replied: Digest[];
}

/** Writes a record; it appears whole or not at all. */
export async function writePartialRecord(file: string, planned: PlannedFile, origin: Origin): Promise<void> {
  const record: v.InferInput<typeof recordShape> = {
    version: 1,
    path: planned.path,
    planned: planned.digests,
    ...origin,
  };
  await writeFile(`${file}.new`, JSON.stringify(record));
  await rename(`${file}.new`, file);
}

/**
 * Reads a record. Undefined where there is none, where it cannot be read, where it is about another file, or where
 * no digest of the whole object would prove the bytes in the end: then they must not be built upon.
 */
export async function readPartialRecord(file: string, planned: PlannedFile): Promise<Origin | undefined> {
  const record = await readFile(file, 'utf8').then(
    (text) => v.safeParse(v.pipe(v.string(), v.parseJson(), recordShape), text),
    () => undefined,
  );
  if (record?.success !== true) return undefined;
  const { path, pin, total, replied, source } = record.output;
  if (path !== planned.path) return undefined;
  if (planned.size !== undefined && total !== undefined && planned.size !== total) return undefined;
  const covered =
    planned.digests.length > 0
      ? sameDigests(planned.digests, record.output.planned)
      : pin !== undefined && replied.length > 0;
  return covered ? { source, pin, total: total ?? planned.size, replied } : undefined;
}

function sameDigests(a: readonly Digest[], b: readonly Digest[]): boolean {
  return a.length === b.length && a.every((digest) => b.includes(digest));
}
