/** The record of an archive, to be written to `archive.json`. */
import type { Archive } from './archive.ts';
import type { ArchiveRecord } from './record.ts';

/**
 * The record that reads as this archive. Places are absolute; whoever publishes it beside its data makes them relative.
 * `parseArchive(toRecord(x), { origin: x.origin })` equals `x`.
 */
export function toRecord(archive: Archive): ArchiveRecord {
  const { origin: _, ...fields } = archive;
  return { carrel_archive: 1, ...structuredClone(fields) };
}
