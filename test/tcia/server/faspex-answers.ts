/** What the test server answers about the content of a package: listings in two forms, and transfer specs. */
import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { FaspexFaults } from './faspex-faults.ts';
import { itemOf, type PackageTree, type ServedPackage } from './faspex-packages.ts';
import type { IssuedToken } from './faspex-registry.ts';
import { faspexError } from './faspex-sign-in.ts';

/** A JSON object. */
export type Body = Record<string, unknown>;

/** A question to a package. */
export interface Asked {
  url: URL;
  body: Body;
  faults: FaspexFaults;
}

/** How transfer tokens are made. */
export interface Issuing {
  uuid: string;
  expires: number;
  add: (token: string, what: IssuedToken) => void;
  /** Fields in place of the usual ones. */
  spec: Record<string, unknown> | undefined;
}

/** Rows of the offset form where no limit is given: the trap that cut folders at 100. */
const DEFAULT_LIMIT = 100;
const MOST_ROWS = 1000;

/** `files/received` (`paged` false) and `files/received/page`. */
export function answerListing(tree: PackageTree, { url, body, faults }: Asked, paged: boolean): Response {
  if (paged && faults.noPages === true) return faspexError(404, '1001', 'Not Found');
  if (!paged && faults.noOffsets === true) return faspexError(500, '1000', 'InternalError');
  const asked = body['path'];
  if (typeof asked !== 'string') return faspexError(500, '1000', 'InternalError');
  const inside = asked.replaceAll(/^\/+|\/+$/g, '');
  const rows = tree.children(inside);
  const file = tree.entry(inside);
  // A file has no rows; a link to a folder that is gone is not there.
  if (rows === undefined && (file === undefined || file.target?.type === 'directory')) {
    return faspexError(404, '2101', 'The path does not exist');
  }
  const query = url.searchParams;
  const tokenFrom = faults.tokenIn ?? 'both';
  const token =
    (tokenFrom === 'body' ? null : query.get('iteration_token')) ??
    (tokenFrom === 'query' ? undefined : (body['iteration_token'] as string | undefined));
  const place = token === undefined ? undefined : readToken(token);
  const limit = Number(query.get(paged ? 'per_page' : 'limit') ?? DEFAULT_LIMIT);
  const at = paged ? (place?.at ?? 0) : Number(query.get('offset') ?? 0);
  if (!(limit > 0) || limit > (faults.failAbove ?? MOST_ROWS)) {
    return faspexError(500, '1000', 'InternalError');
  }
  const all = rows ?? [];
  const reachable = paged ? all : all.slice(0, faults.endsAfter);
  const given = reachable.slice(at, at + Math.min(limit, faults.shortPages ?? limit));
  const items = given.map((entry) => itemOf(entry, asked, faults));
  if (!paged) {
    const total = { total_count: all.length + (faults.totalOffBy ?? 0) };
    return Response.json({
      self: { path: asked, type: rows === undefined ? 'file' : 'directory' },
      items,
      item_count: items.length,
      ...(faults.noTotal === true ? {} : total),
    });
  }
  const page = (place?.page ?? 0) + 1;
  const end = at + given.length;
  const more = end < all.length && page !== faults.losesToken;
  const next = { at: faults.repeatsPage === true ? at : end, page };
  return Response.json(
    { items, item_count: items.length, path: asked, basename: asked.slice(asked.lastIndexOf('/') + 1) },
    { headers: more ? { 'X-Aspera-Next-Iteration-Token': printToken(next) } : {} },
  );
}

/** `transfer_spec/download`. */
export function answerTransfer(
  served: ServedPackage,
  tree: PackageTree,
  { url, body, faults }: Asked,
  { uuid, expires, add, spec }: Issuing,
): Response {
  const wanted = body['paths'];
  const type = url.searchParams.get('transfer_type');
  if (wanted === undefined && type === 'http_gateway') return faspexError(400, '1003', 'paths is required');
  const root = `/${served.title} - ${uuid}.aspera-package/PKG - ${served.title}`;
  const diskOf = (path: string): string | null => {
    const entry = tree.entry(path);
    if (entry?.disk !== undefined) return entry.disk;
    const there = entry !== undefined || tree.children(path) !== undefined;
    return there && served.folder !== undefined ? join(served.folder, path) : null;
  };
  const sources: [string, string | null][] = [];
  if (wanted === undefined) sources.push([root, served.folder ?? null]);
  for (const one of Array.isArray(wanted) ? (wanted as unknown[]) : []) {
    const path = (one as Record<string, unknown> | null)?.['path'];
    // Any other shape (`{"source": …}`, as one client sends) is more than the server can take.
    if (typeof path !== 'string') return faspexError(500, '1000', 'InternalError');
    const inside = path.replaceAll(/^\/+|\/+$/g, '');
    if (
      faults.refusesUnknownPaths === true &&
      tree.entry(inside) === undefined &&
      tree.children(inside) === undefined
    ) {
      return faspexError(404, '2101', `The path does not exist: ${path}`);
    }
    sources.push([`${root}${path.startsWith('/') ? '' : '/'}${path}`, diskOf(inside)]);
  }
  if (wanted !== undefined && sources.length === 0) return faspexError(500, '1000', 'InternalError');
  const token = `ATM2_${randomBytes(60).toString('base64url')}`;
  const cookie = `aspera.faspex20:u:${randomUUID()}`;
  add(token, {
    sources: Object.fromEntries(sources),
    cookie,
    expires,
  });
  const paths = sources.map(([source]) => ({ source }));
  return Response.json(
    {
      direction: 'receive',
      authentication: 'token',
      remote_host: '127.0.0.1',
      remote_user: 'faspex',
      ssh_port: 33001,
      fasp_port: 33001,
      cipher: 'aes-128',
      rate_policy: 'fair',
      rate_policy_allowed: 'fair',
      target_rate_kbps: 100_000,
      min_rate_kbps: 0,
      http_fallback: false,
      multi_session: 0,
      token,
      cookie,
      paths: faults.shufflesSources === true ? paths.reverse() : paths,
      tags: { aspera: { faspex: { package_id: served.id }, xfer_id: randomUUID() } },
      ...spec,
    },
    { status: 201 },
  );
}

/** The object that a text holds; an empty one for anything else. */
export function readBody(text: string): Body {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? (body as Body) : {};
  } catch {
    return {};
  }
}

function printToken(place: { at: number; page: number }): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

function readToken(token: string): { at: number; page: number } | undefined {
  const place = readBody(Buffer.from(token, 'base64url').toString());
  return typeof place['at'] === 'number' ? (place as { at: number; page: number }) : undefined;
}
