/** What both APIs of Cloud Storage say of an object. */
import { ApiError } from './api-error.ts';
import type { StoredFile } from './bucket-tree.ts';
import { type FileDigests, hexToBase64 } from './file-digests.ts';

/** Number of a version: microseconds of its time stamp, which is what Google's own look like. */
export function generationOf(file: StoredFile): string {
  return String(file.mtimeNs / 1000n);
}

/** The JSON API's ETag: generation and metageneration (always 1) as a protocol buffer in base64. */
export function jsonEtag(file: StoredFile): string {
  const bytes = [0x08];
  for (let rest = file.mtimeNs / 1000n; ; rest >>= 7n) {
    if (rest < 0x80n) {
      bytes.push(Number(rest), 0x10, 0x01);
      return Buffer.from(bytes).toString('base64');
    }
    bytes.push(Number(rest & 0x7fn) | 0x80);
  }
}

/** Headers of every reply that carries an object or a part of it; the hashes are those of the whole object. */
export function gcsHeaders(file: StoredFile, digests: FileDigests): Record<string, string> {
  return {
    'x-goog-generation': generationOf(file),
    'x-goog-metageneration': '1',
    'x-goog-hash': `crc32c=${hexToBase64(digests.crc32c)},md5=${hexToBase64(digests.md5)}`,
    'x-goog-stored-content-encoding': 'identity',
    'x-goog-stored-content-length': String(file.size),
    'x-goog-storage-class': 'STANDARD',
  };
}

/** Preconditions on versions, wherever a request carries them. Undefined where it has none. */
export interface VersionConditions {
  generation?: string | null;
  generationMatch?: string | null;
  generationNotMatch?: string | null;
  metagenerationMatch?: string | null;
  metagenerationNotMatch?: string | null;
}

/**
 * Checks conditions on versions: another generation asked for is `NoSuchKey`, a failed match `PreconditionFailed`.
 * Returns 304 where a "not match" is not fulfilled (reading what the client already has).
 */
export function checkVersion(file: StoredFile, key: string, conditions: VersionConditions): 304 | undefined {
  const generation = generationOf(file);
  const isGiven = (value: string | null | undefined): value is string =>
    value !== null && value !== undefined;
  const { generationMatch, generationNotMatch, metagenerationMatch, metagenerationNotMatch } = conditions;
  if (isGiven(conditions.generation) && conditions.generation !== generation) {
    throw new ApiError('NoSuchKey', [['Key', key]]);
  }
  if (isGiven(generationMatch) && generationMatch !== generation) {
    throw new ApiError('PreconditionFailed', [['Condition', 'x-goog-if-generation-match']]);
  }
  if (isGiven(metagenerationMatch) && metagenerationMatch !== '1') {
    throw new ApiError('PreconditionFailed', [['Condition', 'x-goog-if-metageneration-match']]);
  }
  const isKnown =
    (isGiven(generationNotMatch) && generationNotMatch === generation) ||
    (isGiven(metagenerationNotMatch) && metagenerationNotMatch === '1');
  return isKnown ? 304 : undefined;
}
