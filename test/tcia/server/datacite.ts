/** DataCite's REST API, as far as it tells of single DOIs and of the DOIs of one client (JSON:API). */
import { json, takeFault, type WebFault } from './web-faults.ts';

/** What is registered. */
export interface RegisteredDoi {
  /** In small letters. */
  doi: string;
  title: string;
  url: string;
  creators: string[];
  year: number;
  version: string | null;
  related?: { relationType: string; relatedIdentifier: string; relatedIdentifierType: string }[];
}

/** A server. */
export interface DataCiteServer {
  fetch: (request: Request) => Promise<Response>;
  requests: string[];
  faults: WebFault[];
}

/** Makes a DataCite that knows these DOIs. */
export function createDataCite(options: { dois: RegisteredDoi[]; faults?: WebFault[] }): DataCiteServer {
  const requests: string[] = [];
  const faults = options.faults ?? [];
  return {
    requests,
    faults,
    async fetch(request) {
      const url = new URL(request.url);
      requests.push(`${request.method} ${url.pathname}${url.search}`);
      const fault = takeFault(faults, url);
      if (fault !== undefined) return fault;
      if (url.pathname === '/dois') {
        const size = Number(url.searchParams.get('page[size]') ?? 25);
        const page = Number(url.searchParams.get('page[number]') ?? 1);
        const data = options.dois.slice((page - 1) * size, page * size).map(record);
        const totalPages = Math.ceil(options.dois.length / size);
        return json({
          data,
          meta: { total: options.dois.length, totalPages, page },
          links: { self: request.url },
        });
      }
      const wanted = decodeURIComponent(url.pathname.replace(/^\/dois\//, '')).toLowerCase();
      const found = options.dois.find(({ doi }) => doi === wanted);
      if (found === undefined)
        return json(
          { errors: [{ status: '404', title: "The resource you are looking for doesn't exist." }] },
          404,
        );
      return json({ data: record(found) });
    },
  };
}

function record({
  doi,
  title,
  url,
  creators,
  year,
  version,
  related = [],
}: RegisteredDoi): Record<string, unknown> {
  return {
    id: doi,
    type: 'dois',
    attributes: {
      doi,
      url,
      titles: [{ title }],
      creators: creators.map((name) => ({ name, nameType: 'Personal', affiliation: [] })),
      publisher: 'The Cancer Imaging Archive',
      publicationYear: year,
      version,
      relatedIdentifiers: related,
      state: 'findable',
    },
  };
}
