/** What a name stands for: its matches in the tables, described. No request is made. */
import { type Archive, viewerUrl } from '../archives/index.ts';
import type { Catalog, Match, SeriesRow } from '../catalog/index.ts';
import { type AsKind, type Identifier, parseIdentifier, uuidOf } from '../identifiers/index.ts';
import type { OpenStore } from '../stores/index.ts';

/** One thing that a name stands for, described from the tables. */
export interface NamedThing {
  level: Match['level'];
  value: string;
  collections: string[];
  patients: number;
  studies: number;
  series: number;
  /** Files, where known. */
  instances: number;
  bytes: number;
  /** True where the release asked for holds it. */
  current: boolean;
  /** First and last release that hold any of it. */
  releases: { from: string; to: string };
  licenses: { license: string | null; series: number; bytes: number }[];
  modalities: string[];
  /** What to know about it: that a collection has another name now. */
  note?: string;
  /** URL that shows it in the archive's viewer. */
  viewer: string | null;
  /** The row of a single series version. */
  row?: SeriesRow;
  /** Its folder on each mirror. */
  urls?: Record<string, string>;
}

/** The answer of `showName`. */
export interface Shown {
  identifier: Identifier;
  matches: NamedThing[];
  /** What the name stands for beside what was asked (`as`, `collection`). */
  others: Match[];
}

/** What a name is looked up with. */
export interface ShowTools {
  archive: Archive;
  catalog: Catalog;
  openStore: OpenStore;
}

/**
 * Describes everything that a text names; `matches` is empty where the tables hold nothing of that name.
 *
 * @param options.collection the collection of a PatientID that several have
 * @throws `bad-input` for a malformed identifier
 */
export async function showName(
  text: string,
  tools: ShowTools,
  options: {
    as?: AsKind | undefined;
    collection?: string | undefined;
    signal?: AbortSignal | undefined;
  } = {},
): Promise<Shown> {
  const { collection, signal } = options;
  const identifier = parseIdentifier(text, { as: options.as });
  const name = nameOf(identifier);
  const found = name === undefined ? [] : await tools.catalog.lookUp(name, { signal });
  const wanted = (match: Match) =>
    (collection === undefined || match.collection_id === collection) &&
    (!('level' in identifier) || identifier.level === undefined || match.level === identifier.level);
  const matches = await Promise.all(
    found.filter(wanted).map(async (match) => await describe(tools, match, signal)),
  );
  return { identifier, matches, others: found.filter((match) => !wanted(match)) };
}

async function describe(
  tools: ShowTools,
  match: Match,
  signal: AbortSignal | undefined,
): Promise<NamedThing> {
  const { archive, catalog } = tools;
  const prefix = archive.catalog.releasePrefix;
  const single = match.series === 1;
  const [first] = single ? await match.seriesRows({ signal }) : [];
  const { licenses } = single ? { licenses: [] } : await catalog.licenses(match.selection, { signal });
  const modalities = single ? [first?.Modality ?? ''] : await modalitiesOf(catalog, match, signal);
  return {
    level: match.level,
    value: match.value,
    collections: match.collections,
    patients: match.patients,
    studies: match.studies,
    series: match.series,
    instances: match.instances,
    bytes: match.bytes,
    current: match.current,
    releases: { from: `${prefix}${match.minRelease}`, to: `${prefix}${match.maxRelease}` },
    licenses: single
      ? [{ license: first?.license_short_name ?? null, series: 1, bytes: match.bytes }]
      : licenses.map(({ license, series, bytes }) => ({ license, series, bytes })),
    modalities,
    ...(match.note === undefined ? {} : { note: match.note }),
    viewer: match.current ? viewerOf(archive, match, first, modalities) : null,
    ...(first === undefined ? {} : { row: first, urls: urlsOf(tools, first) }),
  };
}

async function modalitiesOf(
  catalog: Catalog,
  match: Match,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  if (match.level === 'collection' || match.level === 'analysis-result' || match.series > 10_000) {
    const { rows } = await catalog.groupBy(match.selection, ['Modality'], { signal });
    return rows.map(({ values }) => String(values['Modality'] ?? ''));
  }
  const rows = await match.seriesRows({ signal, columns: ['Modality'] });
  return [...new Set(rows.map(({ Modality }) => Modality ?? ''))];
}

function viewerOf(
  archive: Archive,
  match: Match,
  row: SeriesRow | undefined,
  modalities: string[],
): string | null {
  if (match.level === 'study')
    return viewerUrl(archive, { StudyInstanceUID: match.value, modalities }) ?? null;
  if (row === undefined) return null;
  return (
    viewerUrl(archive, {
      StudyInstanceUID: row.StudyInstanceUID,
      SeriesInstanceUID: row.SeriesInstanceUID,
      modalities,
    }) ?? null
  );
}

/** Where the folder of a series stands on every mirror. */
function urlsOf({ archive, openStore }: ShowTools, row: SeriesRow): Record<string, string> {
  const bucketClass = archive.bucketClasses.find(({ buckets }) =>
    Object.entries(row.buckets).some(([mirror, bucket]) => buckets[mirror] === bucket),
  );
  const buckets = bucketClass?.buckets ?? row.buckets;
  return Object.fromEntries(
    archive.mirrors.flatMap(({ name, protocol, endpoint, region, access }) => {
      const bucket = buckets[name];
      if (bucket === undefined) return [];
      return [
        [name, openStore({ protocol, endpoint, region, access, bucket }).url(`${row.crdc_series_uuid}/`)],
      ];
    }),
  );
}

function nameOf(identifier: Identifier): string | undefined {
  switch (identifier.kind) {
    case 'dicom-uid':
      return identifier.uid;
    case 'doi':
      return identifier.doi;
    case 'name':
      return identifier.name;
    case 'object-url':
      return identifier.seriesUuid ?? identifier.instanceUuid ?? identifier.seriesInstanceUid;
    default:
      return uuidOf(identifier);
  }
}
