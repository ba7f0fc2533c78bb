/** Reads a list of things to get, whatever its format, and accounts for every line of it. */
import { CarrelError } from '../errors.ts';
import { asUuid, type Digest } from '../identifiers/index.ts';
import { type Collector, createCollector, emptyManifest } from './collector.ts';
import type { Manifest, ManifestFormat } from './entry.ts';
import type { LockFile } from './lock-file.ts';
import { type Detected, detect } from './manifest-kind.ts';
import { manifestLines, manifestText } from './manifest-text.ts';
import { readCroissant } from './read-croissant.ts';
import { readItem, readJson } from './read-json.ts';
import { readList, readTcia } from './read-lists.ts';
import { readPointers } from './read-pointers.ts';
import { readS5cmd } from './read-s5cmd.ts';
import { findTableHeader, readTable } from './read-table.ts';
import { readWorkbook } from './read-workbook.ts';
import { isZip } from './zip-bytes.ts';

/** Options of `readManifest`. */
export interface ReadManifestOptions {
  /** Path, URL or `-`; for messages, and its ending where the text itself leaves the format open. */
  origin: string;
  /** Skips detection. */
  format?: ManifestFormat | undefined;
}

/**
 * Reads a manifest. What names data becomes an entry, every other line a problem with its number and the reason;
 * repeated lines are taken once and counted in `notes`. A manifest whose every line is a problem is an answer (no
 * entries), not an error. What names further manifests has them in `pointers`: they are not followed here. Throws `bad-input` for an empty text, nothing but comments, binary data, web pages, broken
 * JSON, spreadsheets that swell beyond measure, and lines of more than a million characters; see `parseLock` for lock files.
 */
export function readManifest(input: string | Uint8Array, options: ReadManifestOptions): Manifest {
  const { origin } = options;
  if (isZip(input)) return readWorkbookManifest(input, options);
  const text = manifestText(input, origin);
  const detected = options.format === undefined ? detect(text, origin) : forced(text, options.format, origin);
  const collector = createCollector(origin);
  readDetected(detected, collector);
  const manifest = collector.finish(detected.format);
  return notEmpty(manifest);
}

function notEmpty(manifest: Manifest): Manifest {
  const { entries, problems, pointers = [], origin } = manifest;
  if (entries.length + problems.length + pointers.length === 0) throw emptyManifest(origin, 'names no data');
  return manifest;
}

/** A spreadsheet: the numbers of its rows stand for those of lines. */
function readWorkbookManifest(bytes: Uint8Array, { origin, format }: ReadManifestOptions): Manifest {
  if (format !== undefined && format !== 'xlsx')
    throw new CarrelError('bad-input', `${origin} is a spreadsheet, not ${format}`, { item: origin });
  const collector = createCollector(origin);
  readWorkbook(bytes, collector);
  return notEmpty(collector.finish('xlsx'));
}

function readDetected(detected: Detected, collector: Collector): void {
  if ('values' in detected) {
    for (const { line, value } of detected.values) readItem(line, value, collector);
    return;
  }
  if ('header' in detected) {
    readTable(detected.lines, detected.header, collector);
    return;
  }
  switch (detected.format) {
    case 'lock':
      readLock(detected.value, collector);
      return;
    case 'compound-object':
      readCompound(detected.value, collector);
      return;
    case 'json':
      if (!readJson(detected.value, collector)) {
        throw emptyManifest(collector.origin, 'is JSON without a list of names or rows');
      }
      return;
    case 'croissant':
      readCroissant(detected.value, collector);
      return;
    case 'tcia-xml':
      readPointers(detected.text, collector);
      return;
    case 's5cmd':
      readS5cmd(detected.lines, collector);
      return;
    case 'tcia':
      readTcia(detected.lines, collector);
      return;
    case 'dcf':
    case 'uids':
      readList(detected.lines, collector);
  }
}

/** The named format without looking at the text, but never without a look at whether it can be one. */
function forced(text: string, format: ManifestFormat, origin: string): Detected {
  if (format === 'xlsx' || format === 'tcia-xml' || format === 'croissant') {
    const detected = detect(text, origin);
    if (detected.format === format) return detected;
    throw new CarrelError('bad-input', `${origin} is ${detected.format}, not ${format}`, { item: origin });
  }
  if (format === 'json' || format === 'lock' || format === 'compound-object') {
    const detected = detect(text, origin);
    if (detected.format === format) return detected;
    if ('value' in detected && format !== 'lock') return { format, value: detected.value };
    throw new CarrelError('bad-input', `${origin} is ${detected.format}, not ${format}`, { item: origin });
  }
  const lines = manifestLines(text, origin);
  if (format !== 'csv' && format !== 'tsv') return { format, lines };
  const header = findTableHeader(lines);
  if (header === undefined) {
    throw new CarrelError('bad-input', `${origin} has no header row that names data`, {
      item: origin,
      next: 'the first row has to hold column names such as crdc_series_uuid, SeriesInstanceUID or drs_uri',
    });
  }
  return { format, lines, header };
}

/** Every series by its version, every other object by its URL. Whoever wants the files of a lock uses `parseLock`. */
function readLock(lock: LockFile, collector: Collector): void {
  for (const [index, series] of lock.series.entries()) {
    const name = series.crdc_series_uuid;
    collector.add({ line: index + 1, text: name, name, as: 'series' });
  }
  for (const [index, file] of lock.files.entries()) {
    const base = Object.values(file.mirrors)[0];
    const line = lock.series.length + index + 1;
    if (base === undefined)
      collector.problem(line, file.path, 'the lock file names no place that it can be fetched from');
    else {
      const digests: Digest[] = file.digests;
      const name = `${base.replace(/\/$/, '')}/${file.key}`;
      collector.add({ line, text: file.path, name, destination: file.path, digests, size: file.size });
    }
  }
}

/** The series that the object describes: all its instances stand in one folder. Without a uuid, its children. */
function readCompound(value: unknown, collector: Collector): void {
  const object = value as { id?: unknown; self_uri?: unknown; access_methods?: unknown };
  const id = typeof object.id === 'string' ? asUuid(object.id.replace(/^dg\.[a-z0-9]+\//i, '')) : undefined;
  const fromUri =
    typeof object.self_uri === 'string' ? asUuid(object.self_uri.split(/[/:]/).pop() ?? '') : undefined;
  const series = id ?? fromUri;
  if (series !== undefined) {
    collector.add({ line: 0, text: series, name: series, as: 'series' });
    return;
  }
  const methods: unknown[] = Array.isArray(object.access_methods) ? object.access_methods : [];
  for (const method of methods as { method?: unknown; access_method?: unknown; contents?: unknown }[]) {
    if ((method.method ?? method.access_method) !== 'children' || !Array.isArray(method.contents)) continue;
    for (const [index, child] of method.contents.entries()) readItem(index + 1, child, collector);
  }
}
