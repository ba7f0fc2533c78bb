/**
 * Receipts of packages, in `carrel.receipts.jsonl` and in its format (docs/receipts.md): what was fetched when, by what, and how
 * it was proven. Two members are added: `evidence`, and a `note` where upstream gave no digest, for a digest in such a line is
 * that of the bytes that came.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { openReceiptLog, RECEIPTS_NAME, withoutQuery } from '../../cohort/index.ts';
import type { CarrelError } from '../../errors.ts';
import type { Digest } from '../../identifiers/index.ts';
import type { PackageEvidence, PackageLock } from './package-lock.ts';
import { printPackageLock } from './print-package-lock.ts';

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
  const log = openReceiptLog(join(directory, RECEIPTS_NAME), { ...header, archive: 'tcia', release: null });
  const counts = { fetched: 0, reused: 0, present: 0, failed: 0 };
  return {
    file(receipt) {
      counts.fetched += 1;
      const { evidence, digest } = receipt;
      log.add('file', {
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
      counts.failed += 1;
      const { error, attempts, local } = receipt;
      const message = withoutSecrets(error.message);
      log.add('failure', { key: keyOf(receipt), path: local, code: error.code, message, attempts });
    },
    present() {
      counts.present += 1;
    },
    end(lock) {
      const text = lock === undefined ? undefined : printPackageLock(lock);
      const digest = text === undefined ? null : `sha256:${createHash('sha256').update(text).digest('hex')}`;
      log.end({ ...counts, lock: digest });
    },
  };
}

function keyOf({ host, packageId, path }: PackageFileName): string {
  return `${host}/${packageId}/${path}`;
}

/** Queries of links hold passcodes; whoever reports an error leaves them out, and this is the second lock on the door. */
function withoutSecrets(text: string): string {
  return withoutQuery(text).replaceAll(/\b(passcode|token|context|cookie)\b(\s*[=:]\s*)\S+/gi, '$1$2…');
}
