/** Signing in with a public link: a code for the link's context, a token for the code; on old servers the passcode itself. */
import * as v from 'valibot';
import { CarrelError, isCarrelError } from '../../errors.ts';
import { type Answer, type AskOptions, ask } from '../ask.ts';
import type { FaspexApplication } from './find-application.ts';
import type { PackageLink } from './package-link.ts';
import { pause } from './pause.ts';

/** What goes along with each question. Secret; kept in memory only. */
export interface Credential {
  kind: 'bearer' | 'passcode';
  headers: Readonly<Record<string, string>>;
}

const NEW_LINK =
  'open the page of the collection and copy the address of its download button again: each version has a new link';

/**
 * Signs in. Source: the flow of Faspex 5.0.13 and later (`auth/authorize_public_link`, `auth/token`); before it the
 * header `Passcode`.
 *
 * @throws CarrelError `permission` where the link is refused, with the server's own words; `unsafe` where the server sends
 *   the code elsewhere or answers for another link; `network`
 */
export async function signIn(
  link: PackageLink,
  application: FaspexApplication,
  options: AskOptions,
): Promise<Credential> {
  const { clientId } = application;
  if (clientId === undefined) return byPasscode(link, 'the server does not say how to sign in');
  // A code is good once. Where an answer is lost, only a new code helps, so no step is repeated by itself.
  const { attempts = 4, retryDelayMs = 500, signal } = options;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await byCode(link, { ...application, clientId }, { ...options, attempts: 1 });
    } catch (error) {
      if (!isCarrelError(error) || !error.retryable || attempt >= attempts) throw error;
      await pause(error, retryDelayMs * 2 ** (attempt - 1), signal);
    }
  }
}

type Client = FaspexApplication & { clientId: string };

async function byCode(link: PackageLink, client: Client, options: AskOptions): Promise<Credential> {
  const redirectUri = client.redirectUri ?? `${new URL(client.base).pathname.replace(/\/$/, '')}/token`;
  const code = await askCode(link, client, redirectUri, options);
  if (code === undefined) return byPasscode(link, 'the server gave no code for it');
  const fields = {
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri,
    client_id: client.clientId,
    state: link.context,
  };
  try {
    return await redeem(link, client, fields, 'form', options);
  } catch (error) {
    if (!isCarrelError(error, 'bad-input')) throw error;
    // IBM's description of the interface has JSON here. The code may be spent, so a new one.
    const again = await askCode(link, client, redirectUri, options);
    if (again === undefined) throw error;
    return await redeem(link, client, { ...fields, code: again }, 'json', options);
  }
}

/** The code for the link; undefined on servers that know no such sign-in. */
async function askCode(
  link: PackageLink,
  { base, clientId }: Client,
  redirectUri: string,
  options: AskOptions,
): Promise<string | undefined> {
  const query = new URLSearchParams({
    response_type: 'code',
    state: link.context,
    client_id: clientId,
    redirect_uri: redirectUri,
  });
  const url = `${base}/auth/authorize_public_link?${query}`;
  let answer: Answer;
  try {
    answer = await ask({ what: `${link.name}, sign-in`, url, redirect: 'manual' }, options);
  } catch (error) {
    if (isCarrelError(error, 'not-found')) return undefined;
    throw error;
  }
  const location = answer.headers.get('location');
  if (answer.status < 300 || location === undefined) return undefined;
  if (!URL.canParse(location, url)) throw refused(link, 'the server sent us to something that is no address');
  const target = new URL(location, url);
  const said = target.searchParams.get('action_message');
  if (said !== null) throw refused(link, `the server says: ${said.replaceAll(/\s+/g, ' ').slice(0, 300)}`);
  if (target.origin !== new URL(base).origin) {
    throw unsafe(link, `the server would have sent the code to another host (${target.host})`);
  }
  const code = target.searchParams.get('code');
  if (code === null || code === '') throw refused(link, 'the server asks for more than the link');
  if (target.searchParams.get('state') !== link.context)
    throw unsafe(link, 'the server answered for another link');
  return code;
}

const TOKEN = v.looseObject({ access_token: v.pipe(v.string(), v.regex(/^[\x21-\x7e]+$/)) });

async function redeem(
  link: PackageLink,
  { base }: Client,
  fields: Record<string, string>,
  form: 'form' | 'json',
  options: AskOptions,
): Promise<Credential> {
  const body = form === 'json' ? JSON.stringify(fields) : new URLSearchParams(fields).toString();
  const type = form === 'json' ? 'application/json' : 'application/x-www-form-urlencoded';
  const headers = { accept: 'application/json', 'content-type': type };
  const question = {
    what: `${link.name}, sign-in`,
    url: `${base}/auth/token`,
    method: 'POST',
    headers,
    body,
    // Who is sent on would get the code.
    redirect: 'manual' as const,
  };
  const { text } = await ask(question, options);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // Below: the text may hold a token, so it is in no error.
  }
  const token = v.safeParse(TOKEN, json);
  if (!token.success) {
    throw new CarrelError('network', `${link.name}: the server signed us in without a token`, {
      item: link.name,
      next: 'try again later',
    });
  }
  return { kind: 'bearer', headers: { authorization: `Bearer ${token.output.access_token}` } };
}

function byPasscode(link: PackageLink, why: string): Credential {
  const { passcode } = link;
  // A header holds no control characters; the passcode comes from whoever wrote the link.
  if (passcode === undefined || !/^[\x20-\x7e]+$/.test(passcode)) {
    throw refused(link, `${why}, and the link holds no passcode`);
  }
  return { kind: 'passcode', headers: { passcode } };
}

function refused({ name }: PackageLink, why: string): CarrelError {
  return new CarrelError('permission', `${name}: the link was refused: ${why}`, {
    item: name,
    next: NEW_LINK,
  });
}

function unsafe({ name }: PackageLink, why: string): CarrelError {
  return new CarrelError('unsafe', `${name}: ${why}; stopped`, {
    item: name,
    next: 'check that the link is from the page of the collection; if it is, tell the help desk of the archive',
  });
}
