/** One package of a Faspex 5, asked over its public link: finds the server, signs in, signs in again where a token ends. */
import { CarrelError, isCarrelError } from '../../errors.ts';
import { type Answer, type AskHttp, type AskOptions, ask } from '../ask.ts';
import { type FaspexApplication, findApplication } from './find-application.ts';
import { type PackageInfo, readPackageInfo } from './package-info.ts';
import type { PackageLink } from './package-link.ts';
import { type Credential, signIn } from './sign-in.ts';

/** Options of `createFaspexClient`. */
export interface FaspexOptions {
  http: AskHttp;
  /** Requests in all where failures may pass. Default 4. */
  attempts?: number | undefined;
  /** Milliseconds before the first repetition, doubled each time (default 500). */
  retryDelayMs?: number | undefined;
}

/** A question to the API. */
export interface FaspexQuestion {
  /** Names the thing in errors: `the files of package 739`. */
  what: string;
  /** Below `api/v5/`: `packages/739`. */
  path: string;
  /** Default GET, and POST with a body. */
  method?: string | undefined;
  query?: Readonly<Record<string, string>> | undefined;
  /** Goes as JSON. */
  body?: unknown;
  signal?: AbortSignal | undefined;
  /** As in `FaspexOptions`, for this question alone. */
  attempts?: number | undefined;
}

/** An answer of the API. */
export interface FaspexAnswer {
  json: unknown;
  headers: Answer['headers'];
}

/** A package that can be asked. Nothing is asked before the first question. */
export interface FaspexClient {
  readonly link: PackageLink;
  readonly options: FaspexOptions;
  /**
   * Asks the API, signed in. A 401 is answered with a new sign-in, once per question.
   *
   * @throws CarrelError `permission`, `not-found` (with what to do about withdrawn packages), `bad-input`, `network`,
   *   `unsafe`, `interrupted`. No secret of the link or of the session is in it.
   */
  ask(question: FaspexQuestion): Promise<FaspexAnswer>;
  /** What the server says about the package; asked once. */
  info(signal?: AbortSignal): Promise<PackageInfo>;
}

/** Makes a client for the package of a link. */
export function createFaspexClient(link: PackageLink, options: FaspexOptions): FaspexClient {
  let application: FaspexApplication | undefined;
  let known: { credential: Promise<Credential> } | undefined;
  let info: PackageInfo | undefined;
  const secrets = new Set([link.context, encodeURIComponent(link.context), link.passcode ?? '']);

  const start = async (signal: AbortSignal | undefined): Promise<Credential> => {
    const asking = { ...options, signal };
    application ??= await findApplication(link, asking);
    const credential = await signIn(link, application, asking);
    for (const value of Object.values(credential.headers)) secrets.add(value.replace(/^Bearer /, ''));
    return credential;
  };

  /** The session; whoever comes first signs in for all. An abort of that one does not stop the others. */
  const session = async (signal: AbortSignal | undefined): Promise<{ credential: Promise<Credential> }> => {
    for (;;) {
      const mine = known === undefined;
      const held = known ?? { credential: start(signal) };
      known = held;
      try {
        await held.credential;
        return held;
      } catch (error) {
        if (known === held) known = undefined;
        if (mine || signal?.aborted === true || !isCarrelError(error, 'interrupted')) throw error;
      }
    }
  };

  const once = async (question: FaspexQuestion, credential: Credential): Promise<FaspexAnswer> => {
    const { what, path, method, query, body, signal, attempts } = question;
    const search = query === undefined ? '' : `?${new URLSearchParams(query)}`;
    const asking: AskOptions = { ...options, signal, attempts: attempts ?? options.attempts };
    const answer = await ask(
      {
        what,
        url: `${application?.base ?? ''}/api/v5/${path}${search}`,
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers: {
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...credential.headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        // The API redirects nobody; whoever does would get the credentials.
        redirect: 'manual',
      },
      asking,
    );
    return { json: parseJson(answer.text, link, what), headers: answer.headers };
  };

  const client: FaspexClient = {
    link,
    options,
    async ask(question) {
      try {
        const held = await session(question.signal);
        const credential = await held.credential;
        try {
          return await once(question, credential);
        } catch (error) {
          const ended = isCarrelError(error) && error.status === 401 && credential.kind === 'bearer';
          if (!ended) throw error;
          if (known === held) known = undefined;
          return await once(question, await (await session(question.signal)).credential);
        }
      } catch (error) {
        throw explained(error, secrets);
      }
    },
    async info(signal) {
      info ??= await readPackageInfo(client, signal);
      return info;
    },
  };
  return client;
}

function parseJson(text: string, { name }: PackageLink, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CarrelError('network', `${what}: the server answered with a page instead of data`, {
      item: name,
      next: 'it may be in maintenance; open the link in a browser, or try again later',
    });
  }
}

const ADVICE: { fits: (error: CarrelError) => boolean; next: string }[] = [
  {
    fits: ({ code, status }) => code === 'permission' && status !== undefined,
    next: 'the server refuses this link; open the page of the collection and copy the address of its download button again',
  },
  {
    fits: ({ code, status }) => code === 'not-found' && status !== undefined,
    next: 'packages are withdrawn when a collection gets a new version; open its page and copy the new link',
  },
  {
    fits: ({ status = 0 }) => status >= 500,
    next: 'the server may be in maintenance; open the link in a browser, or try again later',
  },
];

/** Tokens by their looks, for a message may be cut in the middle of one. */
const TOKENS = /\b(?:eyJ|ATM[0-9]_)[\w.+/=-]{8,}/g;

/** The error with what to do about it, and without anything that opens the package, whatever the server repeated. */
function explained(error: unknown, secrets: ReadonlySet<string>): unknown {
  if (!isCarrelError(error)) return error;
  let { message } = error;
  for (const secret of secrets) if (secret.length >= 4) message = message.replaceAll(secret, '***');
  const advice = ADVICE.find(({ fits }) => fits(error));
  message = message.replaceAll(TOKENS, '***');
  if (message === error.message && advice === undefined) return error;
  return new CarrelError(error.code, message, {
    item: error.item,
    next: advice?.next ?? error.next,
    retryable: error.retryable,
    status: error.status,
    retryAfterMs: error.retryAfterMs,
  });
}
