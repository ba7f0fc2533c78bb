/** What of a record can be used where it came over the network. */
import type { ParsedRecord } from './record.ts';

/**
 * The record without its mirrors on disks, and without what only they have. One record serves both readers of an
 * archive that is published as a folder: whoever has the folder reads the disk, whoever has the URL must not be sent to
 * folders of their own machine that the server chose.
 */
export function withoutDisks(record: ParsedRecord): ParsedRecord {
  const disks = new Set(record.mirrors.filter(({ protocol }) => protocol === 'file').map(({ name }) => name));
  if (disks.size === 0) return record;
  const entriesLeft = <T>(entries: Record<string, T>, mirrorOf: (key: string, value: T) => unknown) =>
    Object.fromEntries(
      Object.entries(entries).filter(([key, value]) => !disks.has(String(mirrorOf(key, value)))),
    );
  return {
    ...record,
    mirrors: record.mirrors.filter(({ name }) => !disks.has(name)),
    bucketClasses: record.bucketClasses
      .map((bucketClass) => ({
        ...bucketClass,
        buckets: entriesLeft(bucketClass.buckets, (mirror) => mirror),
        historical: bucketClass.historical.filter(({ mirror }) => !disks.has(mirror)),
      }))
      .filter(({ buckets }) => Object.keys(buckets).length > 0),
    catalog: {
      ...record.catalog,
      bucketColumns: entriesLeft(record.catalog.bucketColumns, (_, mirror) => mirror),
    },
  };
}
