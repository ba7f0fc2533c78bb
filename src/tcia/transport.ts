/** The contract of whoever moves the bytes of a package: `ascp`, an HTTP gateway. */
import type { CarrelError } from '../errors.ts';
import type { TransferSpec } from './faspex/transfer-spec.ts';

/** A file of a package and the name that it gets here. */
export interface PackagePair {
  /** In the package, as in `PackageEntry.path`. */
  path: string;
  /** Below the folder of the job, with `/`; already safe for every file system. */
  local: string;
  /** Bytes, where known. */
  size?: number | undefined;
}

/** What happens meanwhile. Bytes count from the start of the job; after a repetition they never go back. */
export type TransportEvent =
  | { type: 'bytes'; bytes: number }
  | { type: 'file-done'; path: string; bytes: number }
  | { type: 'attempt-failed'; attempt: number; delayMs: number; error: CarrelError }
  | { type: 'note'; message: string };

/** One transfer: some files of one package. */
export interface TransportJob {
  pairs: readonly PackagePair[];
  /** Where the files come to stand; exists. Nothing is written outside. */
  folder: string;
  /** A fresh token and spec for these paths; asked anew for every attempt, since tokens expire. */
  spec: (paths: readonly string[], signal: AbortSignal) => Promise<TransferSpec>;
  onEvent: (event: TransportEvent) => void;
  signal: AbortSignal;
}

/** How it ended: every pair of the job is in one of the two. A file is done only if it was seen on the disk, whole. */
export interface TransportResult {
  done: readonly { path: string; local: string; bytes: number }[];
  failed: readonly { path: string; local: string; error: CarrelError }[];
}

/** Moves bytes. Throws only what concerns the whole job: no such program, refused sign-in, `interrupted`. */
export interface PackageTransport {
  /** For receipts: `ascp 4.4.7`, `http-gateway 2.3.0`. */
  readonly name: string;
  readonly run: (job: TransportJob) => Promise<TransportResult>;
}
