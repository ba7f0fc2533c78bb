/** Public links to packages of Faspex 5, in every form in which they are handed around. */
import { CarrelError } from '../../errors.ts';
import { excerpt } from '../../identifiers/index.ts';
import { readContext } from './link-context.ts';

/** A link, taken apart. `context` and `passcode` open the package: never in logs, arguments, errors or JSON. */
export interface PackageLink {
  /** `https://faspex.cancerimagingarchive.net`. */
  origin: string;
  /** Where the application may stand, likeliest first, without a slash at the end. */
  bases: readonly string[];
  packageId: string;
  /** As the server made it, whatever became of it on the way; goes back as `state` when signing in. */
  context: string;
  /** Opens the package on servers from before 5.0.13. */
  passcode?: string | undefined;
  /** For people: `package 739 of faspex.cancerimagingarchive.net`. Holds no secret. */
  name: string;
}

const ENTITIES: Record<string, string> = {
  '&amp;': '&',
  '&#38;': '&',
  '&#x26;': '&',
  '&#61;': '=',
  '&#x3d;': '=',
  '&#43;': '+',
  '&#x2b;': '+',
  '&quot;': '"',
};

const NEW_LINK =
  'open the page of the collection and copy the address of its download button; each version of a collection has a new one';

/**
 * Takes a link apart. Forms (all met in the wild): `…/aspera/faspex/public/package?context=`, the same with
 * `redirected=true` before or behind, `…/?context=`, `…/public?context=`, `…/aspera/faspex/public?context=`; escaped for
 * HTML or URLs, in quotation marks or angle brackets, without padding, in base64url, broken by a mail.
 *
 * @throws CarrelError `bad-input` for what is no such link or was cut off, for links of Faspex 4, and for links to upload
 *   with; each in its own words, which repeat the text without its secrets
 */
export function parsePackageLink(text: string): PackageLink {
  if (text.trim() === '') {
    throw new CarrelError('bad-input', 'no link was given: it is empty', {
      next: 'put the link in single quotation marks; if it was to come from a variable, nothing is in it',
    });
  }
  const url = readUrl(text);
  if (url === undefined) throw refuse(text, 'is no link to a Faspex package', NEW_LINK);
  refuseOtherLinks(url, text);
  const raw = queryValue(url.search, 'context');
  if (raw === undefined) throw refuse(text, 'is no link to a Faspex package: it has no context', NEW_LINK);
  const context = readContext(raw);
  if (context === undefined) {
    throw refuse(
      text,
      'is no whole link: its context cannot be read',
      'copy the link again, to its end; on a command line put it in single quotation marks',
    );
  }
  const { packageId, passcode } = context;
  if (context.type?.startsWith('external_upload') === true || context.resource === 'shared_inboxes') {
    throw uploadLink(text);
  }
  if (packageId === undefined || !/^[A-Za-z0-9_-]{1,64}$/.test(packageId)) {
    throw refuse(text, 'names no package', NEW_LINK);
  }
  return {
    origin: url.origin,
    bases: basesOf(url),
    packageId,
    context: context.text,
    ...(passcode === undefined ? {} : { passcode }),
    name: `package ${packageId} of ${url.host}`,
  };
}

function readUrl(text: string): URL | undefined {
  const bare = text
    .replaceAll(/[\r\n\t]/g, '')
    .trim()
    .replaceAll(/^["'<(`]+|[>"'`)]+$/g, '')
    .replaceAll(
      /&(?:amp|quot|#38|#61|#43|#x26|#x3d|#x2b);/gi,
      (entity) => ENTITIES[entity.toLowerCase()] ?? entity,
    );
  const whole = /^[a-z][a-z0-9+.-]*:/i.test(bare) ? bare : `https://${bare}`;
  if (!URL.canParse(whole)) return undefined;
  const url = new URL(whole);
  const web = url.protocol === 'https:' || url.protocol === 'http:';
  return web && url.username === '' && url.password === '' ? url : undefined;
}

function refuseOtherLinks({ pathname, search }: URL, text: string): void {
  if (/\/external\/(?:submissions|dropbox_submissions)\/new\/?$/.test(pathname)) throw uploadLink(text);
  if (!/\/(?:external_deliveries|external\/deliveries)\/[^/]+\/?$/.test(pathname)) return;
  const item = excerpt(text);
  const open = queryValue(search, 'passcode') === undefined ? ' without its passcode' : '';
  throw new CarrelError('bad-input', `"${item}" is a link of Faspex 4${open}`, {
    item,
    next: 'TCIA has moved to Faspex 5, and this link very likely leads nowhere: open the page of the collection and copy the address of its download button',
  });
}

function uploadLink(text: string): CarrelError {
  const item = excerpt(text);
  return new CarrelError('bad-input', `"${item}" is a link to send files with, not to fetch them`, {
    item,
    next: `ask for a download link, or ${NEW_LINK}`,
  });
}

function refuse(text: string, fault: string, next: string): CarrelError {
  const item = excerpt(text);
  return new CarrelError('bad-input', `"${item}" ${fault}`, { item, next });
}

/** The first value of the parameter, undecoded: in `URLSearchParams` a `+` is a space. */
function queryValue(search: string, name: string): string | undefined {
  // Some pages escape the whole query, `%26redirected%3Dtrue` included.
  for (const pair of search.slice(1).split(/[&;]|%26/i)) {
    const [, key, value] = /^([^=%]+)(?:=|%3D)(.*)$/is.exec(pair) ?? [];
    if (key?.replace(/^amp;/, '') === name && value !== undefined && value !== '') return value;
  }
  return undefined;
}

/** The folder in which `public` stands, then where Faspex 5 stands by default, then the root of the host. */
function basesOf({ origin, pathname }: URL): string[] {
  const before = /^(.*?)\/public(?:\/|$)/.exec(pathname)?.[1] ?? pathname.replace(/\/+$/, '');
  const given = before === '' && !pathname.startsWith('/public') ? [] : [`${origin}${before}`];
  return [...new Set([...given, `${origin}/aspera/faspex`, origin])];
}
