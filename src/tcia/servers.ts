/** Where The Cancer Imaging Archive answers. Every address can be pointed elsewhere. */
import { CarrelError } from '../errors.ts';

/** Origins without a slash at the end. */
export interface TciaServers {
  /** WordPress: pages and API of collections, downloads, citations (`/api/v1`, `/api/wp/v2`). */
  wordpress: string;
  /** NBIA REST (`/nbia-api/services/v4`). */
  nbia: string;
  /** NBIA's second server, which holds the National Lung Screening Trial alone. */
  nlst: string;
  /** PathDB: whole-slide images. */
  pathdb: string;
  /** DataCite's API, which knows TCIA's DOIs. */
  datacite: string;
}

/** Name of a server. */
export type TciaServerName = keyof TciaServers;

/** The public ones. */
export const TCIA_SERVERS: Readonly<TciaServers> = {
  wordpress: 'https://cancerimagingarchive.net',
  nbia: 'https://nbia.cancerimagingarchive.net',
  nlst: 'https://nlst.cancerimagingarchive.net',
  pathdb: 'https://pathdb.cancerimagingarchive.net',
  datacite: 'https://api.datacite.org',
};

/**
 * The public servers with those of `overrides` (`NAME=ORIGIN`, as in `nbia=http://127.0.0.1:8042`) in their place.
 *
 * @throws CarrelError `usage` for a name that is none, or an address that is not http(s)
 */
export function tciaServers(overrides: readonly string[] = []): TciaServers {
  const servers: TciaServers = { ...TCIA_SERVERS };
  for (const override of overrides) {
    const at = override.indexOf('=');
    const name = override.slice(0, Math.max(at, 0));
    const address = override.slice(at + 1).replace(/\/+$/, '');
    if (!isServerName(name)) {
      throw new CarrelError('usage', `${override}: no server of that name`, {
        item: override,
        next: `write NAME=URL with one of ${Object.keys(TCIA_SERVERS).join(', ')}`,
      });
    }
    if (!/^https?:\/\/[^/]/.test(address) || !URL.canParse(address)) {
      throw new CarrelError('usage', `${override}: not an http(s) address`, {
        item: override,
        next: `write ${name}=https://host`,
      });
    }
    servers[name] = address;
  }
  return servers;
}

function isServerName(name: string): name is TciaServerName {
  return Object.hasOwn(TCIA_SERVERS, name);
}
