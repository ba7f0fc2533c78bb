/**
 * Reads a journal back, line by line: journals of millions of files are longer than the longest string.
 */
import { open } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { CarrelError } from '../../errors.ts';
import { type Digest, isDigest } from '../../identifiers/index.ts';
import { systemCode } from '../disk-error.ts';
import type { Evidence } from '../events.ts';

/** Version of the format; a journal of a later one is refused. */
export const JOURNAL_VERSION = 1;

const READ_BYTES = 4 << 20;

/** How a record begins, as it is written. */
const RECORD = '{"path":';

/** What is known of a file that this engine put there. */
export interface JournalRecord {
  path: string;
  size: number;
  /** Nanoseconds since 1970, as text: a number loses the last digits. */
  mtimeNs: string;
  digests: Digest[];
  verifiedBy: Evidence;
  /** The bytes were on the disk itself before this was written: trusted whatever became of the run. */
  flushed?: boolean | undefined;
}

/** What a journal says. */
export interface JournalContent {
  /** The last word on each path, as far as it can be trusted. */
  records: Map<string, JournalRecord>;
  /** Of these, the paths that are trusted only because the machine was not started anew since. */
  unsettled: Set<string>;
  /** Lines that are not empty. */
  lines: number;
  /** What follows the last line end: the line that a kill tore. */
  tail: string;
}

/**
 * Reads the journal at `file`; nothing where there is none.
 *
 * @param boot identity of this boot of the machine
 * @param wanted lines of records that are looked at; the others are passed over unread
 */
export async function readJournal(
  file: string,
  boot: string,
  wanted?: (line: string) => boolean,
): Promise<JournalContent> {
  const reader = createReader(boot, wanted);
  const handle = await open(file, 'r').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (handle === undefined) return reader.end();
  try {
    const decoder = new StringDecoder('utf8');
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length);
      if (bytesRead === 0) break;
      reader.text(decoder.write(buffer.subarray(0, bytesRead)));
    }
    reader.text(decoder.end());
    return reader.end();
  } finally {
    await handle.close();
  }
}

/** The same for a text in memory. */
export function parseJournal(text: string, boot: string): JournalContent {
  const reader = createReader(boot);
  reader.text(text);
  return reader.end();
}

function createReader(
  boot: string,
  wanted?: (line: string) => boolean,
): { text(piece: string): void; end(): JournalContent } {
  const records = new Map<string, JournalRecord>();
  let unsettled: string[] = [];
  const trusted = new Set<string>();
  let runBoot = boot;
  let lines = 0;
  let tail = '';
  /** Records of a run that did not end are believed within the same boot of the machine only. */
  const closeRun = () => {
    for (const path of unsettled) {
      if (runBoot === boot && boot !== '') trusted.add(path);
      else records.delete(path);
    }
    unsettled = [];
  };
  const take = (line: string) => {
    if (line === '') return;
    lines += 1;
    if (wanted !== undefined && line.startsWith(RECORD) && !wanted(line)) return;
    const value = parseLine(line);
    if (value !== undefined) takeValue(value);
  };
  const takeValue = (value: Record<string, unknown>) => {
    const record = asRecord(value);
    if (record !== undefined) {
      records.set(record.path, record);
      trusted.delete(record.path);
      if (record.flushed !== true) unsettled.push(record.path);
    } else if (typeof value['start'] === 'string') {
      closeRun();
      runBoot = typeof value['boot'] === 'string' ? value['boot'] : '';
    } else if (typeof value['end'] === 'string') unsettled = [];
    else if (value['carrel'] === 'journal' && Number(value['version']) > JOURNAL_VERSION) {
      throw new CarrelError('unsupported', `the state of this folder has version ${value['version']}`, {
        next: 'use a newer carrel, or remove the folder .carrel (files are then checked again, not fetched again)',
      });
    }
  };
  return {
    text(piece) {
      const text = tail + piece;
      const end = text.lastIndexOf('\n');
      tail = text.slice(end + 1);
      const whole = text.slice(0, Math.max(0, end));
      const values = wanted === undefined ? parseLines(whole) : undefined;
      if (values === undefined) for (const line of whole.split('\n')) take(line);
      else {
        lines += values.length;
        for (const value of values) takeValue(value);
      }
    },
    end() {
      take(tail);
      closeRun();
      return { records, unsettled: trusted, lines, tail };
    },
  };
}

/**
 * Many lines at once, in half the time; undefined unless each is a document. A line that a kill tore makes the whole no JSON:
 * none that follows closes what it left open.
 */
function parseLines(text: string): Record<string, unknown>[] | undefined {
  try {
    const values: unknown = JSON.parse(`[${text.replaceAll('\n', ',')}]`);
    if (!Array.isArray(values) || !values.every(isRecord)) return undefined;
    let lines = text === '' ? 0 : 1;
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines += 1;
    return values.length === lines ? values : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function parseLine(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const EVIDENCE: readonly string[] = [
  'sha256',
  'md5',
  's3etag',
  'crc64nvme',
  'crc32c',
  'size',
  'none',
] satisfies Evidence[];

/** Checked by hand: a schema library takes longer than all the rest, and this runs once per file of a cohort. */
function asRecord(value: Record<string, unknown>): JournalRecord | undefined {
  const { path, size, mtimeNs, digests, verifiedBy, flushed } = value;
  if (typeof path !== 'string' || typeof size !== 'number' || typeof mtimeNs !== 'string') return undefined;
  if (typeof verifiedBy !== 'string' || !EVIDENCE.includes(verifiedBy)) return undefined;
  if (!Array.isArray(digests) || !digests.every(isDigestText)) return undefined;
  const record = { path, size, mtimeNs, digests, verifiedBy: verifiedBy as Evidence };
  return flushed === true ? { ...record, flushed } : record;
}

function isDigestText(value: unknown): value is Digest {
  return typeof value === 'string' && isDigest(value);
}
