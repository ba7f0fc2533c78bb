/** Which format a manifest has: by what it says first, by its file name only where the text leaves it open. */
import { CarrelError } from '../errors.ts';
import type { ManifestFormat } from './entry.ts';
import type { LockFile } from './lock-file.ts';
import { manifestLines, manifestText } from './manifest-text.ts';
import { parseLock } from './parse-lock.ts';
import { isCroissant } from './read-croissant.ts';
import { parseJsonLines } from './read-json.ts';
import { isTciaHead } from './read-lists.ts';
import { isPointerXml } from './read-pointers.ts';
import { findTableHeader, type TableHeader } from './read-table.ts';
import { readSheets } from './workbook.ts';
import { isZip } from './zip-bytes.ts';

/** A manifest whose format is known, ready to be read. */
export type Detected =
  | { format: 'json' | 'compound-object' | 'croissant'; value: unknown }
  | { format: 'lock'; value: LockFile }
  | { format: 'tcia-xml'; text: string }
  | { format: 'json'; values: { line: number; value: unknown }[] }
  | { format: 'csv' | 'tsv'; lines: string[]; header: TableHeader }
  | { format: 's5cmd' | 'tcia' | 'dcf' | 'uids'; lines: string[] };

/** Lines that are looked at before the file name decides. */
const LOOK_AT = 1000;

const EXTENSIONS: Record<string, 's5cmd' | 'tcia' | 'dcf' | 'uids'> = {
  s5cmd: 's5cmd',
  tcia: 'tcia',
  dcf: 'dcf',
};

const COMMAND =
  /^(?:s5cmd|aws\s+s3|gsutil|gcloud\s+(?:alpha\s+)?storage)\s|^(?:cp|sync|mv|rm|ls|du|cat|head)\s(?=.*(?:s3|gs):\/\/)/;
const UID_ONLY = /^["']?[0-9]+(?:\.[0-9]+)+["']?(?:[\s,;].*)?$/;

/**
 * The format of a text. Throws `bad-input` for what is none at all: nothing but blanks and comments, a web page,
 * broken JSON, binary data.
 */
export function manifestKind(text: string | Uint8Array, origin = '-'): ManifestFormat {
  if (isZip(text)) {
    readSheets(text, origin);
    return 'xlsx';
  }
  return detect(manifestText(text, origin), origin).format;
}

/** What a text is, and what was read of it to find that out: it need not be read twice. */
export interface InspectedManifest {
  format: ManifestFormat;
  /** Of a lock file: checked. */
  lock?: LockFile | undefined;
  /** Of a compound object: its JSON. */
  json?: unknown;
}

/** The same as `manifestKind`, with the lock file or the compound object that it found. */
export function inspectManifest(text: string | Uint8Array, origin = '-'): InspectedManifest {
  if (isZip(text)) return { format: manifestKind(text, origin) };
  const found = detect(manifestText(text, origin), origin);
  if (found.format === 'lock') return { format: 'lock', lock: found.value };
  return found.format === 'compound-object'
    ? { format: found.format, json: found.value }
    : { format: found.format };
}

/** Finds the format and does the part of the reading that finding it took. */
export function detect(text: string, origin: string): Detected {
  const start = text.trimStart();
  if (start.startsWith('{') || start.startsWith('[')) return detectJson(text, origin);
  if (start.startsWith('<')) {
    if (isPointerXml(start)) return { format: 'tcia-xml', text };
    throw markup(start, origin);
  }
  const lines = manifestLines(text, origin);
  const header = findTableHeader(lines);
  if (header !== undefined) return { format: header.delimiter === '\t' ? 'tsv' : 'csv', lines, header };
  let content = false;
  for (const line of lines.slice(0, LOOK_AT)) {
    const format = formatOfLine(line.trim());
    // UIDs alone leave the format open: in a .tcia they are those of series.
    if (format !== undefined)
      return { format: format === 'uids' && isTciaName(origin) ? 'tcia' : format, lines };
    content ||= line.trim() !== '' && !line.trim().startsWith('#');
  }
  if (!content && !lines.slice(LOOK_AT).some((line) => line.trim() !== '' && !line.trim().startsWith('#'))) {
    const what = start === '' ? 'is empty' : 'holds nothing but comments';
    throw new CarrelError('bad-input', `${origin} ${what}`, {
      item: origin,
      next: 'hand in a manifest with at least one line that names data',
    });
  }
  const extension = /\.([a-z0-9]+)$/i.exec(origin)?.[1]?.toLowerCase() ?? '';
  return { format: EXTENSIONS[extension] ?? 'uids', lines };
}

function isTciaName(origin: string): boolean {
  return /\.tcia$/i.test(origin);
}

function formatOfLine(line: string): 's5cmd' | 'tcia' | 'dcf' | 'uids' | undefined {
  if (line === '' || line.startsWith('#')) return undefined;
  if (isTciaHead(line)) return 'tcia';
  if (COMMAND.test(line) || /^["']?(?:s3|gs):\/\//i.test(line)) return 's5cmd';
  if (/^["']?dg\.[a-z0-9]+\//i.test(line)) return 'dcf';
  if (UID_ONLY.test(line) || /^["']?(?:drs|https?):\/\//i.test(line)) return 'uids';
  return /^["']?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}["']?(?:[\s,;].*)?$/i.test(line)
    ? 'uids'
    : undefined;
}

function detectJson(text: string, origin: string): Detected {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const values = parseJsonLines(manifestLines(text, origin));
    if (values !== undefined) return { format: 'json', values };
    throw new CarrelError(
      'bad-input',
      `${origin} starts like JSON and is none: ${(cause as Error).message}`,
      {
        item: origin,
        next: 'repair the file, or fetch it again',
        cause,
      },
    );
  }
  if (typeof value !== 'object' || value === null) return { format: 'json', value };
  if ('carrel_lock' in value) return { format: 'lock', value: parseLock(value, { origin }) };
  if (isCroissant(value)) return { format: 'croissant', value };
  return { format: isCompoundLike(value) ? 'compound-object' : 'json', value };
}

/** The envelope of `crdcobj.json`; prose and data disagree on `method` and `access_method`. */
function isCompoundLike(value: object): boolean {
  if ('encoding_version' in value && 'access_methods' in value) return true;
  if (!('access_methods' in value) || !Array.isArray(value.access_methods)) return false;
  return value.access_methods.some(
    (method: unknown) =>
      typeof method === 'object' &&
      method !== null &&
      (('method' in method && method.method === 'children') ||
        ('access_method' in method && method.access_method === 'children')),
  );
}

function markup(start: string, origin: string): CarrelError {
  const html = /^<(?:!doctype html|html)/i.test(start);
  return new CarrelError('bad-input', `${origin} is ${html ? 'a web page' : 'XML'}, not a manifest`, {
    item: origin,
    next: html
      ? 'the server may have answered with a sign-in page: download the file in a browser'
      : undefined,
  });
}
