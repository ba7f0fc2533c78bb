/**
 * `carrel.receipts.jsonl`: what was fetched when, from where, and how it was proven. Lines are appended as it happens and
 * never changed; a run that fetches nothing and fails nowhere adds nothing. No URL is written: signed ones hold secrets.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Digest } from '../identifiers/index.ts';
import { type LockFile, printLock } from '../manifests/index.ts';
import type { TransferEvent } from '../transfer/index.ts';
import { openReceiptLog, type ReceiptHeader, withoutQuery } from './receipt-log.ts';

/** Name beside `carrel.lock.json`. */
export const RECEIPTS_NAME = 'carrel.receipts.jsonl';

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
  const counts = { fetched: 0, reused: 0, present: 0, failed: 0 };
  const log = openReceiptLog(path, header);
  return {
    report(event) {
      if (event.type === 'file') {
        counts[event.how] += 1;
        if (event.how === 'present') return;
        const { path: file, bytes, digest, verifiedBy, how, mirror, attempts, milliseconds } = event;
        log.add('file', {
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
        const { path: file, error, attempts } = event;
        const message = withoutQuery(error.message);
        log.add('failure', {
          key: withoutQuery(keyOf(file)),
          path: file,
          code: error.code,
          message,
          attempts,
        });
      }
    },
    end(lock) {
      log.end(() => {
        const digest: Digest | null =
          lock === undefined ? null : `sha256:${createHash('sha256').update(printLock(lock)).digest('hex')}`;
        return { ...counts, lock: digest };
      });
    },
  };
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
