/**
 * What the engine says while it works. The command line prints these; the library never does.
 */
import type { CarrelError } from '../errors.ts';
import type { Digest } from '../identifiers/index.ts';

/** How a file was proven. `size` and `none` only where nothing stronger was at hand or asked for. */
export type Evidence = 'sha256' | 'md5' | 's3etag' | 'crc64nvme' | 'crc32c' | 'size' | 'none';

/** A file that stands under its final name. */
export interface FileResult {
  path: string;
  bytes: number;
  /** Of the bytes on disk. */
  digest: Digest | undefined;
  /** What it was compared with. */
  verifiedBy: Evidence;
  /** `fetched` now, `present` before this run, or `reused`: taken from another place on this machine. */
  how: 'fetched' | 'present' | 'reused';
  /** Mirror that served the last byte; undefined for files that were not fetched. */
  mirror?: string | undefined;
  attempts: number;
  milliseconds: number;
}

/** A file that could not be completed. */
export interface FileFailure {
  path: string;
  error: CarrelError;
  attempts: number;
}

/** Events in the order in which they happen; `progress` at most ten times a second. */
export type TransferEvent =
  | { type: 'plan'; files: number; bytes: number | undefined; present: number; presentBytes: number }
  | {
      type: 'progress';
      files: number;
      bytes: number;
      totalFiles: number;
      totalBytes: number | undefined;
      bytesPerSecond: number;
      /** Attempts that were made again so far. */
      retries: number;
      /** Mirror that the last file came from; undefined before the first. */
      mirror?: string | undefined;
    }
  | ({ type: 'file' } & FileResult)
  | ({ type: 'failure' } & FileFailure)
  | { type: 'retry'; path: string; mirror: string; attempt: number; waitMs: number; reason: string }
  | { type: 'note'; message: string; item?: string | undefined };

/** The honest end of a run. `failed` empty and `fetched + present + reused === planned` or it is not done. */
export interface TransferSummary {
  planned: number;
  fetched: number;
  present: number;
  reused: number;
  failed: FileFailure[];
  bytesFetched: number;
  bytesPresent: number;
  bytesReused: number;
  /** Files per kind of evidence. */
  verifiedBy: Partial<Record<Evidence, number>>;
  requests: number;
  milliseconds: number;
}
