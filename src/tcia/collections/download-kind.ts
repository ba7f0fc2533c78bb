/** By which road a download comes, and who may have it. */
import type { TciaDownload, TciaDownloadKind } from './collection.ts';

/** What is known of a download before its kind is decided. */
export interface KindFacts {
  url: string | null;
  media: number | null;
  search: string | null;
  types: readonly string[];
  fileTypes: readonly string[];
  requirements: string | null;
}

const TABLE = /^(?:xlsx?|csv|tsv|ods)$/i;

/**
 * The kind, by the address first: Faspex by its host or path, manifests by `.tcia`, tables by their ending. A file whose
 * address is not known yet goes by the types that the page states.
 */
export function downloadKind(facts: KindFacts): TciaDownloadKind {
  const { url, media, search, fileTypes, types, requirements } = facts;
  if (url !== null) return kindOfAddress(new URL(url), facts);
  if (media !== null) {
    if (fileTypes.length > 0 && fileTypes.every((type) => TABLE.test(type))) return 'spreadsheet';
    const images = types.some((type) => /images|annotations|segmentations/i.test(type));
    const dicom = fileTypes.some((type) => /dicom/i.test(type));
    if ((images && dicom) || /data retriever/i.test(requirements ?? '')) return 'nbia';
    return 'file';
  }
  if (isInPathDb({ search })) return 'pathdb';
  return 'external';
}

function kindOfAddress({ host, pathname, search }: URL, { fileTypes }: KindFacts): TciaDownloadKind {
  if (/^faspex\./i.test(host) || /\/aspera\/faspex(?:\/|$)/.test(pathname)) return 'faspex';
  if (/^\?(?:.*&)?context=ey/.test(search) && /^\/(?:public(?:\/package)?\/?)?$/.test(pathname))
    return 'faspex';
  if (/\.tcia$/i.test(pathname)) return 'nbia';
  if (isPathDb(host)) return 'pathdb';
  const ending = /\.([a-z0-9]{1,5})$/i.exec(pathname)?.[1];
  if (ending !== undefined && TABLE.test(ending)) return 'spreadsheet';
  if (/\/wp-content\/uploads\//.test(pathname)) return 'file';
  const isFile = ending !== undefined && !/^(?:html?|php|aspx?|cgi)$/i.test(ending);
  if (isFile && /(?:^|\.)cancerimagingarchive\.net$/i.test(host))
    return fileTypes.some((type) => TABLE.test(type)) && ending === undefined ? 'spreadsheet' : 'file';
  return 'external';
}

/** True for a download whose slides PathDB has too, one by one over HTTPS; they may be converted for its viewer. */
export function isInPathDb({ search }: Pick<TciaDownload, 'search'>): boolean {
  return search !== null && isPathDb(new URL(search).host);
}

function isPathDb(host: string): boolean {
  return /^pathdb\./i.test(host);
}

const OPEN = /creative commons|\bcc[ -]?(?:by|0)\b/i;
const CLOSED = /controlled|restricted|limited|data us(?:e|age) agreement|dbgap/i;

/**
 * Who may have it. The licence decides: Creative Commons, with NC too, is open; other words of access follow. Fields
 * about the page say nothing about its downloads.
 */
export function accessOf(facts: {
  license: string | null;
  access: string;
  requirements: string | null;
}): TciaDownload['access'] {
  const { license, access, requirements } = facts;
  if (license !== null && OPEN.test(license)) return 'public';
  return [license ?? '', access, requirements ?? ''].some((text) => CLOSED.test(text))
    ? 'controlled'
    : 'public';
}

/** Where TCIA says how to apply for controlled data. */
export const CONTROLLED_ACCESS_PAGE =
  'https://www.cancerimagingarchive.net/nih-controlled-data-access-policy/';
