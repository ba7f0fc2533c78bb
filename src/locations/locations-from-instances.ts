/** Objects that a table names file by file: no listing needed. In IDC that is slide microscopy (`sm_instance_index`). */
import type { Archive } from '../archives/index.ts';
import type { ObjectLocation } from './location.ts';
import { type BucketName, type SourcesOptions, sourcesFor } from './sources-for.ts';

/** A row of `sm_instance_index`, as far as it matters here. */
export interface InstanceRow {
  crdc_instance_uuid: string;
  /** Bytes; BigInt as DuckDB gives 64-bit integers. */
  instance_size?: number | bigint | null | undefined;
}

/** Options of `locationsFromInstances`. */
export interface InstancesOptions extends SourcesOptions {
  archive: Archive;
}

/**
 * Locations of known instances of one series version, sorted by key. Their digests are unknown: the tables have none.
 * Throws like `sourcesFor`.
 */
export function locationsFromInstances(
  series: { crdc_series_uuid: string; buckets: BucketName },
  instances: readonly InstanceRow[],
  options: InstancesOptions,
): ObjectLocation[] {
  const uuid = series.crdc_series_uuid;
  return instances
    .map((instance): ObjectLocation => {
      const key = `${uuid}/${instance.crdc_instance_uuid}.dcm`;
      const sources = sourcesFor(options.archive, series.buckets, key, options);
      const location: ObjectLocation = { key, digests: [], sources, crdc_series_uuid: uuid };
      const size = instance.instance_size;
      if (size !== undefined && size !== null) location.size = Number(size);
      return location;
    })
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}
