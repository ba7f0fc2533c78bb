/** One question to a web service of TCIA or Faspex: repeated where that may help, and honest where it does not. */
import { setTimeout as sleep } from 'node:timers/promises';
import { abortError, CarrelError, type ErrorCode, isCarrelError } from '../errors.ts';
import type { HttpHeaders, HttpPool } from '../stores/index.ts';

/** What asks; the pool of `stores` fits. */
export type AskHttp = Pick<HttpPool, 'request'>;

/** How a service is asked. */
export interface AskOptions {
  http: AskHttp;
  signal?: AbortSignal | undefined;
  /** Requests in all where failures may pass. Default 4. */
  attempts?: number | undefined;
  /** Milliseconds before the first repetition, doubled each time (default 500). */
  retryDelayMs?: number | undefined;
}

/** A question. */
export interface Question {
  /** Names the thing in errors, in place of the URL, which may hold a secret: `the list of files of package 762`. */
  what: string;
  url: string;
  method?: string | undefined;
  headers?: Record<string, string> | undefined;
  /** Text goes as UTF-8; its type stands in `headers`. */
  body?: string | Uint8Array | undefined;
  /** `manual` hands 3xx over. Default `follow`. */
  redirect?: 'follow' | 'manual' | undefined;
  /** Longest answer that is read, in bytes. Default 64 MiB. */
  limit?: number | undefined;
}

/** An answer with status 2xx, or 3xx where redirects are not followed. */
export interface Answer {
  status: number;
  headers: HttpHeaders;
  text: string;
  /** Where it came from in the end. May hold a secret. */
  url: string;
}

const LONGEST_WAIT_MS = 120_000;
const LONGEST_MESSAGE = 300;

/**
 * Asks, and repeats what failed for a reason that may pass (network, 429, 5xx).
 *
 * @throws CarrelError with `status` where the service refused: `permission` (401, 403), `not-found` (404, 410),
 *   `bad-input` (other 4xx), `network`; `interrupted`. Neither URL nor headers nor body of the question are in it.
 */
export async function ask(question: Question, options: AskOptions): Promise<Answer> {
  const { attempts = 4, signal } = options;
  let delay = options.retryDelayMs ?? 500;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await once(question, options);
    } catch (error) {
      if (!isCarrelError(error) || !error.retryable || attempt >= attempts) throw error;
      await pause(Math.min(error.retryAfterMs ?? delay, LONGEST_WAIT_MS), signal);
      delay *= 2;
    }
  }
}

/** As `ask`, for JSON. @throws CarrelError `network` where the answer is something else, such as a sign-in page. */
export async function askJson(question: Question, options: AskOptions): Promise<unknown> {
  const headers = { accept: 'application/json', ...question.headers };
  const { text } = await ask({ ...question, headers }, options);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CarrelError(
      'network',
      `${hostOf(question.url)} did not answer with JSON for ${question.what}`,
      {
        item: question.what,
        next: 'it may have answered with a sign-in or maintenance page; try again later',
        cause,
      },
    );
  }
}

async function once(question: Question, { http, signal }: AskOptions): Promise<Answer> {
  const { what, url, method, headers, body, redirect, limit } = question;
  const host = hostOf(url);
  let reply: Awaited<ReturnType<AskHttp['request']>>;
  let text: string;
  try {
    reply = await http.request({
      url,
      signal,
      ...(method === undefined ? {} : { method }),
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? new TextEncoder().encode(body) : body }),
      ...(redirect === undefined ? {} : { redirect }),
    });
    text = await reply.text(limit);
  } catch (error) {
    if (signal?.aborted === true) throw abortError(signal);
    if (!isCarrelError(error)) throw error;
    // The pool's errors name the URL, which may be a secret here.
    throw new CarrelError(
      error.code,
      `${what}: ${host} could not be asked (${withoutUrl(error.message, url)})`,
      {
        item: what,
        next: error.code === 'network' ? 'check the connection, or try again later' : undefined,
        retryable: error.retryable,
        retryAfterMs: error.retryAfterMs,
      },
    );
  }
  const { status } = reply;
  if (status < 400) return { status, headers: reply.headers, text, url: reply.url };
  const code = codeOf(status);
  const said = messageOf(text);
  throw new CarrelError(code, `${what}: ${host} answered ${status}${said === '' ? '' : `: ${said}`}`, {
    item: what,
    next: code === 'network' ? 'try again later' : undefined,
    status,
    retryable: status === 429 || status === 408 || status >= 500,
    retryAfterMs: retryAfter(reply.headers.get('retry-after')),
  });
}

function codeOf(status: number): ErrorCode {
  if (status === 401 || status === 403) return 'permission';
  if (status === 404 || status === 410) return 'not-found';
  return status < 500 && status !== 429 && status !== 408 ? 'bad-input' : 'network';
}

/** `message` of a JSON error body; nothing of pages. */
function messageOf(text: string): string {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== 'object' || body === null) return '';
    const fields = body as Record<string, unknown>;
    const found = [fields['message'], fields['error_description'], fields['error']].find(
      (part) => typeof part === 'string',
    );
    return typeof found === 'string' ? found.replaceAll(/\s+/g, ' ').slice(0, LONGEST_MESSAGE) : '';
  } catch {
    return '';
  }
}

/** `Retry-After` in seconds or as a date. */
function retryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const seconds = Number(value);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

function withoutUrl(message: string, url: string): string {
  return message.replaceAll(url, hostOf(url)).replaceAll(/https?:\/\/\S+/g, (found) => hostOf(found));
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'the server';
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    throw abortError(signal ?? AbortSignal.abort());
  }
}
