/** Archives that come with Carrel. The only file that names them. */
import { CarrelError } from '../errors.ts';
import { excerpt } from '../identifiers/index.ts';
import type { Archive } from './archive.ts';
import { parseArchive } from './parse-archive.ts';
import { idcRecord } from './profiles/idc.ts';
import type { ArchiveRecord } from './record.ts';

/** Name → record. The first is the default of `--archive`. */
const RECORDS: Record<string, ArchiveRecord> = { [idcRecord.name]: idcRecord };

/** Names of the built-in archives, the default one first. */
export const builtInArchiveNames: readonly string[] = Object.keys(RECORDS);

/** The built-in archive of that name, a fresh value each time. Throws `not-found` with the names there are. */
export function builtInArchive(name: string = builtInArchiveNames[0] ?? ''): Archive {
  return parseArchive(structuredClone(builtInRecord(name)), { origin: 'built-in' });
}

/** The record itself, to be written out as the start of one's own `archive.json`. Throws `not-found`. */
export function builtInRecord(name: string): ArchiveRecord {
  const record = Object.hasOwn(RECORDS, name) ? RECORDS[name] : undefined;
  if (record !== undefined) return record;
  const shown = excerpt(name);
  throw new CarrelError('not-found', `no built-in archive is called "${shown}"`, {
    item: shown,
    next: `use ${builtInArchiveNames.join(' or ')}, or the path or URL of an archive.json`,
  });
}
