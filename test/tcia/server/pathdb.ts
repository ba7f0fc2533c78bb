/**
 * PathDB: collections, pages of images, whole-slide images. Drupal wraps every value in `[{ "value": … }]`; addresses say
 * `http:`; a page behind the last one is an empty list; without `_format=json` it refuses; HEAD does not tell lengths.
 *
 * Not known of the real one, and chosen here: the number of images of a page (option `perPage`).
 */
import { fileAnswer, html, json, takeFault, type WebFault } from './web-faults.ts';

/** A slide. */
export interface PathDbSlide {
  /** Node. */
  id: number;
  subject: string;
  image: string;
  /** Below `/system/files/wsi/`. */
  path: string;
  bytes: Uint8Array;
  /** False: `field_wsiimage` is empty. */
  address?: boolean;
}

/** A collection. */
export interface PathDbWorldCollection {
  id: number;
  name: string;
  slides: PathDbSlide[];
}

/** Options. */
export interface PathDbOptions {
  collections: PathDbWorldCollection[];
  faults?: WebFault[];
  /** Default 3. */
  perPage?: number;
  /** Origin in addresses; default the public one, with `http:`. */
  filesOrigin?: string;
  /** True: every page is the first one. */
  pagesRepeat?: boolean;
}

/** A server. */
export interface PathDbServer {
  fetch: (request: Request) => Promise<Response>;
  requests: string[];
  faults: WebFault[];
}

const CHANGED = '2024-01-16T21:08:33+00:00';

/** Makes a PathDB. */
export function createPathDb(options: PathDbOptions): PathDbServer {
  const requests: string[] = [];
  const faults = options.faults ?? [];
  const { collections, perPage = 3, filesOrigin = 'http://pathdb.cancerimagingarchive.net' } = options;
  return {
    requests,
    faults,
    async fetch(request) {
      const url = new URL(request.url);
      requests.push(`${request.method} ${url.pathname}${url.search}`);
      const fault = takeFault(faults, url);
      if (fault !== undefined) return fault;
      const file = /^\/system\/files\/wsi\/(.+)$/.exec(url.pathname)?.[1];
      if (file !== undefined) {
        const path = decodeURIComponent(file);
        const slide = collections.flatMap(({ slides }) => slides).find((one) => one.path === path);
        if (slide === undefined) return html('Not Found', 404);
        return fileAnswer(request, slide.bytes, 'application/octet-stream', true);
      }
      if (url.searchParams.get('_format') !== 'json')
        return json({ message: 'Not acceptable format: html' }, 406);
      if (url.pathname === '/collections') {
        return json(
          collections.map(({ id, name }) => ({
            tid: [{ value: id }],
            uuid: [{ value: `00000000-0000-4000-8000-${String(id).padStart(12, '0')}` }],
            name: [{ value: name }],
            description: [{ value: '<p></p>', format: 'basic_html', processed: '' }],
            changed: [{ value: CHANGED, format: 'Y-m-d\\TH:i:sP' }],
          })),
        );
      }
      const id = /^\/listofimages\/(\d+)$/.exec(url.pathname)?.[1];
      const collection = collections.find((one) => String(one.id) === id);
      if (collection === undefined) return json([]);
      const page = options.pagesRepeat === true ? 0 : Number(url.searchParams.get('page') ?? 0);
      return json(
        collection.slides
          .slice(page * perPage, (page + 1) * perPage)
          .map((slide) => node(slide, collection, filesOrigin)),
      );
    },
  };
}

function node(
  slide: PathDbSlide,
  { id, name }: PathDbWorldCollection,
  origin: string,
): Record<string, unknown> {
  const address = `${origin}/system/files/wsi/${slide.path.split('/').map(encodeURIComponent).join('/')}`;
  return {
    nid: [{ value: slide.id }],
    type: [{ target_id: 'wsi', target_type: 'node_type' }],
    studyid: [{ value: name }],
    clinicaltrialsubjectid: [{ value: slide.subject }],
    imageid: [{ value: slide.image }],
    imagedvolumewidth: [{ value: 49_799 }],
    imagedvolumeheight: [{ value: 38_471 }],
    referencepixelphysicalvaluex: [],
    referencepixelphysicalvaluey: [],
    field_collection: [{ target_id: id, target_type: 'taxonomy_term', url: `/taxonomy/term/${id}` }],
    field_wsiimage:
      slide.address === false ? [] : [{ target_id: slide.id, display: true, description: '', url: address }],
    created: [{ value: CHANGED, format: 'Y-m-d\\TH:i:sP' }],
    changed: [{ value: CHANGED, format: 'Y-m-d\\TH:i:sP' }],
  };
}
