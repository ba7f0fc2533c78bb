/**
 * Names that hurt no file system: what a plan may write, and how any value becomes one segment of a path.
 *
 * Keys of public buckets and values of DICOM attributes are input from strangers. Two well-known tools write
 * outside of the destination for a key with `..`, others drop one of two names that differ only by case. Here
 * both are refused before a byte moves.
 */
import { createHash } from 'node:crypto';
import { CarrelError } from '../errors.ts';
import type { PlannedFile } from './plan.ts';

/** The one hidden folder that the engine keeps in a destination. */
export const STATE_FOLDER = '.carrel';

/** Longest name that every common file system takes, in bytes of UTF-8 (ext4, XFS, APFS, NTFS: 255). */
const MAX_SEGMENT_BYTES = 255;

/** Longest path below the destination, in bytes: macOS refuses more than 1,024 for the whole. */
const MAX_PATH_BYTES = 1000;

/** What `safeSegment` cuts to before its hash: leaves room for a suffix of the layout's own. */
const SEGMENT_BYTES = 180;

/** Collisions named in one error. */
const SHOWN_PAIRS = 5;

/** Device names that Windows reserves, with any extension (docs: "Naming Files, Paths, and Namespaces"). */
const RESERVED = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/i;

/** Control characters, what NTFS refuses, and halves of surrogate pairs, which have no UTF-8 form. */
const FORBIDDEN = /[\p{Cc}<>:"\\|?*\u2028\u2029\p{Surrogate}]/u;

/** Names that need no look: every uuid, UID and most identifiers. None ends like a name that was made. */
const PLAIN = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,98}[A-Za-z0-9-])?$/;

/** Has no other form of Unicode, and one small letter for each capital. */
const ASCII = /^[ -~]*$/;

/** What a made segment may hold: letters, marks and digits of any script, inner blanks, and a few signs. */
const KEPT = /[^\p{L}\p{M}\p{N} ._+,@=(){}#&~-]/gu;

/**
 * Refuses a plan that could hurt: absolute paths, `..`, empty or reserved names, control characters, names that
 * are too long, anything inside of the state folder, and two files that would stand under one name (the same path,
 * or paths that differ only by case or by Unicode normalisation, or a file where another needs a folder).
 *
 * @param options.caseInsensitive also refuse what differs only by case; default true, because a cohort that
 *   works on one machine should work when it is copied to another.
 * @throws CarrelError `unsafe`; a collision names up to five pairs.
 */
export function checkPlan(files: readonly PlannedFile[], options: { caseInsensitive?: boolean } = {}): void {
  const caseInsensitive = options.caseInsensitive ?? true;
  const checkedFolders = new Set<string>();
  const seen = new Map<string, string>();
  const pairs: string[] = [];
  for (const { path } of files) {
    const slash = path.lastIndexOf('/');
    const folder = slash === -1 ? '' : path.slice(0, slash);
    if (!checkedFolders.has(folder)) {
      if (slash !== -1) for (const segment of folder.split('/')) checkSegment(segment, path);
      checkedFolders.add(folder);
    }
    checkSegment(path.slice(slash + 1), path);
    if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
      throw refuse(path, `the path is longer than ${MAX_PATH_BYTES} bytes`);
    }
    if (fold(path.slice(0, `${STATE_FOLDER}/`.length), true).split('/')[0] === STATE_FOLDER) {
      throw refuse(path, `${STATE_FOLDER} is the folder where the state of the transfer is kept`);
    }
    const key = fold(path, caseInsensitive);
    const other = seen.get(key);
    if (other === undefined) seen.set(key, path);
    else if (pairs.length < SHOWN_PAIRS) pairs.push(pair(other, path));
  }
  for (const folder of checkedFolders) {
    if (pairs.length >= SHOWN_PAIRS) break;
    for (let at = folder.length; at > 0; at = folder.lastIndexOf('/', at - 1)) {
      const ancestor = folder.slice(0, at);
      const file = seen.get(fold(ancestor, caseInsensitive));
      if (file !== undefined) pairs.push(`${JSON.stringify(file)} is both a file and a folder of others`);
    }
  }
  if (pairs.length > 0) {
    throw new CarrelError('unsafe', `files would collide: ${[...new Set(pairs)].join('; ')}`, {
      item: pairs[0],
      next: 'use a layout that gives every file a name of its own, for example with {SeriesInstanceUID}/{file}',
    });
  }
}

/**
 * One segment of a path for any value. Values that are safe as they are stay as they are; every other value is
 * changed and gets `_` and ten hexadecimal digits of its SHA-256, so that two different values never become one
 * name (up to a collision of 40 bits between values that look alike).
 *
 * @example safeSegment('TCGA-02-0001') // 'TCGA-02-0001'
 * @example safeSegment('a/b')          // 'a_b_' and ten digits
 */
export function safeSegment(text: string): string {
  if (PLAIN.test(text) && !RESERVED.test(text)) return text;
  const normal = text.normalize('NFC');
  let safe = normal.replace(KEPT, '_');
  safe = cutToBytes(safe, SEGMENT_BYTES).replace(/^[. ]+|[. ]+$/g, '_');
  if (RESERVED.test(safe)) safe = `_${safe}`;
  if (safe === text && safe !== '' && !/_[0-9a-f]{10}$/.test(safe)) return safe;
  const hash = createHash('sha256').update(Buffer.from(text, 'utf16le')).digest('hex').slice(0, 10);
  return `${safe}_${hash}`;
}

function checkSegment(segment: string, path: string): void {
  const reason = refusal(segment);
  if (reason !== undefined) throw refuse(path, reason);
}

/** Why a segment cannot be a name; undefined where it can. */
function refusal(segment: string): string | undefined {
  if (segment === '') return 'the path is absolute or has an empty segment';
  if (segment === '.' || segment === '..') return `the path goes through ${segment}`;
  if (FORBIDDEN.test(segment)) return 'the path holds a character that not every file system takes';
  if (/[. ]$/.test(segment)) return 'a name ends with a dot or a blank, which Windows drops';
  if (RESERVED.test(segment)) return 'a name is reserved by Windows';
  if (Buffer.byteLength(segment) > MAX_SEGMENT_BYTES)
    return `a name is longer than ${MAX_SEGMENT_BYTES} bytes`;
  return undefined;
}

function refuse(path: string, reason: string): CarrelError {
  const shown = JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path);
  return new CarrelError('unsafe', `refused to write ${shown}: ${reason}`, {
    item: path,
    next: 'choose a layout that makes values safe, or another name for this file',
  });
}

function pair(a: string, b: string): string {
  return a === b ? `${JSON.stringify(a)} twice` : `${JSON.stringify(a)} and ${JSON.stringify(b)}`;
}

/** Names that a file system may hold to be the same fold to the same text (APFS: both; NTFS: case; ext4: none). */
function fold(text: string, caseInsensitive: boolean): string {
  if (ASCII.test(text)) return caseInsensitive ? text.toLowerCase() : text;
  const normal = text.normalize('NFC');
  return caseInsensitive ? normal.toUpperCase().toLowerCase().normalize('NFC') : normal;
}

/** The longest start of whole code points within so many bytes of UTF-8. */
function cutToBytes(text: string, bytes: number): string {
  if (text.length * 3 <= bytes || Buffer.byteLength(text) <= bytes) return text;
  let used = 0;
  let end = 0;
  for (const character of text) {
    used += Buffer.byteLength(character);
    if (used > bytes) break;
    end += character.length;
  }
  return text.slice(0, end);
}
