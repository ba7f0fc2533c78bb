/**
 * Receipts of packages, in `carrel.receipts.jsonl` and in its format (docs/receipts.md): what was fetched when, by what, and how
 * it was proven. Two members are added: `evidence`, and a `note` where upstream gave no digest, for a digest in such a line is
 * that of the bytes that came.
 */
import { createHash, randomUUID } from 'node:crypto';
import { appendFileSync, closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { RECEIPTS_NAME } from '../../cohort/index.ts';
import type { CarrelError } from '../../errors.ts';
import type { Digest } from '../../identifiers/index.ts';
import type { PackageEvidence, PackageLock } from './package-lock.ts';
import { printPackageLock } from './print-package-lock.ts';

const FLUSH_MS = 1_000;

/** What a receipt says where nothing of the package proves the bytes. */
export const NO_UPSTREAM_DIGEST = 'upstream gave no digest';

/** What a run is called in its first line. */
export interface PackageReceiptHeader {
  /** `tcia get`; programs write what they like. */
  command: string;
  /** Of the program that writes. */
  version: string | null;
}

/** Names a file of a package. */
export interface PackageFileName {
  host: string;
  packageId: string;
  /** In the package. */
  path: string;
  /** Below the destination. */
  local: string;
}

/** A file that was fetched. */
export interface PackageFileReceipt extends PackageFileName {
  bytes: number;
  /** Of the list of the package where `evidence` is `sums`, else of the bytes that came; null where it was not computed. */
  digest: Digest | null;
  evidence: PackageEvidence;
  /** Who moved it: `ascp 4.4.7`. */
  transport: string;
  attempts: number;
  milliseconds: number;
}

/** Writes the receipts of one run. */
export interface PackageReceiptWriter {
  file: (receipt: PackageFileReceipt) => void;
  failure: (receipt: PackageFileName & { error: CarrelError; attempts: number }) => void;
  /** A file that was here already; only counted. */
  present: () => void;
  /** The last line, and everything that waits. Without a lock where the run was ended. */
  end: (lock: PackageLock | undefined) => void;
}

/**
 * Opens the receipts of a run; the first line makes the file. What cannot be written is left out: a receipt that is missing must
 * not fail a transfer that is right.
 */
export function openPackageReceipts(directory: string, header: PackageReceiptHeader): PackageReceiptWriter {
  const path = join(directory, RECEIPTS_NAME);
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
  const add = (line: Record<string, unknown>) => {
    waiting += `${JSON.stringify(line)}\n`;
    timer ??= setTimeout(flush, FLUSH_MS).unref();
  };
  const begin = () => {
    if (begun) return;
    begun = true;
    const { command, version } = header;
    const time = new Date().toISOString();
    add({ type: 'run', receipts: 1, run, time, command, version, archive: 'tcia', release: null });
  };
  return {
    file(receipt) {
      begin();
      counts.fetched += 1;
      const { evidence, digest } = receipt;
      add({
        type: 'file',
        run,
        key: keyOf(receipt),
        path: receipt.local,
        bytes: receipt.bytes,
        digest,
        verifiedBy:
          evidence === 'sums' ? (digest?.split(':')[0] ?? 'none') : evidence === 'size' ? 'size' : 'none',
        how: 'fetched',
        mirror: receipt.transport,
        attempts: receipt.attempts,
        milliseconds: Math.round(receipt.milliseconds),
        evidence,
        ...(evidence === 'sums' ? {} : { note: NO_UPSTREAM_DIGEST }),
      });
    },
    failure(receipt) {
      begin();
      counts.failed += 1;
      const { error, attempts, local } = receipt;
      const message = withoutSecrets(error.message);
      add({ type: 'failure', run, key: keyOf(receipt), path: local, code: error.code, message, attempts });
    },
    present() {
      counts.present += 1;
    },
    end(lock) {
      if (begun) {
        const text = lock === undefined ? undefined : printPackageLock(lock);
        const digest =
          text === undefined ? null : `sha256:${createHash('sha256').update(text).digest('hex')}`;
        add({ type: 'end', run, time: new Date().toISOString(), ...counts, lock: digest });
      }
      flush();
    },
  };
}

function keyOf({ host, packageId, path }: PackageFileName): string {
  return `${host}/${packageId}/${path}`;
}

/** Queries of links hold passcodes; whoever reports an error leaves them out, and this is the second lock on the door. */
function withoutSecrets(text: string): string {
  return text
    .replaceAll(/\?\S*/g, '?…')
    .replaceAll(/(\w+:\/\/)[^\s/@]+@/g, '$1…@')
    .replaceAll(/\b(passcode|token|context|cookie)\b(\s*[=:]\s*)\S+/gi, '$1$2…');
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
