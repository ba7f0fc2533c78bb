/** Records of TCIA's collection manager → our types. Every field may be missing, `false`, `""`, or of another shape. */
import * as v from 'valibot';
import type {
  TciaCitation,
  TciaCollection,
  TciaCollectionKind,
  TciaDownload,
  TciaVersion,
} from './collection.ts';
import { accessOf, downloadKind } from './download-kind.ts';
import { addressOf, dateOf, doiOf, idOf, idsOf, isTicked, numberOf, sizeOf } from './odd-values.ts';
import { plainList, plainText, splitList, textOrNull } from './plain-text.ts';

/** What every record has; without it a record cannot be named and is left out. */
const RecordSchema = v.looseObject({ id: v.pipe(v.unknown(), v.transform(idOf), v.number()) });

/** A record with its id; undefined for anything else. */
export type WordpressRecord = v.InferOutput<typeof RecordSchema>;

/** Reads one record; undefined where it has no id. */
export function readRecord(value: unknown): WordpressRecord | undefined {
  const read = v.safeParse(RecordSchema, value);
  return read.success ? read.output : undefined;
}

/** Fields that are asked for, so that pages of long texts stay where they are. */
export const FIELDS = {
  collections: (
    'id,slug,link,title,collection_title,collection_short_title,collection_doi,collection_status,collection_summary,' +
    'cancer_types,cancer_locations,data_types,species,subjects,program,version_number,date_updated,supporting_data,' +
    'collection_downloads,versions,citations,hide_from_browse_table'
  ).split(','),
  'analysis-results': (
    'id,slug,link,title,result_title,result_short_title,result_doi,result_summary,collections,cancer_types,' +
    'cancer_locations,data_types,species,subjects,program,version_number,date_updated,supporting_data,' +
    'result_downloads,versions,citations,hide_from_browse_table'
  ).split(','),
  downloads: (
    'id,slug,title,download_title,download_type,data_type,file_type,download_access,date_updated,download_file,' +
    'download_url,download_requirements,data_license,search_url,description,download_size,download_size_unit,subjects,' +
    'study_count,series_count,image_count'
  ).split(','),
  versions: 'id,slug,title,version_number,version_date,version_text'.split(','),
  citations: 'id,slug,title,tcia_citation_type,tcia_citation_text,tcia_citation_doi'.split(','),
} as const;

/** A collection or an analysis result; undefined where nothing names it. Licences and access come with the downloads. */
export function readCollection(
  record: WordpressRecord,
  kind: TciaCollectionKind,
  origin: string,
): TciaCollection | undefined {
  const prefix = kind === 'collection' ? 'collection' : 'result';
  const field = (name: string) => record[`${prefix}_${name}`];
  const link = addressOf(record['link']);
  const slug = plainText(record['slug']) || (link === null ? '' : (/\/([^/]+)\/?$/.exec(link)?.[1] ?? ''));
  if (slug === '') return undefined;
  const title = plainText(field('title')) || plainText(record['title']) || slug;
  return {
    id: record.id,
    kind,
    slug: slug.toLowerCase(),
    name: plainText(field('short_title')) || slug,
    title,
    doi: doiOf(field('doi')),
    version: textOrNull(record['version_number']),
    updated: dateOf(record['date_updated']),
    status: textOrNull(field('status')),
    subjects: numberOf(record['subjects']),
    species: splitList(record['species']),
    cancerTypes: splitList(record['cancer_types']),
    cancerLocations: splitList(record['cancer_locations']),
    dataTypes: splitList(record['data_types']),
    supportingData: splitList(record['supporting_data']),
    programs: plainList(record['program']),
    licenses: [],
    access: 'public',
    summary: textOrNull(field('summary')),
    collections: kind === 'collection' ? [] : plainList(record['collections']),
    downloads: idsOf(field('downloads')),
    versions: idsOf(record['versions']),
    citations: idsOf(record['citations']),
    page: `${origin}/${kind}/${slug.toLowerCase()}/`,
    hidden: isTicked(record['hide_from_browse_table']),
  };
}

/** A download; undefined for rows that were never filled in. */
export function readDownload(record: WordpressRecord): TciaDownload | undefined {
  const file = record['download_file'];
  const media = idOf(file);
  const stated = addressOf(record['download_url']);
  const searched = addressOf(record['search_url']);
  // A package that stands in the wrong field is one all the same.
  const astray = searched !== null && /[?&](?:context|passcode)=/i.test(searched) ? searched : null;
  const search = astray === null ? searched : null;
  const url = stated ?? astray ?? fileAddress(memberOf(file, 'url')) ?? fileAddress(memberOf(file, 'guid'));
  const title = plainText(record['download_title']) || plainText(record['title']);
  if (title === '' && url === null && media === null && search === null) return undefined;
  const license = textOrNull(record['data_license']);
  const requirements = textOrNull(record['download_requirements']);
  const types = plainList(record['download_type']);
  const fileTypes = splitList(record['file_type']);
  return {
    id: record.id,
    title: title === '' ? `download ${record.id}` : title,
    kind: downloadKind({ url, media, search, types, fileTypes, requirements }),
    url,
    // An address that was typed in goes before a file that was uploaded, as on the page.
    media: stated === null ? media : null,
    search,
    license,
    access: accessOf({ license, access: plainText(record['download_access']), requirements }),
    requirements,
    size: sizeOf(record['download_size'], record['download_size_unit']),
    counts: {
      subjects: numberOf(record['subjects']),
      studies: numberOf(record['study_count']),
      series: numberOf(record['series_count']),
      images: numberOf(record['image_count']),
    },
    types,
    dataTypes: splitList(record['data_type']),
    fileTypes,
    updated: dateOf(record['date_updated']),
    version: null,
    description: textOrNull(record['description']),
  };
}

/** A version. */
export function readVersion(record: WordpressRecord): TciaVersion {
  return {
    id: record.id,
    number: textOrNull(record['version_number']),
    date: dateOf(record['version_date']),
    text: textOrNull(record['version_text']),
  };
}

/** A citation; undefined where it has no text. */
export function readCitation(record: WordpressRecord): TciaCitation | undefined {
  const text = plainText(record['tcia_citation_text']) || plainText(record['title']);
  if (text === '') return undefined;
  const doi = doiOf(record['tcia_citation_doi']) ?? doiOf(record['tcia_citation_text']);
  return { id: record.id, type: textOrNull(record['tcia_citation_type']), text, doi };
}

/** An address of an uploaded file; a `guid` may also be `/?attachment_id=7`, which is a page. */
function fileAddress(value: unknown): string | null {
  const address = addressOf(value);
  return address?.includes('/wp-content/uploads/') === true ? address : null;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
