/** Where every object of a cohort stands: from kept listings, else by listing the buckets. */
import type { Archive } from '../archives/index.ts';
import type { CarrelError } from '../errors.ts';
import { locateAll, type ObjectLocation, sourcesFor } from '../locations/index.ts';
import { instanceName } from './instance-name.ts';
import type { KnownListing, KnownListings } from './known-listings.ts';
import { patientStores } from './patient-store.ts';
import type { Cohort, CohortSeries, Tools } from './question.ts';

/** A series that has to be listed. */
interface UnknownSeries {
  crdc_series_uuid: string;
  buckets: Record<string, string>;
  instanceCount: number | null;
  series: CohortSeries;
}

/** A series with its objects. */
export interface LocatedCohortSeries {
  series: CohortSeries;
  locations: readonly ObjectLocation[];
}

/** All series that could be located, in the cohort's order, and those that could not. */
export interface LocatedCohort {
  series: LocatedCohortSeries[];
  failed: { series: CohortSeries; error: CarrelError }[];
  notes: string[];
}

/**
 * Locates the series of a cohort. Complete listings are kept for the next run.
 *
 * @param options.onProgress called with the number of series located so far
 */
export async function locateCohort(
  cohort: Cohort,
  tools: Tools,
  {
    known,
    onProgress,
  }: {
    known: KnownListings;
    onProgress?: ((located: number, total: number) => void) | undefined;
  },
): Promise<LocatedCohort> {
  const { archive, from, signal } = tools;
  const openStore = patientStores(tools.openStore);
  const located = new Map<CohortSeries, readonly ObjectLocation[]>();
  const failed: LocatedCohort['failed'] = [];
  const notes = new Set<string>();
  /** By the mirror to begin with; undefined: as the archive orders them. */
  const unknown = new Map<string | undefined, UnknownSeries[]>();
  for (const series of cohort.series) {
    const kept = series.locations === undefined ? known.get(series.crdc_series_uuid) : undefined;
    if (series.locations !== undefined) located.set(series, series.locations);
    else if (kept !== undefined) {
      located.set(
        series,
        kept.objects.map(({ key, size, digests }) => ({
          key,
          size,
          digests,
          sources: sourcesFor(beginningWith(archive, series.prefer), kept.buckets, key, { from }),
          crdc_series_uuid: series.crdc_series_uuid,
        })),
      );
    } else {
      const group = unknown.get(series.prefer) ?? [];
      unknown.set(series.prefer, group);
      group.push({
        crdc_series_uuid: series.crdc_series_uuid,
        buckets: series.row?.buckets ?? {},
        instanceCount: series.row?.instanceCount ?? null,
        series,
      });
    }
  }
  const total = cohort.series.length;
  onProgress?.(located.size, total);
  for (const [prefer, rows] of unknown) {
    const options = { archive: beginningWith(archive, prefer), from, openStore, signal };
    for await (const { row, located: found, error } of locateAll(rows, options)) {
      if (error !== undefined) failed.push({ series: row.series, error });
      else {
        located.set(row.series, found.locations);
        for (const note of found.notes) notes.add(note);
        known.add(row.crdc_series_uuid, listingOf(found.locations));
      }
      onProgress?.(located.size + failed.length, total);
    }
  }
  return {
    series: cohort.series.flatMap((series) => {
      const locations = located.get(series);
      return locations === undefined ? [] : [{ series, locations: wanted(series, locations) }];
    }),
    failed,
    notes: [...notes],
  };
}

/** Only the instances that were asked for. */
function wanted(series: CohortSeries, locations: readonly ObjectLocation[]): readonly ObjectLocation[] {
  const { instances } = series;
  if (instances === undefined) return locations;
  return locations.filter(({ key }) => instances.has(instanceName(key)));
}

function listingOf(locations: readonly ObjectLocation[]): KnownListing {
  const sources = locations[0]?.sources ?? [];
  return {
    buckets: Object.fromEntries(sources.map(({ mirror, place }) => [mirror, place.bucket])),
    objects: locations.map(({ key, size, digests }) => ({ key, size, digests })),
  };
}

/** The archive with one of its mirrors first. */
function beginningWith(archive: Archive, mirror: string | undefined): Archive {
  if (mirror === undefined) return archive;
  const isFirst = ({ name }: { name: string }) => name === mirror;
  const { mirrors } = archive;
  return { ...archive, mirrors: [...mirrors.filter(isFirst), ...mirrors.filter((one) => !isFirst(one))] };
}
