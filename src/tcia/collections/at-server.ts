/** Addresses in answers name the public hosts; where a server was pointed elsewhere, they are asked there. */
import { TCIA_SERVERS, type TciaServerName, type TciaServers } from '../servers.ts';

/**
 * An address as it is asked: on the configured server where it names the public one (with or without `www.`), and with
 * https where the public server wrote http, as PathDB does.
 */
export function atServer(address: string, name: TciaServerName, servers: TciaServers): string {
  const url = new URL(address);
  const bare = (host: string) => host.toLowerCase().replace(/^www\./, '');
  if (bare(url.host) !== bare(new URL(TCIA_SERVERS[name]).host)) return address;
  const own = new URL(servers[name]);
  // As written, apart from its beginning: the URL class would touch escapes in the path.
  return address.replace(/^https?:\/\/[^/?#]+/i, own.href.replace(/\/$/, ''));
}
