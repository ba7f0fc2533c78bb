/**
 * The plan: which files, from where, to which names. Nothing has been fetched yet.
 */
import type { Digest } from '../identifiers/index.ts';
import type { Source } from '../locations/index.ts';

/** One file to be present at the end. */
export interface PlannedFile {
  /** Below the destination, with `/`; already safe for every file system. */
  path: string;
  /** Bytes, where known. */
  size?: number | undefined;
  /** All known digests; a file is good when every one of them that can be computed agrees. */
  digests: Digest[];
  /** Where it can be fetched from, best first; never empty. */
  sources: Source[];
}
