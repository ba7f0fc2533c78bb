/** `--as KIND`: the user knows better than the shape of the text. */
import { CarrelError } from '../errors.ts';
import type { AsKind, Identifier, ParseIdentifierOptions } from './identifier.ts';
import { parseBareDoi } from './parse-doi.ts';
import { parseDrs } from './parse-drs.ts';
import { parsePlainHttps } from './parse-https.ts';
import { parseBucketUrl } from './parse-object-url.ts';
import { parseFileUrl } from './parse-path.ts';
import { excerpt, refuse } from './refuse.ts';
import { splitUrl } from './url-parts.ts';
import { KNOWN_GUID_PREFIXES } from './uuid.ts';
import { uuidOf } from './uuid-of.ts';

/** What `--as` may say, in the order of the help text. */
export const AS_KINDS: readonly AsKind[] = [
  'series',
  'study',
  'instance',
  'patient',
  'collection',
  'analysis-result',
  'uuid',
  'url',
  'path',
  'doi',
  'drs',
];

/** Reads a whole text. Handed in, because detection uses the parsers of this file's imports too. */
type Detect = (trimmed: string, text: string, options: ParseIdentifierOptions) => Identifier;

/** Reads the text as the kind asked for. Throws `bad-input` where it cannot be one, `usage` for an unknown kind. */
export function coerceKind(
  as: AsKind,
  trimmed: string,
  text: string,
  options: ParseIdentifierOptions,
  detect: Detect,
): Identifier {
  switch (as) {
    case 'patient':
    case 'collection':
    case 'analysis-result':
      return { kind: 'name', name: trimmed, level: as, text, warnings: [] };
    case 'series':
    case 'study':
    case 'instance': {
      const found = detect(trimmed, text, options);
      if (found.kind === 'dicom-uid') return { ...found, level: as };
      const uuid = uuidOf(found);
      if (uuid === undefined) throw notOfKind(text, as, 'give its UID or UUID');
      return { kind: 'crdc-uuid', uuid, level: as, text, warnings: found.warnings };
    }
    case 'uuid': {
      const found = detect(trimmed, text, options);
      const uuid = uuidOf(found);
      if (uuid === undefined) throw notOfKind(text, as, 'a UUID is 8-4-4-4-12 hex digits');
      return { kind: 'crdc-uuid', uuid, text, warnings: found.warnings };
    }
    case 'url':
      return parseAsUrl(trimmed, text);
    case 'path':
      return asPath(trimmed, text);
    case 'doi': {
      const doi = parseBareDoi(trimmed, text) ?? detect(trimmed, text, options);
      if (doi.kind !== 'doi') throw notOfKind(text, as, 'write it as 10.1148/rg.230180');
      return doi;
    }
    case 'drs': {
      const found = detect(trimmed, text, options);
      if (found.kind === 'drs' || found.kind === 'drs-url') return found;
      const uuid = found.kind === 'guid' || found.kind === 'crdc-uuid' ? found.uuid : undefined;
      if (uuid === undefined) throw notOfKind(text, as, 'write it as drs://dg.4DFC/<uuid>');
      const prefix =
        found.kind === 'guid' ? found.prefix : (options.guidPrefixes?.[0] ?? KNOWN_GUID_PREFIXES[0] ?? '');
      const drs = parseDrs(`${prefix}/${uuid}`, text, options);
      return { ...drs, warnings: [...found.warnings, ...drs.warnings] };
    }
    default:
      throw new CarrelError('usage', `unknown kind ${JSON.stringify(excerpt(String(as)))}`, {
        item: excerpt(text),
        next: `--as takes ${AS_KINDS.join(', ')}`,
      });
  }
}

/** An address as it is: no DRS record, no compound object, no link to a viewer. */
function parseAsUrl(trimmed: string, text: string): Identifier {
  const url = splitUrl(trimmed);
  if (url?.scheme === 's3' || url?.scheme === 'gs') {
    return parseBucketUrl(url.scheme, trimmed.slice(trimmed.indexOf('://') + 3), text);
  }
  if (url?.scheme === 'https' || url?.scheme === 'http') return parsePlainHttps(url, text);
  throw notOfKind(text, 'url', 'write it as s3://, gs:// or https://');
}

function asPath(trimmed: string, text: string): Identifier {
  if (/^file:/i.test(trimmed)) return parseFileUrl(trimmed, text);
  return { kind: 'path', path: trimmed, text, warnings: [] };
}

function notOfKind(text: string, as: AsKind, next: string): CarrelError {
  return refuse(
    text,
    `is no ${as === 'url' || as === 'doi' || as === 'drs' || as === 'uuid' ? as.toUpperCase() : as}`,
    next,
  );
}
