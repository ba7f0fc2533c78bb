/** Reads one name of data, whatever its form. */
import { CarrelError } from '../errors.ts';
import { checkText, decodeOnce } from './check-text.ts';
import { coerceKind } from './coerce-kind.ts';
import { readLocalId } from './guid.ts';
import type {
  Identifier,
  ObjectUrlIdentifier,
  ParseIdentifierOptions,
  PathIdentifier,
} from './identifier.ts';
import { refuseNearMiss, refuseWrongScheme } from './near-miss.ts';
import { parseBareDoi } from './parse-doi.ts';
import { parseDrs } from './parse-drs.ts';
import { parseHttps } from './parse-https.ts';
import { hostView, parseBucketUrl } from './parse-object-url.ts';
import { isLocalPath, parseFileUrl } from './parse-path.ts';
import { excerpt, refuse } from './refuse.ts';
import { isDicomUid, uidFaults } from './uid.ts';
import { splitUrl } from './url-parts.ts';
import { asUuid, isGuidPrefix } from './uuid.ts';

/** Name of the file of a CRDC compound object. */
const COMPOUND_OBJECT = 'crdcobj.json';

/**
 * Reads one identifier. The kind is detected from the text alone; `as` overrides.
 *
 * @throws `bad-input` for what cannot be read safely (control characters, `..` in a key, more than 8,192 characters),
 * for a near miss of a known form, with the likely meaning in `next`, and for what is not of the kind that `as` asks
 * for; `usage` for an unknown `as`
 */
export function parseIdentifier(text: string, options: ParseIdentifierOptions = {}): Identifier {
  const trimmed = checkText(text);
  if (options.as !== undefined) return coerceKind(options.as, trimmed, text, options, detect);
  return detect(trimmed, text, options);
}

/** Like `parseIdentifier`, with undefined instead of a `bad-input` error. */
export function tryParseIdentifier(
  text: string,
  options: ParseIdentifierOptions = {},
): Identifier | undefined {
  try {
    return parseIdentifier(text, options);
  } catch (error) {
    if (error instanceof CarrelError && error.code === 'bad-input') return undefined;
    throw error;
  }
}

/** The table of forms, in an order in which none hides another. */
function detect(trimmed: string, text: string, options: ParseIdentifierOptions): Identifier {
  if (trimmed === '-') return { kind: 'stdin', text, warnings: [] };
  const uuid = asUuid(trimmed.replace(/^urn:uuid:/i, ''));
  if (uuid !== undefined) return { kind: 'crdc-uuid', uuid, text, warnings: [] };
  if (isDicomUid(trimmed)) return { kind: 'dicom-uid', uid: trimmed, text, warnings: uidWarnings(trimmed) };
  return (
    parseUrl(trimmed, text, options) ??
    parseGuid(trimmed, text, options) ??
    parseBareDoi(trimmed, text) ??
    parseLocal(trimmed, text) ??
    parseName(trimmed, text)
  );
}

function parseUrl(trimmed: string, text: string, options: ParseIdentifierOptions): Identifier | undefined {
  const url = splitUrl(trimmed);
  const body = trimmed.slice(trimmed.indexOf('://') + 3);
  if (url?.scheme === 's3' || url?.scheme === 'gs') return compound(parseBucketUrl(url.scheme, body, text));
  if (url?.scheme === 'drs') return parseDrs(body, text, options);
  if (url?.scheme === 'https' || url?.scheme === 'http') {
    const identifier = parseHttps(url, text, options);
    return identifier.kind === 'object-url' ? compound(identifier) : identifier;
  }
  if (/^file:/i.test(trimmed)) return compound(parseFileUrl(trimmed, text));
  if (isLocalPath(trimmed)) return undefined;
  refuseWrongScheme(trimmed, text);
  return undefined;
}

/** `dg.4DFC/<uuid>`, also with `:`, `%2F` or (names of old DRS bundles) nothing in between. */
function parseGuid(trimmed: string, text: string, options: ParseIdentifierOptions): Identifier | undefined {
  if (!/^dg\./i.test(trimmed) || /\s/.test(trimmed)) return undefined;
  const glued = asUuid(trimmed.slice(-36));
  const before = trimmed.slice(0, -36);
  const usual =
    glued !== undefined && isGuidPrefix(before) ? `${before}/${glued}` : decodeOnce(trimmed, text);
  const { prefix, uuid, warnings } = readLocalId(usual, options);
  if (prefix === undefined || uuid === undefined) return undefined;
  return { kind: 'guid', prefix, uuid, text, warnings };
}

function parseLocal(trimmed: string, text: string): Identifier | undefined {
  if (!isLocalPath(trimmed)) return undefined;
  const first = trimmed.slice(0, Math.max(0, trimmed.indexOf('/'))).toLowerCase();
  if (hostView(first) !== undefined) {
    throw refuse(text, 'has no scheme', `did you mean https://${excerpt(trimmed)}?`);
  }
  const warnings: string[] = [];
  if (asUuid(trimmed.split('/')[1] ?? '') !== undefined && !/^[./~]/.test(trimmed)) {
    warnings.push(`read as a path; a bucket would be s3://${excerpt(trimmed)}`);
  }
  return compound({ kind: 'path', path: trimmed, text, warnings });
}

function parseName(trimmed: string, text: string): Identifier {
  const stem = asUuid(trimmed.replace(/\.dcm$/, ''));
  if (stem !== undefined) return { kind: 'crdc-uuid', uuid: stem, level: 'instance', text, warnings: [] };
  refuseNearMiss(trimmed, text);
  const warnings: string[] = [];
  if (/^[0-9a-f]{32}$/i.test(trimmed)) {
    const dashed = trimmed.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5').toLowerCase();
    warnings.push(`read as a name; as a UUID it would be ${dashed}`);
  }
  if (/^[0-9.]+$/.test(trimmed) && trimmed.includes('.')) {
    warnings.push(
      trimmed.length > 64
        ? 'too long for a UID (64 characters); read as a name'
        : 'no UID: starts with a dot; read as a name',
    );
  }
  return { kind: 'name', name: trimmed, text, warnings };
}

/** Wraps the address of a `crdcobj.json`. */
function compound(location: ObjectUrlIdentifier | PathIdentifier): Identifier {
  const where = location.kind === 'path' ? location.path.replaceAll('\\', '/') : location.key;
  const [name, folder = ''] = where.split('/').reverse();
  if (name !== COMPOUND_OBJECT) return location;
  const { text, warnings } = location;
  const seriesUuid = asUuid(folder);
  return { kind: 'compound-object', location, ...(seriesUuid && { seriesUuid }), text, warnings };
}

function uidWarnings(uid: string): string[] {
  const faults = uidFaults(uid);
  if (faults.length === 0) return [];
  return [`no valid UID (${faults.join(', ')}): a slip, or a PatientID that looks like one`];
}
