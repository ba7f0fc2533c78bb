/** Which Aspera HTTP Gateway answers at an address, and how it is asked. */
import * as v from 'valibot';
import { CarrelError, isCarrelError } from '../../errors.ts';
import { type AskOptions, askJson } from '../ask.ts';

/** A gateway. */
export interface Gateway {
  /** As it says: `2.3.0`. */
  version: string;
  /** `ticket`: a question gives a number that is fetched once (1 and 2). `header`: the spec goes along (3). */
  protocol: 'ticket' | 'header';
  /** What `/download` and `/presign` are added to. */
  base: string;
}

const INFO = v.looseObject({
  name: v.optional(v.string()),
  version: v.string(),
  endpoints: v.optional(v.fallback(v.array(v.string()), []), []),
});

/** Where gateways of version 1 and 2 stand on their host. */
const ROOT = '/aspera/http-gwy';

/**
 * Asks a gateway who it is. Its documented place is tried first, then the address as it is.
 *
 * @throws CarrelError `unsafe` for plain HTTP to another machine, since tokens go there; `not-found` where no gateway
 *   answers; `network`
 */
export async function readGateway(address: string, options: AskOptions): Promise<Gateway> {
  const given = cleanAddress(address);
  const roots = new URL(given).pathname === '/' ? [`${given}${ROOT}`, given] : [given];
  let last: unknown;
  for (const root of roots)
    for (const prefix of ['/v1', '/v3', '']) {
      try {
        const answer = await askJson({ what: 'the HTTP gateway', url: `${root}${prefix}/info` }, options);
        const { version, endpoints } = v.parse(INFO, answer);
        if (Number.parseInt(version, 10) < 3) return { version, protocol: 'ticket', base: `${root}/v1` };
        return { version, protocol: 'header', base: baseOf(root, endpoints) ?? `${root}${prefix}` };
      } catch (error) {
        if (isCarrelError(error, 'interrupted')) throw error;
        if (isCarrelError(error) && error.retryable) throw error;
        last = error;
      }
    }
  throw new CarrelError('not-found', `no Aspera HTTP gateway answers at ${given}`, {
    item: given,
    next: 'carrel doctor tcia tells about the other ways',
    cause: last,
  });
}

/** The address without what does not belong to it. */
function cleanAddress(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new CarrelError('bad-input', 'the address of the gateway is not an http(s) address', {
      item: 'gateway',
    });
  }
  const local = /^(?:127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(url.hostname);
  if (url.protocol !== 'https:' && !local) {
    throw new CarrelError(
      'unsafe',
      `${url.host}: a gateway is asked over https only, since tokens go there`,
      {
        item: url.host,
        next: 'tell whoever runs the server',
      },
    );
  }
  const path = url.pathname.replace(/\/+$/, '').replace(/\/v[123]$/, '');
  return path === '' ? url.origin : `${url.origin}${path}`;
}

/** Version 3 says where its download is; below the same origin. */
function baseOf(root: string, endpoints: readonly string[]): string | undefined {
  const found = endpoints.find((path) => /^\/[A-Za-z0-9/_.-]*\/download$/.test(path) && !path.includes('..'));
  return found === undefined ? undefined : `${new URL(root).origin}${found.replace(/\/download$/, '')}`;
}
