/** What an archive is: its record, its buckets and mirrors, its catalogue, its viewers. */
export type * from './archive.ts';
export { builtInArchive, builtInArchiveNames, builtInRecord } from './built-in.ts';
export { parseArchive } from './parse-archive.ts';
export { type ArchiveRecord, archiveRecordSchema } from './record.ts';
