/** What The Cancer Imaging Archive publishes: data sets, what can be downloaded of them, their versions and citations. */

/** `collection`: images as they were collected. `analysis-result`: what others made of images of collections. */
export type TciaCollectionKind = 'collection' | 'analysis-result';

/** The road by which a download comes. */
export type TciaDownloadKind =
  /** A package of IBM Aspera Faspex; its address holds a passcode. */
  | 'faspex'
  /** A manifest of the NBIA Data Retriever (`.tcia`): DICOM series. */
  | 'nbia'
  /** Whole-slide images of PathDB, one address each. */
  | 'pathdb'
  /** A table: XLSX, CSV, TSV. */
  | 'spreadsheet'
  /** Another file of TCIA's web site: ZIP, PDF. */
  | 'file'
  /** Somewhere else: another archive, a page that explains how to apply. */
  | 'external';

/** Every kind, for flags and schemas. */
export const TCIA_DOWNLOAD_KINDS: readonly TciaDownloadKind[] = [
  'faspex',
  'nbia',
  'pathdb',
  'spreadsheet',
  'file',
  'external',
];

/** A data set. Texts are plain: tags and character references are gone. What TCIA does not say is null, or an empty list. */
export interface TciaCollection {
  /** WordPress's number; an analysis result and a collection may share one. */
  id: number;
  kind: TciaCollectionKind;
  /** As in the address of its page, in small letters: `dlbcl-morphology`. */
  slug: string;
  /** As people write it: `DLBCL-Morphology`. Other services of TCIA and IDC know the data set by it. */
  name: string;
  title: string;
  /** In small letters without resolver: `10.7937/e7kh-r486`. */
  doi: string | null;
  /** Of the data: `9`. */
  version: string | null;
  /** `YYYY-MM-DD`. */
  updated: string | null;
  /** `Complete`, `Ongoing`. */
  status: string | null;
  subjects: number | null;
  species: string[];
  cancerTypes: string[];
  cancerLocations: string[];
  /** Modalities and kinds of data: `CT`, `Histopathology`. */
  dataTypes: string[];
  /** `Clinical`, `Image Analyses`. */
  supportingData: string[];
  programs: string[];
  /** Licences of its downloads, each once. */
  licenses: string[];
  /** `mixed` where some downloads are open and some are not. */
  access: 'public' | 'controlled' | 'mixed';
  summary: string | null;
  /** Names of collections that an analysis result rests on. */
  collections: string[];
  /** Ids of `TciaDownload`, in the order of the page. */
  downloads: number[];
  versions: number[];
  citations: number[];
  /** Address of the page. */
  page: string;
  /** True where TCIA keeps it out of its own lists: not yet published, or retired. */
  hidden: boolean;
}

/** Something that can be downloaded. */
export interface TciaDownload {
  id: number;
  title: string;
  kind: TciaDownloadKind;
  /**
   * Where it is; null where it is a file of the web site whose address was not asked for yet (`media`). Of a package it
   * holds a passcode: see `isSecret`.
   */
  url: string | null;
  /** WordPress's number of the file. */
  media: number | null;
  /** Page that searches or shows the same images: NBIA, PathDB. */
  search: string | null;
  license: string | null;
  /** Decided by the licence first: Creative Commons is open. */
  access: 'public' | 'controlled';
  /** What TCIA demands first: a tool, an agreement. */
  requirements: string | null;
  /**
   * Bytes. Of a file of the web site exact; else as the page says them (`1.2 GB`), so rounded, units taken as powers of
   * 1000. Of a manifest those of its images.
   */
  size: number | null;
  counts: { subjects: number | null; studies: number | null; series: number | null; images: number | null };
  /** `Radiology Images`, `Pathology Images`, `Image Annotations`, `Clinical Data`. */
  types: string[];
  dataTypes: string[];
  /** `DICOM`, `SVS`, `XLSX`. */
  fileTypes: string[];
  /** `YYYY-MM-DD`. */
  updated: string | null;
  /** Version of the data set whose page lists it; null where that is not known. */
  version: string | null;
  description: string | null;
}

/** A version of a data set. */
export interface TciaVersion {
  id: number;
  number: string | null;
  /** `YYYY-MM-DD`. */
  date: string | null;
  text: string | null;
}

/** How to cite. */
export interface TciaCitation {
  id: number;
  /** `Data Citation`, `Publication Citation`. */
  type: string | null;
  text: string;
  doi: string | null;
}

/** Everything that TCIA publishes, as it was at one time. */
export interface TciaCatalogue {
  /** Origin of the server that was asked. */
  origin: string;
  /** ISO 8601, UTC. */
  fetchedAt: string;
  collections: TciaCollection[];
  downloads: TciaDownload[];
  versions: TciaVersion[];
  citations: TciaCitation[];
}

/** True where the address lets anybody in who has it: it is printed only on request, and never in logs or receipts. */
export function isSecret(download: Pick<TciaDownload, 'kind' | 'url'>): boolean {
  return (
    download.url !== null &&
    (download.kind === 'faspex' || /[?&#](?:context|passcode|token)=/i.test(download.url))
  );
}

/** A download for output: without its address where that is a secret. */
export function withoutSecret(download: TciaDownload): TciaDownload {
  return isSecret(download) ? { ...download, url: null } : download;
}

/** Downloads of a data set in the order of its page; ids that no record answers to are left out. */
export function downloadsOf(
  catalogue: Pick<TciaCatalogue, 'downloads'>,
  collection: Pick<TciaCollection, 'downloads'>,
): TciaDownload[] {
  const byId = new Map(catalogue.downloads.map((download) => [download.id, download]));
  return collection.downloads.flatMap((id) => byId.get(id) ?? []);
}
