/** Where on a host Faspex 5 stands, and what its web application is called there. */
import { CarrelError, isCarrelError } from '../../errors.ts';
import { type AskOptions, ask } from '../ask.ts';
import { type PackageLink, parsePackageLink } from './package-link.ts';

/** An application that was found. */
export interface FaspexApplication {
  /** `https://faspex.cancerimagingarchive.net/aspera/faspex`, without a slash at the end. */
  base: string;
  /** What the web application calls itself when it signs in; missing on servers that tell nobody. */
  clientId?: string | undefined;
  /** Where codes are sent, absolute or not. */
  redirectUri?: string | undefined;
}

/**
 * Looks below each place that the link allows, and, where nothing is there, where the server sends a browser with this link.
 *
 * @throws CarrelError `not-found` where no Faspex answers; `network` where the host cannot be reached or is being serviced
 */
export async function findApplication(link: PackageLink, options: AskOptions): Promise<FaspexApplication> {
  for (const base of link.bases) {
    const found = await lookBelow(base, link, options);
    if (found !== undefined) return found;
  }
  for (const base of await movedTo(link, options)) {
    if (link.bases.includes(base)) continue;
    const found = await lookBelow(base, link, options);
    if (found !== undefined) return found;
  }
  throw new CarrelError('not-found', `${link.name}: no Faspex 5 answers on this host`, {
    item: link.name,
    next: 'open the link in a browser; if it works there, copy the address that the browser shows then',
  });
}

async function lookBelow(
  base: string,
  { name }: PackageLink,
  options: AskOptions,
): Promise<FaspexApplication | undefined> {
  const config = await tryAsk(`${base}/config.js`, `${name}, settings of the server`, options);
  const settings = config === undefined ? undefined : readSettings(config);
  if (settings?.clientId !== undefined) return { base, ...settings };
  // Older servers, and those that hide their settings: what answers a ping with nothing is a Faspex.
  const ping = await tryAsk(`${base}/api/v5/configuration/ping`, `${name}, ping`, options);
  return ping?.trim() === '' ? { base } : undefined;
}

/** `config.js` assigns an object in JavaScript, not in JSON; only two fields of it matter. */
function readSettings(text: string): Omit<FaspexApplication, 'base'> {
  const field = (name: string): string | undefined =>
    new RegExp(`["']?\\b${name}["']?\\s*[:=]\\s*(?:"([^"\\n]+)"|'([^'\\n]+)')`)
      .exec(text)
      ?.slice(1)
      .find((value) => value !== undefined);
  return { clientId: field('client_id'), redirectUri: field('redirect_uri') };
}

/** The text of an answer; undefined where the server has nothing there. */
async function tryAsk(url: string, what: string, options: AskOptions): Promise<string | undefined> {
  try {
    return (await ask({ what, url }, options)).text;
  } catch (error) {
    if (isCarrelError(error, 'not-found', 'permission', 'bad-input')) return undefined;
    throw error;
  }
}

/** Where the server sends a browser with this link: bases that the link itself does not tell. */
async function movedTo(link: PackageLink, options: AskOptions): Promise<readonly string[]> {
  const url = `${link.bases[0] ?? link.origin}/public/package?context=${encodeURIComponent(link.context)}`;
  try {
    const answer = await ask({ what: link.name, url }, options);
    return parsePackageLink(answer.url).bases;
  } catch (error) {
    if (isCarrelError(error, 'interrupted')) throw error;
    return [];
  }
}
