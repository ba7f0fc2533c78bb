/** Whether images of TCIA are in an installed archive too, where they come over HTTPS and are proven by digests. */
import type { Catalog } from '../../catalog/index.ts';
import type { TciaCollection, TciaDownload } from './collection.ts';

/** Series of an archive that come from a data set of TCIA. */
export interface IdcPart {
  /** `doi`: the archive names the DOI of the data set. `collection`: only the collection is the same. */
  by: 'doi' | 'collection';
  sourceDoi: string | null;
  collectionIds: string[];
  /** Codes: `CT`, `SM`. */
  modalities: string[];
  licenses: string[];
  patients: number;
  series: number;
  /** From a table that rounds. */
  bytes: number;
  /** Fetches exactly these series. */
  command: string;
}

/** What the archive has of a data set. */
export interface IdcAlternative {
  archive: string;
  release: string;
  /** Those that the DOI names first. */
  parts: IdcPart[];
}

/** Series by DOI of the data set; else, for a collection, those that were collected under its id. */
const STATEMENT = `
  SELECT lower(source_DOI) = $doi AS by_doi, lower(source_DOI) AS doi,
    list_sort(list(DISTINCT collection_id)) AS collections, list_sort(list(DISTINCT Modality)) AS modalities,
    list_sort(list(DISTINCT license_short_name)) AS licenses,
    CAST(count(DISTINCT PatientID) AS DOUBLE) AS patients, CAST(count(*) AS DOUBLE) AS series,
    CAST(round(sum(series_size_MB) * 1e6) AS DOUBLE) AS bytes
  FROM index
  WHERE lower(source_DOI) = $doi OR (list_contains($ids, collection_id) AND analysis_result_id IS NULL)
  GROUP BY ALL ORDER BY by_doi DESC NULLS LAST, series DESC, doi`;

/**
 * What an open catalogue has of a data set; undefined where nothing. Pathology came to IDC under DOIs of its own, so that
 * the collection counts too. What others derived from a collection is left out.
 *
 * @throws CarrelError as `Catalog.query`
 */
export async function idcAlternative(
  collection: Pick<TciaCollection, 'kind' | 'doi' | 'name' | 'slug'>,
  catalog: Pick<Catalog, 'query' | 'archive' | 'releaseName'>,
  signal?: AbortSignal,
): Promise<IdcAlternative | undefined> {
  const ids =
    collection.kind === 'collection'
      ? [...new Set([collection.name, collection.slug].map(collectionId))]
      : [];
  const parameters = { doi: collection.doi ?? '', ids };
  const { rows } = await catalog.query(STATEMENT, { parameters, signal });
  const parts: IdcPart[] = [];
  for await (const piece of rows) {
    for (const [byDoi, doi, collections, modalities, licenses, patients, series, bytes] of piece) {
      const collectionIds = textsOf(collections);
      const sourceDoi = typeof doi === 'string' ? doi : null;
      parts.push({
        by: byDoi === true ? 'doi' : 'collection',
        sourceDoi,
        collectionIds,
        modalities: textsOf(modalities),
        licenses: textsOf(licenses),
        patients: Number(patients),
        series: Number(series),
        bytes: Number(bytes ?? 0),
        command: commandOf(sourceDoi, collectionIds),
      });
    }
  }
  return parts.length === 0
    ? undefined
    : { archive: catalog.archive.name, release: catalog.releaseName, parts };
}

/** The id that IDC gives a collection: `CMB-GEC` → `cmb_gec`, `RIDER Pilot` → `rider_pilot`. */
export function collectionId(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_|_$/g, '');
}

/** Parts that hold the images of a download, by the kind of images; none for tables and other files. */
export function partsFor(download: TciaDownload, { parts }: IdcAlternative): IdcPart[] {
  const says = (word: RegExp) => [download.title, ...download.types].some((text) => word.test(text));
  const wanted = [
    ...(says(/patholog|histolog|slide/i) || download.kind === 'pathdb' ? [isSlide] : []),
    ...(says(/annotation|segmentation|contour/i) ? [isAnnotation] : []),
    ...(says(/radiolog|\bimages?\b/i) && !says(/patholog|histolog|slide/i) && isImages(download)
      ? [(code: string) => !isSlide(code) && !isAnnotation(code)]
      : []),
  ];
  return parts.filter(({ modalities }) => modalities.some((code) => wanted.some((is) => is(code))));
}

function isImages({ kind }: TciaDownload): boolean {
  return kind === 'nbia' || kind === 'faspex' || kind === 'external';
}

function isSlide(code: string): boolean {
  return code === 'SM';
}

function isAnnotation(code: string): boolean {
  return ['SEG', 'RTSTRUCT', 'ANN', 'SR', 'PR'].includes(code);
}

function commandOf(doi: string | null, collections: readonly string[]): string {
  return doi === null
    ? `carrel get ${collections.map((id) => `--collection ${id}`).join(' ')}`
    : `carrel get ${doi}`;
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}
