/** Everything that TCIA publishes, read from its collection manager. */
import type { AskOptions } from '../ask.ts';
import type { TciaServers } from '../servers.ts';
import type { TciaCatalogue, TciaCollection, TciaDownload } from './collection.ts';
import { downloadKind } from './download-kind.ts';
import { FIELDS, readCitation, readCollection, readDownload, readVersion } from './read-records.ts';
import { fetchList, fetchMediaList } from './wordpress.ts';

/** Told after each list: `collections`, 224. */
export type OnList = (list: string, records: number) => void;

/**
 * Asks for all lists, one after the other: about fifteen requests. Nothing is handed back unless all of it came.
 *
 * @throws CarrelError as `fetchList`
 */
export async function fetchCatalogue(
  servers: TciaServers,
  options: AskOptions & { onList?: OnList | undefined; now?: Date | undefined },
): Promise<TciaCatalogue> {
  const origin = servers.wordpress;
  const list = async (name: keyof typeof FIELDS) => {
    const records = await fetchList(origin, name, { fields: FIELDS[name] }, options);
    options.onList?.(name, records.length);
    return records;
  };
  const [originals, results] = [await list('collections'), await list('analysis-results')];
  const downloads = (await list('downloads')).flatMap((record) => readDownload(record) ?? []);
  const versions = (await list('versions')).map(readVersion);
  const citations = (await list('citations')).flatMap((record) => readCitation(record) ?? []);
  const collections = [
    ...originals.flatMap((record) => readCollection(record, 'collection', origin) ?? []),
    ...results.flatMap((record) => readCollection(record, 'analysis-result', origin) ?? []),
  ];
  const listed = new Set(collections.flatMap((collection) => collection.downloads));
  const kept = downloads.filter(({ id }) => listed.has(id));
  const withFiles = await addFileAddresses(kept, origin, options);
  return {
    origin,
    fetchedAt: (options.now ?? new Date()).toISOString(),
    ...join(collections, withFiles),
    versions,
    citations,
  };
}

/** Files of the web site are known by number; their addresses tell manifests from tables. */
async function addFileAddresses(
  downloads: readonly TciaDownload[],
  origin: string,
  options: AskOptions,
): Promise<TciaDownload[]> {
  const unknown = downloads.flatMap(({ url, media }) => (url === null && media !== null ? [media] : []));
  const media = await fetchMediaList(origin, [...new Set(unknown)], options);
  return downloads.map((download) => {
    const file = download.media === null ? undefined : media.get(download.media);
    return file === undefined ? download : withAddress(download, file);
  });
}

/** A download with the address of its file, which also decides its kind. The size of a manifest is not that of its images. */
export function withAddress(
  download: TciaDownload,
  file: { url: string; size: number | null },
): TciaDownload {
  const url = file.url;
  const kind = downloadKind({ ...download, url });
  return { ...download, url, kind, size: kind === 'nbia' ? download.size : (file.size ?? download.size) };
}

/** Puts licences, access and versions where they are asked for. */
function join(
  collections: readonly TciaCollection[],
  downloads: readonly TciaDownload[],
): Pick<TciaCatalogue, 'collections' | 'downloads'> {
  const byId = new Map(downloads.map((download) => [download.id, { ...download }]));
  const names = new Map(
    collections.flatMap(({ kind, id, name }) => (kind === 'collection' ? [[String(id), name] as const] : [])),
  );
  const joined = collections.map((collection): TciaCollection => {
    const own = collection.downloads.flatMap((id) => byId.get(id) ?? []);
    for (const download of own) download.version ??= collection.version;
    const closed = own.filter(({ access }) => access === 'controlled').length;
    return {
      ...collection,
      licenses: [...new Set(own.flatMap(({ license }) => license ?? []))],
      access: closed === 0 ? 'public' : closed === own.length ? 'controlled' : 'mixed',
      collections: collection.collections.map((name) => names.get(name) ?? name),
    };
  });
  return { collections: joined, downloads: [...byId.values()] };
}
