/**
 * `carrel.receipts.jsonl`: what was fetched when, from where, and how it was proven. Lines are appended as it happens and
 * never changed; a run that fetches nothing and fails nowhere adds nothing. No URL is written: signed ones hold secrets.
 */
import { createHash, randomUUID } from 'node:crypto';
import { appendFileSync, closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Digest } from '../identifiers/index.ts';
import { type LockFile, printLock } from '../manifests/index.ts';
import type { TransferEvent } from '../transfer/index.ts';

/** Name beside `carrel.lock.json`. */
export const RECEIPTS_NAME = 'carrel.receipts.jsonl';

/** Version of the format. */
export const RECEIPTS_VERSION = 1;

const FLUSH_MS = 1_000;

/** What a run is called in its first line. */
export interface ReceiptHeader {
  /** `get`, `update`, `verify`; programs write what they like. */
  command: string;
  /** Of the program that writes. */
  version: string | null;
  archive: string;
  release: string | null;
}

/** A line. `run` ties lines of one run together. */
export type Receipt =
  | ({ type: 'run'; receipts: 1; run: string; time: string } & ReceiptHeader)
  | {
      type: 'file';
      run: string;
      key: string;
      path: string;
      bytes: number;
      digest: Digest | null;
      verifiedBy: string;
      how: 'fetched' | 'reused';
      mirror: string | null;
      attempts: number;
      milliseconds: number;
    }
  | {
      type: 'failure';
      run: string;
      key: string;
      path: string;
      code: string;
      message: string;
      attempts: number;
    }
  | {
      type: 'end';
      run: string;
      time: string;
      fetched: number;
      reused: number;
      present: number;
      failed: number;
      /** SHA-256 of the lock file; null where none was written. */
      lock: Digest | null;
    };

/** Writes receipts of one run. */
export interface ReceiptWriter {
  report(event: TransferEvent): void;
  /** The last line, and everything that waits. After an interrupt without `lock`. */
  end(lock: LockFile | undefined): void;
}

/**
 * Opens the receipts of a run; the file is made by the first line. What cannot be written is left out: a receipt that is
 * missing must not fail a transfer that is right.
 */
export function openReceipts(
  path: string,
  header: ReceiptHeader,
  keyOf: (path: string) => string,
): ReceiptWriter {
  const run = randomUUID();
  const counts = { fetched: 0, reused: 0, present: 0, failed: 0 };
  let waiting = '';
  let begun = false;
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    const text = waiting;
    waiting = '';
    if (text === '') return;
    try {
      appendFileSync(path, (isTorn(path) ? '\n' : '') + text);
    } catch {
      // A full or read-only disk shows itself where it matters.
    }
  };
  const add = (receipt: Receipt) => {
    waiting += `${JSON.stringify(receipt)}\n`;
    timer ??= setTimeout(flush, FLUSH_MS).unref();
  };
  const begin = () => {
    if (begun) return;
    begun = true;
    add({ type: 'run', receipts: RECEIPTS_VERSION, run, time: new Date().toISOString(), ...header });
  };
  return {
    report(event) {
      if (event.type === 'file') {
        counts[event.how] += 1;
        if (event.how === 'present') return;
        begin();
        const { path: file, bytes, digest, verifiedBy, how, mirror, attempts, milliseconds } = event;
        add({
          type: 'file',
          run,
          key: withoutQuery(keyOf(file)),
          path: file,
          bytes,
          digest: digest ?? null,
          verifiedBy,
          how,
          mirror: mirror ?? null,
          attempts,
          milliseconds,
        });
      } else if (event.type === 'failure') {
        counts.failed += 1;
        begin();
        const { path: file, error, attempts } = event;
        const message = withoutQuery(error.message);
        add({
          type: 'failure',
          run,
          key: withoutQuery(keyOf(file)),
          path: file,
          code: error.code,
          message,
          attempts,
        });
      }
    },
    end(lock) {
      if (begun) {
        const digest: Digest | null =
          lock === undefined ? null : `sha256:${createHash('sha256').update(printLock(lock)).digest('hex')}`;
        add({ type: 'end', run, time: new Date().toISOString(), ...counts, lock: digest });
      }
      flush();
    },
  };
}

/** True where the last line has no end: its run was killed while it wrote. */
function isTorn(path: string): boolean {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return false;
  }
  try {
    const { size } = fstatSync(file);
    const last = Buffer.alloc(1);
    return size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== 10;
  } finally {
    closeSync(file);
  }
}

/** Signatures and tokens stand in the query of a URL, and passwords before its host. */
function withoutQuery(text: string): string {
  return text.replaceAll(/\?\S*/g, '?…').replaceAll(/(\w+:\/\/)[^\s/@]+@/g, '$1…@');
}

/** Lines of a file of receipts; those that cannot be read are left out. [] where there is none. */
export async function readReceipts(path: string): Promise<Receipt[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    try {
      const value = JSON.parse(line) as Receipt;
      return typeof value.type === 'string' && typeof value.run === 'string' ? [value] : [];
    } catch {
      return [];
    }
  });
}
