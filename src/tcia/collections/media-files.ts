/** Files of TCIA's web site: manifests, tables, archives. */
import { CarrelError } from '../../errors.ts';
import type { AskOptions } from '../ask.ts';
import type { TciaServers } from '../servers.ts';
import { atServer } from './at-server.ts';
import { isSecret, type TciaDownload } from './collection.ts';
import { fileName, type TciaFile } from './pathdb.ts';
import { fetchMedia } from './wordpress.ts';

/**
 * The file that a download is, over HTTPS. Its address is asked for where the catalogue does not have it; sizes are given
 * only where WordPress counted the bytes, never the rounded ones of the page.
 *
 * @throws CarrelError `unsupported` for a download that is no single file; `not-found`; and as `ask`
 */
export async function mediaFile(
  download: TciaDownload,
  options: AskOptions & { servers: TciaServers },
): Promise<TciaFile> {
  const { servers } = options;
  if (isSecret(download) || ['faspex', 'pathdb', 'external'].includes(download.kind)) {
    throw new CarrelError('unsupported', `${download.title} is no single file of TCIA's web site`, {
      item: String(download.id),
      next: 'carrel tcia show tells how it can be had',
    });
  }
  if (download.media !== null) {
    const { url, size } = await fetchMedia(servers.wordpress, download.media, options);
    return toFile(url, size, download, servers);
  }
  if (download.url !== null) return toFile(download.url, null, download, servers);
  throw new CarrelError('not-found', `${download.title} has no address`, {
    item: String(download.id),
    next: 'look at the page of the collection in a browser',
  });
}

function toFile(address: string, size: number | null, { id }: TciaDownload, servers: TciaServers): TciaFile {
  const file = { url: atServer(address, 'wordpress', servers), name: fileName(address, `download-${id}`) };
  return size === null ? file : { ...file, size };
}
