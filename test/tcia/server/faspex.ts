/**
 * A Faspex 5 as a pure fetch function, with the habits of the one of The Cancer Imaging Archive: what a client needs to
 * sign in with a public link, browse a package and be allowed to transfer it. Bytes are not served; see
 * `faspex-registry.ts` for whoever moves them.
 *
 * ```ts
 * const faspex = createFaspex({ packages: [{ id: '739', passcode: 'secret', title: 'HER2 v3', entries }] });
 * const listener = await listen({ fetch: faspex.fetch });
 * const link = faspex.link(listener.url, '739');
 * faspex.faults.failAbove = 20; // at any time
 * ```
 */
import { randomUUID } from 'node:crypto';
import { answerListing, answerTransfer, type Body, readBody } from './faspex-answers.ts';
import type { FaspexFaults } from './faspex-faults.ts';
import { buildTree, type PackageTree, type ServedPackage } from './faspex-packages.ts';
import { createRegistry, type IssuedTokens } from './faspex-registry.ts';
import { createSignIn, faspexError } from './faspex-sign-in.ts';

/** Options of `createFaspex`. */
export interface FaspexOptions {
  packages: readonly ServedPackage[];
  /** Where the application stands; default `/aspera/faspex`. */
  base?: string;
  faults?: FaspexFaults;
  /** File for issued transfer tokens; see `faspex-registry.ts`. */
  registry?: string;
  /** Life of sign-in and transfer tokens. Default 1,800. */
  tokenSeconds?: number;
  now?: () => number;
  /** Address of an HTTP gateway, and which of the two answers names it. Default none, as at TCIA. */
  gateway?: { url: string; in: 'configuration' | 'account' };
  /** Further fields of transfer specs, in place of the usual ones. */
  spec?: Record<string, unknown>;
}

/** A request as it came, without what opens anything. */
export interface FaspexRequest {
  method: string;
  /** Without the base, such as `/api/v5/packages/739`. */
  path: string;
  query: Record<string, string>;
  body: unknown;
  signedInBy: 'bearer' | 'passcode' | undefined;
  status: number;
}

/** The server. */
export interface TestFaspex {
  readonly fetch: (request: Request) => Promise<Response>;
  /** May be changed while the server runs. */
  readonly faults: FaspexFaults;
  readonly requests: FaspexRequest[];
  /** Tokens for transfers; the same as in the file. */
  readonly issued: IssuedTokens;
  /** The public link of a package, in the form of TCIA's notebook. */
  readonly link: (origin: string, packageId: string) => string;
}

