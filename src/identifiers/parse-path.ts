/** Local paths. Nothing is looked up here: a word without a slash may still be a file, which the caller can ask first. */
import { decodeOnce } from './check-text.ts';
import type { PathIdentifier } from './identifier.ts';
import { refuse } from './refuse.ts';

/** Ends of names that are files of ours and of nobody's collections or patients. */
const MANIFEST = /\.(?:s5cmd|tcia|dcf|csv|tsv|json|jsonl|txt|parquet)$/i;

/**
 * True for what can only be a path: a slash or backslash in it, `.`, `..`, `~`, a drive letter, or the name of a
 * manifest. No collection id, PatientID or UID of IDC holds a slash.
 */
export function isLocalPath(trimmed: string): boolean {
  if (/^(?:\.{1,2}|~)$/.test(trimmed) || /^[a-z]:[\\/]/i.test(trimmed)) return true;
  if (/^[^/\\]*:/.test(trimmed) || /\s(?:s3|gs|drs|https?):\/\//i.test(trimmed)) return false;
  if (/^(?:drs|s3|gs|https?|file)\/\//i.test(trimmed) || /^dg\.[a-z0-9]+\//i.test(trimmed)) return false;
  return /[/\\]/.test(trimmed) || (MANIFEST.test(trimmed) && !/\s/.test(trimmed));
}

/** Reads `file:///x`, `file://localhost/x` and `file:/x`. Throws `bad-input` for another host. */
export function parseFileUrl(trimmed: string, text: string): PathIdentifier {
  const [, host = '', path] = /^file:(?:\/\/([^/]*))?(\/[^?#]*)$/i.exec(trimmed) ?? [];
  if (path === undefined || (host !== '' && host.toLowerCase() !== 'localhost')) {
    throw refuse(
      text,
      'names no file of this machine',
      'write it as file:///folder/file, or as a plain path',
    );
  }
  const decoded = decodeOnce(path, text);
  const drive = /^\/[a-z]:[\\/]/i.test(decoded);
  return { kind: 'path', path: drive ? decoded.slice(1) : decoded, text, warnings: [] };
}
