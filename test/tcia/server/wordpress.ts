/**
 * The web site of TCIA: the collection manager (`/api/v1/…`), uploaded files (`/api/wp/v2/media`, `/wp-content/uploads/…`)
 * and the pages of data sets. Records are kept as the real ones look: HTML in texts, `false` and `""` for nothing, lists
 * that are one text or an object, sizes as text.
 *
 * Not known of the real one, and chosen here: pages of at most 100 records (WordPress's own limit; option `mostPerPage`),
 * and that lists of files by `include` are allowed (option `mediaLists`).
 */
import { fileAnswer, html, json, takeFault, type WebFault } from './web-faults.ts';

/** A record of the collection manager, as WordPress prints it. */
export type WpRecord = { id: number; slug: string } & Record<string, unknown>;

/** What the site holds. */
export interface WordpressWorld {
  collections: WpRecord[];
  'analysis-results': WpRecord[];
  downloads: WpRecord[];
  citations: WpRecord[];
  versions: WpRecord[];
  /** Uploaded files by id: path below `/wp-content/uploads/` and bytes. */
  media: Record<number, { path: string; bytes: Uint8Array; type: string }>;
  /** Pages that moved: old slug → new slug. */
  moved: Record<string, string>;
}

/** Options. */
export interface WordpressOptions {
  world: WordpressWorld;
  faults?: WebFault[];
  /** Default 100; a larger `per_page` is refused with 400. */
  mostPerPage?: number;
  /** Origin in `Link` headers; default that of the request. The real site answers to two names. */
  linkOrigin?: string;
  /** Origin in addresses of files; default the public one with `www.`, as in the real records. */
  filesOrigin?: string;
  /** False: `/api/wp/v2/media` has no list, only single files. */
  mediaLists?: boolean;
}

const LISTS = ['collections', 'analysis-results', 'downloads', 'citations', 'versions'] as const;

/** A site. */
export interface WordpressServer {
  fetch: (request: Request) => Promise<Response>;
  /** `GET /path?query`, in their order. */
  requests: string[];
  /** May be changed at any time. */
  faults: WebFault[];
  /** May be changed at any time: data sets appear, versions change. */
  world: WordpressWorld;
}

/** Makes the web site of TCIA. */
export function createWordpress(options: WordpressOptions): WordpressServer {
  const requests: string[] = [];
  const faults = options.faults ?? [];
  const { world } = options;
  return {
    requests,
    faults,
    world,
    async fetch(request) {
      const url = new URL(request.url);
      requests.push(`${request.method} ${url.pathname}${url.search}`);
      const fault = takeFault(faults, url);
      if (fault !== undefined) return fault;
      if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405, 'rest_no_route');
      const list = LISTS.find((name) => url.pathname.replace(/\/$/, '') === `/api/v1/${name}`);
      if (list !== undefined) return listAnswer(world[list], url, options);
      if (/^\/api\/wp\/v2\/media\/?/.test(url.pathname)) return mediaAnswer(url, options);
      const upload = /^\/wp-content\/uploads\/(.+)$/.exec(url.pathname)?.[1];
      if (upload !== undefined) {
        const found = Object.values(world.media).find(({ path }) => path === decodeURIComponent(upload));
        return found === undefined ? html('<h1>404</h1>', 404) : fileAnswer(request, found.bytes, found.type);
      }
      return pageAnswer(url, world);
    },
  };
}

