/**
 * The journal: what this folder holds and how it was proven, so that the next run need not read it again.
 *
 * One JSON document per line, appended and never changed. A record is written *before* its file gets its final
 * name and names the modification time of the very bytes that were verified (a rename keeps it): a record without
 * its file is harmless, a file that was changed later does not match its record. A kill at any moment can garble
 * only the last line, and a line that cannot be read is left out: the worst that follows is that a file is hashed.
 *
 * A crash of the machine (not of the process) can lose bytes that were renamed already, because an fsync per file costs
 * a third to four fifths of the speed on small files. So each run notes which boot of the machine it belongs to, and at
 * its end flushes what it recorded and says so. Records of a run that did not say so, from another boot, are not trusted,
 * and their files are hashed again; those that were flushed one by one (`--fsync file`) are.
 */
import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import { JOURNAL_VERSION, type JournalRecord, readJournal } from './read-journal.ts';

export type { JournalRecord } from './read-journal.ts';

/** Lines above which a journal is written anew, if most of them are out of date. */
const COMPACT_LINES = 10_000;

/** An open journal. */
export interface Journal {
  /** The last word on a path, if it can be trusted. */
  get(path: string): JournalRecord | undefined;
  add(record: JournalRecord): void;
  /** Paths of the records that this run added. */
  readonly added: readonly string[];
  /** Writes, where `settled`, that everything that this run recorded is on the disk itself; closes. */
  close(options: { settled: boolean }): Promise<void>;
}

/**
 * Opens or creates the journal at `file`.
 *
 * @param options.boot identity of this boot of the machine; default: the kernel's, where it has one.
 * @throws CarrelError `unsupported` for a journal of a later version.
 */
export async function openJournal(file: string, options: { boot?: string } = {}): Promise<Journal> {
  const boot = options.boot ?? (await bootId());
  await rm(`${file}.new`, { force: true });
  const { records, unsettled, lines, tail } = await readJournal(file, boot);
  if (lines > COMPACT_LINES && lines > 2 * records.size) await compact(file, records, unsettled, boot);
  const handle = await open(file, 'a');
  const run = randomUUID();
  const added: string[] = [];
  // A garbled tail has no line end: without one of our own, our first line would be lost with it.
  if (tail !== '') append(handle, '\n');
  if (lines === 0) append(handle, line({ carrel: 'journal', version: JOURNAL_VERSION }));
  append(handle, line({ start: run, boot }));
  return {
    get: (path) => records.get(path),
    added,
    add(record) {
      records.set(record.path, record);
      added.push(record.path);
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

/**
 * Files that a folder's journal vouches for, by path. Takes no lock: what is added meanwhile may be missing.
 *
 * @param wanted lines of records that are looked at
 * @throws CarrelError `unsupported` for a journal of a later version
 */
export async function readProven(
  file: string,
  wanted?: (line: string) => boolean,
): Promise<Map<string, JournalRecord>> {
  return (await readJournal(file, await bootId(), wanted)).records;
}

async function compact(
  file: string,
  records: Map<string, JournalRecord>,
  unsettled: ReadonlySet<string>,
  boot: string,
): Promise<void> {
  const temporary = `${file}.new`;
  const handle = await open(temporary, 'w');
  try {
    let block = line({ carrel: 'journal', version: JOURNAL_VERSION });
    const settled = [...records.values()].filter(({ path }) => !unsettled.has(path));
    for (const record of settled) {
      block += line(record);
      if (block.length > 1 << 20) {
        append(handle, block);
        block = '';
      }
    }
    append(handle, block + line({ end: randomUUID() }));
    // The others are trusted within this boot of the machine only, as before.
    const others = [...records.values()].filter(({ path }) => unsettled.has(path));
    if (others.length > 0) append(handle, [{ start: randomUUID(), boot }, ...others].map(line).join(''));
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

/** Identity of this boot of the machine; empty where it has none, which means: trust settled runs only. */
async function bootId(): Promise<string> {
  try {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  } catch {
    return '';
  }
}
