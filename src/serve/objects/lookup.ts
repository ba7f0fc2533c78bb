import { ApiError } from './api-error.ts';
import type { BucketTree, StoredFile } from './bucket-tree.ts';

/** The bucket, or `NoSuchBucket`. */
export async function requireBucket(
  tree: BucketTree,
  name: string,
): Promise<{ name: string; created: Date }> {
  const bucket = await tree.bucket(name);
  if (bucket === undefined) throw new ApiError('NoSuchBucket', [['BucketName', name]]);
  return bucket;
}

/** The file of a key, or `NoSuchKey`, or `NoSuchBucket`. Keys have at most 1,024 bytes. */
export async function requireFile(tree: BucketTree, bucket: string, key: string): Promise<StoredFile> {
  if (Buffer.byteLength(key) > 1024) throw new ApiError('KeyTooLongError', [['MaxSizeAllowed', 1024]]);
  const file = await tree.find(bucket, key);
  if (file !== undefined) return file;
  await requireBucket(tree, bucket);
  throw new ApiError('NoSuchKey', [['Key', key]]);
}

/**
 * Bucket and key of a request in path style, or in virtual-host style below `domain`.
 * Throws `InvalidURI` for broken percent signs.
 *
 * @param plusIsSpace S3 reads a bare plus in a path as a space (every client sends `%2B` for a plus), GCS does not.
 */
export function readTarget(
  url: URL,
  options: { domain?: string | undefined; plusIsSpace?: boolean },
): { bucket: string; key: string } {
  const path = url.pathname.slice(1);
  const decoded = decodeName(options.plusIsSpace === true ? path.replaceAll('+', '%20') : path);
  const suffix = options.domain === undefined ? undefined : `.${options.domain.toLowerCase()}`;
  if (suffix !== undefined && url.hostname.endsWith(suffix)) {
    return { bucket: url.hostname.slice(0, -suffix.length), key: decoded };
  }
  const slash = decoded.indexOf('/');
  return slash < 0
    ? { bucket: decoded, key: '' }
    : { bucket: decoded.slice(0, slash), key: decoded.slice(slash + 1) };
}

/** Decodes percent signs; `InvalidURI` where they are broken. */
export function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ApiError('InvalidURI', [['URI', text]]);
  }
}
