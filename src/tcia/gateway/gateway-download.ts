/** One stream from a gateway: a file, or a ZIP archive of several. */
import { Buffer } from 'node:buffer';
import * as v from 'valibot';
import { CarrelError } from '../../errors.ts';
import type { HttpReply } from '../../stores/index.ts';
import { type AskHttp, type AskOptions, ask, askJson } from '../ask.ts';
import type { TransferSpec } from '../faspex/transfer-spec.ts';
import type { Gateway } from './gateway-info.ts';

/** What is asked for. */
export interface GatewayQuestion {
  gateway: Gateway;
  spec: TransferSpec;
  /** Sources of the spec; the token covers them. */
  sources: readonly string[];
  zip: boolean;
  /** Names the thing in errors. */
  what: string;
}

/** Longest header line that servers take as a rule is 8 KiB; a longer spec goes by the body of another request. */
const LONGEST_HEADER = 6000;

const TICKET = v.looseObject({ transfer_spec_id: v.pipe(v.string(), v.regex(/^[A-Za-z0-9._~-]{1,200}$/)) });
const SIGNED = v.looseObject({ signed_url: v.pipe(v.string(), v.url()) });

/**
 * Begins a download. The body is unread; a refusal is an error, whatever its body says.
 *
 * @throws CarrelError `permission` (401, 403), `not-found`, `bad-input`, `network`, `unsafe`; no secret is in it
 */
export async function openDownload(question: GatewayQuestion, options: AskOptions): Promise<HttpReply> {
  const { gateway, what } = question;
  const transferSpec = {
    ...question.spec,
    authentication: 'token',
    source_root: question.spec.source_root ?? '/',
    paths: question.sources.map((source) => ({ source })),
    zip_required: question.zip,
    download_name: 'carrel',
  };
  // Nothing is repeated here: a ticket is good once, and whoever calls asks for a fresh token first.
  const once: AskOptions = { ...options, attempts: 1 };
  if (gateway.protocol === 'ticket') {
    const answer = await askJson(
      {
        what,
        url: `${gateway.base}/download`,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ transfer_spec: transferSpec }),
      },
      once,
    );
    const ticket = v.safeParse(TICKET, answer);
    if (!ticket.success) throw odd(what);
    // The address in the answer is not followed: the number is enough, and stays with the gateway.
    return await stream(what, `${gateway.base}/download/${ticket.output.transfer_spec_id}`, {}, options);
  }
  const encoded = Buffer.from(JSON.stringify(transferSpec)).toString('base64');
  if (encoded.length <= LONGEST_HEADER)
    return await stream(what, `${gateway.base}/download`, { 'x-aspera-spec': encoded }, options);
  const { host, protocol, origin } = new URL(gateway.base);
  const answer = await ask(
    {
      what,
      url: `${gateway.base}/presign`,
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({
        transfer_spec: transferSpec,
        method: 'GET',
        protocol: protocol.replace(':', ''),
        headers: { host },
      }),
    },
    once,
  );
  const signed = v.safeParse(SIGNED, parse(answer.text));
  if (!signed.success) throw odd(what);
  if (new URL(signed.output.signed_url).origin !== origin) {
    throw new CarrelError('unsafe', `${what}: the gateway sends to another server`, {
      item: what,
      next: 'tell whoever runs the gateway',
    });
  }
  return await stream(what, signed.output.signed_url, {}, options);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A GET whose body is left to the caller; redirects could lead a token elsewhere and are not followed. */
async function stream(
  what: string,
  url: string,
  headers: Record<string, string>,
  { http, signal }: { http: AskHttp; signal?: AbortSignal | undefined },
): Promise<HttpReply> {
  let reply: HttpReply;
  try {
    reply = await http.request({ url, headers, signal, redirect: 'manual' });
  } catch (error) {
    throw withoutUrl(error, what);
  }
  const { status } = reply;
  if (status >= 200 && status < 300) return reply;
  reply.cancel();
  const refused = status === 401 || status === 403;
  const retryable = status === 408 || status === 429 || status >= 500;
  throw new CarrelError(
    refused
      ? 'permission'
      : status === 404 || status === 410
        ? 'not-found'
        : retryable
          ? 'network'
          : 'bad-input',
    `${what}: the gateway answered ${status}`,
    { item: what, next: 'run the same command again; if it stays so, tell the archive', status, retryable },
  );
}

/** Errors of the pool name the address, in which a ticket or a signature stands. */
export function withoutUrl(error: unknown, what: string): unknown {
  if (!(error instanceof CarrelError) || error.code === 'interrupted') return error;
  const message = error.message.replaceAll(/https?:\/\/\S+/g, 'the gateway');
  return new CarrelError(error.code, message.startsWith(what) ? message : `${what}: ${message}`, {
    item: what,
    next: error.next,
    retryable: error.retryable,
    status: error.status,
    retryAfterMs: error.retryAfterMs,
  });
}

function odd(what: string): CarrelError {
  return new CarrelError('network', `${what}: the gateway gave an answer that is not known`, {
    item: what,
    next: 'its version may be too new for this program',
    retryable: true,
  });
}