function listAnswer(all: readonly WpRecord[], url: URL, options: WordpressOptions): Response {
  const { searchParams: query } = url;
  const perPage = Number(query.get('per_page') ?? 10);
  const page = Number(query.get('page') ?? 1);
  if (!(perPage >= 1 && perPage <= (options.mostPerPage ?? 100)))
    return refuse(400, 'rest_invalid_param', 'Invalid parameter(s): per_page');
  const include = query.get('include')?.split(',').map(Number);
  const search = query.get('search')?.toLowerCase();
  const found = all.filter(
    (record) =>
      (include === undefined || include.includes(record.id)) &&
      (search === undefined || JSON.stringify(record).toLowerCase().includes(search)),
  );
  const pages = Math.ceil(found.length / perPage);
  if (page > 1 && page > pages)
    return refuse(
      400,
      'rest_post_invalid_page_number',
      'The page number requested is larger than the number of pages available.',
    );
  const fields = query.get('_fields')?.split(',');
  const headers: Record<string, string> = {
    'x-wp-total': String(found.length),
    'x-wp-totalpages': String(pages),
  };
  const links = [
    ...(page > 1 ? [linkTo(url, page - 1, 'prev', options)] : []),
    ...(page < pages ? [linkTo(url, page + 1, 'next', options)] : []),
  ];
  if (links.length > 0) headers['link'] = links.join(', ');
  return json(
    found.slice((page - 1) * perPage, page * perPage).map((record) => withFields(record, fields)),
    200,
    headers,
  );
}

function linkTo(url: URL, page: number, rel: string, { linkOrigin }: WordpressOptions): string {
  const query = new URLSearchParams(url.searchParams);
  query.set('page', String(page));
  return `<${linkOrigin ?? url.origin}${url.pathname}?${query.toString()}>; rel="${rel}"`;
}

function withFields(record: WpRecord, fields: readonly string[] | undefined): Record<string, unknown> {
  if (fields === undefined) return record;
  return Object.fromEntries(Object.entries(record).filter(([name]) => fields.includes(name)));
}

function mediaAnswer(url: URL, options: WordpressOptions): Response {
  const { world, filesOrigin = 'https://www.cancerimagingarchive.net' } = options;
  const record = (id: number) => {
    const file = world.media[id];
    if (file === undefined) return undefined;
    const source = `${filesOrigin}/wp-content/uploads/${file.path.split('/').map(encodeURIComponent).join('/')}`;
    const name = file.path.split('/').at(-1) ?? '';
    return {
      id,
      slug: name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-'),
      title: { rendered: name },
      media_type: 'file',
      mime_type: file.type,
      media_details: { filesize: file.bytes.length, sizes: {} },
      source_url: source,
    };
  };
  const one = /\/media\/(\d+)\/?$/.exec(url.pathname)?.[1];
  if (one !== undefined) {
    const found = record(Number(one));
    return found === undefined ? refuse(404, 'rest_post_invalid_id', 'Invalid post ID.') : json(found);
  }
  const include = url.searchParams.get('include');
  if (options.mediaLists === false || include === null)
    return refuse(404, 'rest_no_route', 'No route was found.');
  const fields = url.searchParams.get('_fields')?.split(',');
  const found = include.split(',').flatMap((id) => record(Number(id)) ?? []);
  return json(
    found.map((file) => withFields(file, fields)),
    200,
    { 'x-wp-total': String(found.length) },
  );
}

function pageAnswer(url: URL, world: WordpressWorld): Response {
  const [, section, raw] = /^\/(collection|analysis-result)\/([^/]+)\/?$/.exec(url.pathname) ?? [];
  if (section === undefined || raw === undefined) return html('<h1>Page not found</h1>', 404);
  const slug = decodeURIComponent(raw).toLowerCase();
  const moved = world.moved[slug];
  if (moved !== undefined)
    return new Response(null, { status: 301, headers: { location: `/${section}/${moved}/` } });
  const list = section === 'collection' ? world.collections : world['analysis-results'];
  const record = list.find((one) => one.slug === slug);
  if (record === undefined) return html('<h1>Page not found</h1>', 404);
  const title = String(record['collection_title'] ?? record['result_title'] ?? slug);
  const ids = record['collection_downloads'] ?? record['result_downloads'];
  const rows = world.downloads
    .filter(({ id }) => Array.isArray(ids) && ids.includes(id))
    .map(
      ({ download_title: name, download_url: to }) =>
        `<li>${String(name)} <a href="${String(to || '#')}">DOWNLOAD</a></li>`,
    );
  return html(
    `<!DOCTYPE html><html><head><title>${title} - The Cancer Imaging Archive (TCIA)</title></head><body><h1>${title}</h1><ul>${rows.join('')}</ul></body></html>`,
  );
}

function refuse(status: number, code: string, message = code): Response {
  return json({ code, message, data: { status } }, status);
}
