/**
 * The journal: what this folder holds and how it was proven, so that the next run need not read it again.
 *
 * One JSON document per line, appended and never changed. A record is written *before* its file gets its final
 * name and names the modification time of the very bytes that were verified (a rename keeps it): a record without
 * its file is harmless, a file that was changed later does not match its record. A kill at any moment can garble
 * only the last line, and a line that cannot be read is left out: the worst that follows is that a file is hashed.
 *
 * A crash of the machine (not of the process) can lose bytes that were renamed already, because nothing here waits
 * for the disk (an fsync per file costs a third to four fifths of the speed on small files). So each run notes
 * which boot of the machine it belongs to and when it ended well: records of a run that did not end, from another
 * boot, are not trusted, and their files are hashed again.
 */
import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import * as v from 'valibot';
import { CarrelError } from '../errors.ts';
import { type Digest, isDigest } from '../identifiers/index.ts';
import { systemCode } from './disk-error.ts';
import type { Evidence } from './events.ts';

/** Version of the format; a journal of a later one is refused. */
const VERSION = 1;

/** Lines above which a journal is written anew, if most of them are out of date. */
const COMPACT_LINES = 10_000;

/** What is known of a file that this engine put there. */
export interface JournalRecord {
  path: string;
  size: number;
  /** Nanoseconds since 1970, as text: a number loses the last digits. */
  mtimeNs: string;
  digests: Digest[];
  verifiedBy: Evidence;
}

/** An open journal. */
export interface Journal {
  /** The last word on a path, if it can be trusted. */
  get(path: string): JournalRecord | undefined;
  add(record: JournalRecord): void;
  /** Writes that the run ended well (everything is on the disk's own) and closes. */
  close(options: { settled: boolean }): Promise<void>;
}

const digest = v.custom<Digest>((value) => typeof value === 'string' && isDigest(value));

const recordLine = v.object({
  path: v.string(),
  size: v.number(),
  mtimeNs: v.string(),
  digests: v.array(digest),
  verifiedBy: v.picklist(['sha256', 'md5', 'crc32c', 'size', 'none']),
});
const headerLine = v.object({ carrel: v.literal('journal'), version: v.number() });
const startLine = v.object({ start: v.string(), boot: v.string() });
const endLine = v.object({ end: v.string() });

/**
 * Opens or creates the journal at `file`.
 *
 * @param options.boot identity of this boot of the machine; default: the kernel's, where it has one.
 * @throws CarrelError `unsupported` for a journal of a later version.
 */
export async function openJournal(file: string, options: { boot?: string } = {}): Promise<Journal> {
  const boot = options.boot ?? (await bootId());
  const text = await readText(file);
  const { records, lines } = parseJournal(text, boot);
  if (lines > COMPACT_LINES && lines > 2 * records.size) await compact(file, records);
  const handle = await open(file, 'a');
  const run = randomUUID();
  // A garbled tail has no line end: without one of our own, our first line would be lost with it.
  if (text !== '' && !text.endsWith('\n')) append(handle, '\n');
  if (text === '') append(handle, line({ carrel: 'journal', version: VERSION }));
  append(handle, line({ start: run, boot }));
  return {
    get: (path) => records.get(path),
    add(record) {
      records.set(record.path, record);
      append(handle, line(record));
    },
    async close({ settled }) {
      try {
        if (settled) {
          append(handle, line({ end: run }));
          await handle.sync();
        }
      } finally {
        await handle.close();
      }
    },
  };
}

/** Reads lines; the last record of a path wins, and only those that can be trusted are kept. */
export function parseJournal(
  text: string,
  boot: string,
): { records: Map<string, JournalRecord>; lines: number } {
  const records = new Map<string, JournalRecord>();
  let unsettled: string[] = [];
  let runBoot = boot;
  let lines = 0;
  const forget = () => {
    if (runBoot !== boot || boot === '') for (const path of unsettled) records.delete(path);
    unsettled = [];
  };
  for (const one of text.split('\n')) {
    if (one === '') continue;
    lines += 1;
    const value = parseLine(one);
    if (v.is(recordLine, value)) {
      records.set(value.path, value);
      unsettled.push(value.path);
    } else if (v.is(startLine, value)) {
      forget();
      runBoot = value.boot;
    } else if (v.is(endLine, value)) {
      unsettled = [];
    } else if (v.is(headerLine, value) && value.version > VERSION) {
      throw new CarrelError('unsupported', `the state of this folder has version ${value.version}`, {
        next: 'use a newer carrel, or remove the folder .carrel (files are then checked again, not fetched again)',
      });
    }
  }
  forget();
  return { records, lines };
}

async function compact(file: string, records: Map<string, JournalRecord>): Promise<void> {
  const temporary = `${file}.new`;
  const handle = await open(temporary, 'w');
  try {
    let block = line({ carrel: 'journal', version: VERSION });
    for (const record of records.values()) {
      block += line(record);
      if (block.length > 1 << 20) {
        append(handle, block);
        block = '';
      }
    }
    // What is kept was trusted when it was read, so it is settled.
    append(handle, block + line({ end: randomUUID() }));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}

/** One synchronous write per line: microseconds, and nothing is lost when the process is killed. */
function append(handle: FileHandle, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) at += writeSync(handle.fd, bytes, at);
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

function parseLine(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function readText(file: string): Promise<string> {
  await rm(`${file}.new`, { force: true });
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return '';
    throw error;
  }
}

/** Identity of this boot of the machine; empty where it has none, which means: trust settled runs only. */
async function bootId(): Promise<string> {
  try {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  } catch {
    return '';
  }
}