/** Makes a server. */
export function createFaspex(options: FaspexOptions): TestFaspex {
  const { base = '/aspera/faspex', faults = {}, now = Date.now, tokenSeconds = 1800 } = options;
  const packages = new Map(options.packages.map((served) => [served.id, served]));
  const trees = new Map<string, PackageTree>();
  const requests: FaspexRequest[] = [];
  const registry = createRegistry(options.registry);
  const signIn = createSignIn({ base, packages, faults, now, tokenSeconds });
  const uuids = new Map(options.packages.map(({ id, uuid }) => [id, uuid ?? randomUUID()]));

  const treeOf = (served: ServedPackage): PackageTree => {
    const tree = trees.get(served.id) ?? buildTree(served);
    trees.set(served.id, tree);
    return tree;
  };
  const recipientsOf = (served: ServedPackage) =>
    served.recipients ?? [{ id: '12', name: 'help@example.org', recipient_type: 'user' }];

  const details = (served: ServedPackage): Response => {
    const { files, bytes } = treeOf(served);
    return Response.json({
      id: served.id,
      title: served.title,
      package_uuid: uuids.get(served.id),
      total_bytes: bytes,
      total_files: files,
      state: served.state ?? 'released',
      status: 'completed',
      release_date: '2024-03-25T15:01:02Z',
      expiration_date: null,
      sender: { name: 'TCIA Help Desk' },
      recipients: recipientsOf(served),
      prevent_http_download: false,
      files_on_server: 'true',
      download_availability: 'full',
      pagination_browsing: faults.noPages !== true,
      ...served.fields,
    });
  };

  const api = async (request: Request, url: URL, path: string, body: Body): Promise<Response> => {
    if ((faults.unavailable ?? 0) > 0) {
      faults.unavailable = (faults.unavailable ?? 1) - 1;
      return faspexError(503, '1004', 'Service Unavailable');
    }
    const gateway = (place: string) => (options.gateway?.in === place ? options.gateway.url : null);
    if (path === '/configuration/ping') {
      return new Response(null, { status: 200, headers: { 'X-IBM-Aspera': '5.0.13' } });
    }
    const [, packageId, rest = ''] = /^\/packages\/([^/]+)(\/.*)?$/.exec(path) ?? [];
    const refused = signIn.who(request, packageId);
    if (refused !== undefined) return refused;
    if (faults.pages === true) return page(200, 'Welcome to Faspex');
    if (path === '/configuration') return Response.json({ http_gateway_url: gateway('configuration') });
    if (path === '/account') {
      const found = gateway('account');
      return Response.json({ gateway_enabled: found !== null, gateway_url: found });
    }
    const served = packages.get(packageId ?? '');
    if (served === undefined) return faspexError(404, '3803', 'The package does not exist or has expired');
    if (rest === '' && request.method === 'GET') return details(served);
    if (request.method !== 'POST') return faspexError(405, '1005', 'Method Not Allowed');
    const [recipient] = recipientsOf(served);
    const named = url.searchParams.get(
      recipient?.recipient_type === 'user' ? 'recipient_user_id' : 'recipient_workgroup_id',
    );
    if (faults.needsRecipient === true && recipient !== undefined && named !== recipient.id) {
      return faspexError(403, '2001', 'Not authorized');
    }
    const asked = { url, body, faults };
    if (rest === '/files/received') return answerListing(treeOf(served), asked, false);
    if (rest === '/files/received/page') return answerListing(treeOf(served), asked, true);
    if (rest === '/transfer_spec/download') {
      const uuid = uuids.get(served.id) ?? '';
      const expires = now() + tokenSeconds * 1000;
      const issuing = { uuid, expires, add: registry.add, spec: options.spec };
      return answerTransfer(served, treeOf(served), asked, issuing);
    }
    return faspexError(404, '1001', 'Not Found');
  };

  const route = async (request: Request, url: URL, text: string): Promise<Response> => {
    if (faults.maintenance === true) return page(503, 'Faspex is being serviced');
    const { pathname } = url;
    if (pathname === '/' || pathname === `${base}/public/package`) return page(200, 'Faspex');
    if (!pathname.startsWith(`${base}/`)) return page(404, 'Not Found');
    const path = pathname.slice(base.length);
    if (path === '/config.js') return signIn.configJs();
    if (path === '/auth/authorize_public_link') return signIn.authorize(url);
    if (path === '/auth/token' && request.method === 'POST') {
      const type = request.headers.get('content-type') ?? '';
      const again = new Request(url, { method: 'POST', body: text, headers: { 'content-type': type } });
      return await signIn.token(again);
    }
    if (!path.startsWith('/api/v5/')) return page(404, 'Not Found');
    return await api(request, url, path.slice('/api/v5'.length), readBody(text));
  };

  return {
    faults,
    requests,
    issued: registry.issued,
    async fetch(request) {
      const url = new URL(request.url);
      const text = await request.text();
      const response = await route(request, url, text);
      const secret = url.pathname.startsWith(`${base}/auth/`);
      requests.push({
        method: request.method,
        path: url.pathname.startsWith(base) ? url.pathname.slice(base.length) : url.pathname,
        query: secret ? {} : Object.fromEntries(url.searchParams),
        body: secret || text === '' ? undefined : readBody(text),
        signedInBy: request.headers.has('authorization')
          ? 'bearer'
          : request.headers.has('passcode')
            ? 'passcode'
            : undefined,
        status: response.status,
      });
      return response;
    },
    link(origin, packageId) {
      const context = {
        resource: 'packages',
        type: 'external_download_package',
        id: packageId,
        passcode: packages.get(packageId)?.passcode ?? 'unknown',
        package_id: packageId,
        email: 'help@example.org',
      };
      const text = Buffer.from(JSON.stringify(context)).toString('base64');
      return `${origin}${base}/public/package?context=${text}`;
    },
  };
}

function page(status: number, title: string): Response {
  return new Response(`<!doctype html><title>${title}</title><h1>${title}</h1>`, {
    status,
    headers: { 'content-type': 'text/html' },
  });
}
