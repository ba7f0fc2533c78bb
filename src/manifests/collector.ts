/** Gathers entries, problems and notes while a manifest is read; takes care that nothing is said twice or not at all. */
import { CarrelError, isCarrelError } from '../errors.ts';
import { type AsKind, asUuid, type Identifier, isDicomUid, parseIdentifier } from '../identifiers/index.ts';
import type { Manifest, ManifestEntry, ManifestFormat } from './entry.ts';

/** An entry before its name is parsed. */
export interface RawEntry {
  line: number;
  /** The whole line, for messages. */
  text: string;
  /** The name in it, or what was parsed from it already. */
  name: string | Identifier;
  as?: AsKind | undefined;
  others?: Identifier[] | undefined;
  destination?: string | undefined;
  endpoint?: string | undefined;
  digests?: string[] | undefined;
  size?: number | undefined;
}

/** Builds up one `Manifest`. */
export interface Collector {
  readonly origin: string;
  /** Parses the name; a name that cannot be read becomes a problem. */
  add(entry: RawEntry): void;
  problem(line: number, text: string, reason: string): void;
  /** Another manifest; the same address is kept once. */
  pointer(line: number, text: string, url: string): void;
  /** A remark; the same remark on many lines is said once, with the first line and the number of lines. */
  note(message: string, line?: number): void;
  endpoint(url: string): void;
  finish(format: ManifestFormat): Manifest;
}

/** Characters of a line that are kept for messages. */
const TEXT_KEPT = 200;

/** Starts an empty reading. */
export function createCollector(origin: string): Collector {
  const manifest: Omit<Manifest, 'format'> = { origin, entries: [], problems: [], notes: [] };
  const firstLine = new Map<string, number>();
  const remarks = new Map<string, { first: number; lines: number }>();
  let repeated = 0;
  let repeatExample = '';

  const collector: Collector = {
    origin,
    add(raw) {
      const identifier = typeof raw.name === 'string' ? readName(raw.name, raw.as) : raw.name;
      if (typeof identifier === 'string') {
        collector.problem(raw.line, raw.text, identifier);
        return;
      }
      const key = `${identityOf(identifier)} ${raw.destination ?? ''}`;
      const earlier = firstLine.get(key);
      if (earlier !== undefined) {
        if (repeated === 0) repeatExample = `line ${raw.line} says what line ${earlier} says`;
        repeated += 1;
        return;
      }
      firstLine.set(key, raw.line);
      for (const warning of identifier.warnings) collector.note(warning, raw.line);
      manifest.entries.push(toEntry(raw, identifier));
    },
    problem(line, text, reason) {
      manifest.problems.push({ line, text: text.slice(0, TEXT_KEPT), reason });
    },
    pointer(line, text, url) {
      manifest.pointers ??= [];
      if (!manifest.pointers.some((one) => one.url === url))
        manifest.pointers.push({ line, text: text.slice(0, TEXT_KEPT), url });
    },
    note(message, line = 0) {
      const seen = remarks.get(message);
      if (seen === undefined) remarks.set(message, { first: line, lines: 1 });
      else seen.lines += 1;
    },
    endpoint(url) {
      const hint = endpointHint(url);
      if (hint === undefined)
        collector.note(`its header names the endpoint ${url}; redirect a mirror to use it`);
      else manifest.endpointHint = hint;
    },
    finish(format) {
      for (const [message, { first, lines }] of remarks) {
        const where =
          first === 0 ? '' : lines === 1 ? `line ${first}: ` : `line ${first} and ${lines - 1} more: `;
        manifest.notes.push(`${where}${message}`);
      }
      if (repeated > 0) {
        const count =
          repeated === 1 ? '1 line repeats an earlier one' : `${repeated} lines repeat earlier ones`;
        manifest.notes.push(`${count}, taken once (${repeatExample})`);
      }
      return { format, ...manifest };
    },
  };
  return collector;
}

/** `aws` or `gcs` for the two public endpoints. */
export function endpointHint(url: string): 'aws' | 'gcs' | undefined {
  if (/^https?:\/\/s3[.a-z0-9-]*\.amazonaws\.com(?:\/|$)/i.test(url)) return 'aws';
  if (/^https?:\/\/storage\.googleapis\.com(?:\/|$)/i.test(url)) return 'gcs';
  return undefined;
}

/** The identifier, or the reason why there is none. */
export function readName(name: string, as?: AsKind): Identifier | string {
  try {
    const identifier = parseIdentifier(name, as === undefined ? {} : { as });
    // A manifest is data from elsewhere: it has no business naming files of the machine that reads it.
    const local =
      identifier.kind === 'path' ||
      identifier.kind === 'stdin' ||
      (identifier.kind === 'compound-object' && identifier.location.kind === 'path');
    return local ? 'names something on this machine (a path, or -), not data' : identifier;
  } catch (error) {
    if (!isCarrelError(error)) throw error;
    return error.next === undefined ? error.message : `${error.message}; ${error.next}`;
  }
}

/** The error of a manifest that holds nothing at all. */
export function emptyManifest(origin: string, what: string): CarrelError {
  return new CarrelError('bad-input', `${origin} ${what}`, {
    item: origin,
    next: 'hand in a manifest with at least one line that names data',
  });
}

function toEntry(raw: RawEntry, identifier: Identifier): ManifestEntry {
  const entry: ManifestEntry = { line: raw.line, text: raw.text.slice(0, TEXT_KEPT), identifier };
  if (raw.others !== undefined && raw.others.length > 0) entry.others = raw.others;
  if (raw.destination !== undefined) entry.destination = raw.destination;
  if (raw.endpoint !== undefined) entry.endpoint = raw.endpoint;
  if (raw.digests !== undefined && raw.digests.length > 0) entry.digests = raw.digests;
  if (raw.size !== undefined) entry.size = raw.size;
  return entry;
}

/** What makes two names one: `s3://B/<uuid>`, `s3://B/<uuid>/` and `s3://B/<uuid>/*` are the same series. */
function identityOf(identifier: Identifier): string {
  switch (identifier.kind) {
    case 'crdc-uuid':
      return `uuid ${identifier.uuid}`;
    case 'dicom-uid':
      return `uid ${identifier.uid} ${identifier.level ?? ''}`;
    case 'object-url': {
      const whole = identifier.layout === 'hierarchical' && identifier.instanceUuid === undefined;
      const key = whole && identifier.seriesUuid !== undefined ? `${identifier.seriesUuid}/` : identifier.key;
      return `url ${identifier.scheme} ${identifier.endpoint ?? ''} ${identifier.bucket} ${key} ${identifier.generation ?? ''}`;
    }
    case 'compound-object':
    case 'doi':
    case 'drs':
    case 'drs-url':
    case 'faspex-link':
    case 'guid':
    case 'name':
    case 'path':
    case 'stdin':
      return `text ${identifier.kind} ${identifier.text.trim()}`;
  }
}

/** True for texts that name data by themselves, without a catalogue having to know the word. */
export function isStrongName(text: string): boolean {
  return (
    asUuid(text) !== undefined ||
    isDicomUid(text) ||
    /^(?:drs|s3|gs|https?):\/\//i.test(text) ||
    /^dg\.[a-z0-9]+\//i.test(text)
  );
}
