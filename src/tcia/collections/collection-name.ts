/** What names a data set of TCIA: a slug in any case, a DOI in any form, an address of a page, old ones too. */
import { decodeEntities } from '../../catalog/index.ts';
import { CarrelError } from '../../errors.ts';
import type { TciaServers } from '../servers.ts';

/** What a text was read as. */
export type CollectionName =
  | { by: 'name'; name: string }
  | { by: 'doi'; doi: string }
  | { by: 'page'; slug: string; address: string };

/** Longer than any name or address of TCIA. */
const LONGEST = 2000;

/**
 * Reads a name. Nothing is asked of anybody.
 *
 * @throws CarrelError `bad-input` for what names no data set: packages (whose link is not repeated), files, lists,
 *   pages of the old wiki that are numbered only
 */
export function readCollectionName(what: string, servers: Pick<TciaServers, 'wordpress'>): CollectionName {
  const text = decodeEntities(what.trim());
  if (text === '' || text.length > LONGEST || /\p{Cc}/u.test(text)) {
    throw new CarrelError('bad-input', 'no name of a data set of TCIA', {
      item: what.slice(0, 80),
      next: 'name it as on its page (DLBCL-Morphology), or by its DOI; carrel tcia collections lists them',
    });
  }
  const isLink = /(?:context|passcode)=/i.test(text) || /^eyJ[\w+/=-]{20,}$/.test(text);
  if (isLink && !/^https?:/i.test(text)) throw packageLink('a link');
  const doi = doiIn(text);
  if (doi !== undefined) return { by: 'doi', doi };
  const address = addressIn(text, servers);
  return address === undefined ? { by: 'name', name: text } : readPage(address, what, servers);
}

/** A DOI with or without `doi:` and its resolver; escapes and a full stop behind it do not matter. */
function doiIn(text: string): string | undefined {
  const bare = text.replace(/^(?:https?:\/\/)?(?:dx\.|www\.)?doi\.org\//i, '').replace(/^doi:\s*/i, '');
  const [path = ''] = bare.split(/[?#]/, 1);
  const found = /^(10\.\d{4,9}(?:\.\d+)*\/\S+?)[.,;)\]/]*$/.exec(path.replaceAll(/%2f/gi, '/'))?.[1];
  return found?.toLowerCase();
}

function addressIn(text: string, { wordpress }: Pick<TciaServers, 'wordpress'>): URL | undefined {
  const hosts = /^(?:[a-z0-9-]+\.)*cancerimagingarchive\.net(?:[:/?#]|$)/i;
  const full = /^https?:\/\//i.test(text) ? text : hosts.test(text) ? `https://${text}` : undefined;
  if (full === undefined || !URL.canParse(full)) return undefined;
  const url = new URL(full);
  if (url.origin === new URL(wordpress).origin || hosts.test(url.host)) return url;
  throw new CarrelError('bad-input', `${url.host} is no site of The Cancer Imaging Archive`, {
    item: url.host,
    next: 'carrel get takes addresses of other sites; here the name of a data set, its DOI or its page is wanted',
  });
}

/** Without the link, which lets anybody in. */
function packageLink(item: string): CarrelError {
  return new CarrelError('bad-input', 'a link to a package names no data set', {
    item,
    next: 'carrel tcia get takes the link itself; carrel tcia show wants the name, DOI or page of a data set',
  });
}

function readPage(url: URL, what: string, servers: Pick<TciaServers, 'wordpress'>): CollectionName {
  const { host, pathname } = url;
  if (
    /^faspex\./i.test(host) ||
    /\/aspera\/faspex(?:\/|$)/.test(pathname) ||
    url.searchParams.has('context')
  ) {
    throw packageLink(host);
  }
  if (/^wiki\./i.test(host)) return readWiki(url, what);
  const searched = url.searchParams.get('CollectionCriteria');
  if (searched !== null && searched !== '') return { by: 'name', name: searched };
  const [, section, raw] = /^\/(collections?|analysis-results?)\/([^/]+)\/?$/.exec(pathname) ?? [];
  if (section !== undefined && raw !== undefined) {
    const slug = decoded(raw);
    return { by: 'page', slug, address: `${servers.wordpress}/${section.replace(/s$/, '')}/${raw}/` };
  }
  const isFile = pathname.includes('/wp-content/');
  throw new CarrelError(
    'bad-input',
    `${isFile ? 'a file' : 'this page'} of TCIA names no data set: ${host}${pathname}`,
    {
      item: `${host}${pathname}`,
      next: isFile
        ? `carrel get ${url.origin}${pathname} fetches it`
        : 'pages of data sets are …/collection/NAME/ and …/analysis-result/NAME/; carrel tcia collections lists them',
    },
  );
}

/**
 * Pages of the old wiki, which TCIA left in 2023: `/display/Public/NAME` tells the name; numbered pages and short links
 * tell nothing.
 */
function readWiki(url: URL, what: string): CollectionName {
  const [, title] = /^\/display\/[^/]+\/([^/]+)\/?$/.exec(url.pathname) ?? [];
  if (title !== undefined) return { by: 'name', name: decoded(title.replaceAll('+', ' ')) };
  throw new CarrelError('bad-input', 'a page of the old wiki of TCIA, which names no data set', {
    item: what.slice(0, 200),
    next: 'its data sets moved to www.cancerimagingarchive.net; carrel tcia collections WORDS finds them by name',
  });
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
