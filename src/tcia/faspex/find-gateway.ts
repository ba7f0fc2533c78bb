/** Whether a Faspex offers an HTTP gateway, through which packages come over plain HTTPS. TCIA's does not. */
import * as v from 'valibot';
import { isCarrelError } from '../../errors.ts';
import type { FaspexClient } from './faspex-client.ts';

const ADDRESS = v.fallback(v.nullish(v.string()), undefined);
const CONFIGURATION = v.looseObject({ http_gateway_url: ADDRESS });
const ACCOUNT = v.looseObject({
  gateway_enabled: v.fallback(v.nullish(v.boolean()), undefined),
  gateway_url: ADDRESS,
});

/** Address of the gateway, without a slash at the end; undefined where none is offered. @throws as `FaspexClient.ask` */
export async function findGateway(client: FaspexClient, signal?: AbortSignal): Promise<string | undefined> {
  const configuration = v.safeParse(CONFIGURATION, await askOptional(client, 'configuration', signal));
  const named = configuration.success ? webAddress(configuration.output.http_gateway_url) : undefined;
  if (named !== undefined) return named;
  const account = v.safeParse(ACCOUNT, await askOptional(client, 'account', signal));
  if (!account.success || account.output.gateway_enabled === false) return undefined;
  return webAddress(account.output.gateway_url);
}

/** Guests may be kept from either answer; then that one offers nothing. */
async function askOptional(
  client: FaspexClient,
  path: string,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  try {
    return (await client.ask({ what: `${client.link.name}, ${path}`, path, signal })).json;
  } catch (error) {
    if (isCarrelError(error, 'permission', 'not-found', 'bad-input')) return undefined;
    throw error;
  }
}

function webAddress(text: string | null | undefined): string | undefined {
  if (text === null || text === undefined || !URL.canParse(text)) return undefined;
  return /^https?:$/.test(new URL(text).protocol) ? text.replace(/\/+$/, '') : undefined;
}
