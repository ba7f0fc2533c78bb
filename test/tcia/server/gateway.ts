/**
 * An Aspera HTTP Gateway, as a pure function: version 2 (a ticket that is good once) or 3 (the spec in a header, or
 * presigned). It moves what a Faspex server issued, by the registry of tokens (`faspex-registry.ts`).
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { makeZip } from '../unzip/make-zip.ts';
import { readIssued } from './faspex-registry.ts';

/** What goes wrong, at any time; changed by the test. */
export interface GatewayFaults {
  /** Answers downloads with a status, so many times. */
  status?: { code: number; times: number } | undefined;
  /** Ends bodies after so many bytes, so many times; the announced length stays. */
  cut?: { bytes: number; times: number } | undefined;
  /** The name that the server gives to single files; hostile, perhaps. */
  disposition?: string | undefined;
  /** Added to the name of every entry of an archive: `../../`. */
  entryPrefix?: string | undefined;
  /** Base names that archives leave out. */
  leaveOut?: readonly string[] | undefined;
  /** Where presigned addresses point instead of here. */
  signedOrigin?: string | undefined;
}

/** A gateway that runs. */
export interface GatewayServer {
  readonly fetch: (request: Request) => Promise<Response>;
  faults: GatewayFaults;
  /** `POST /aspera/http-gwy/v1/download 3`: what was asked, with the number of sources; without secrets. */
  requests: string[];
}

const ROOT = '/aspera/http-gwy';

/**
 * Makes a gateway.
 *
 * @param options.registry path of the JSON file of issued tokens
 * @param options.version default 2.3.0; from 3 on the other protocol, below `/v3`
 * @param options.tree archives keep the inner tree of a package instead of base names
 */
export function createGateway(options: {
  registry: string;
  version?: string;
  tree?: boolean;
}): GatewayServer {
  const { registry, version = '2.3.0', tree = true } = options;
  const ticketed = Number.parseInt(version, 10) < 3;
  const prefix = `${ROOT}${ticketed ? '/v1' : '/v3'}`;
  const tickets = new Map<string, unknown>();
  const faults: GatewayFaults = {};
  const requests: string[] = [];

  const info = () => ({
    name: 'IBM Aspera HTTP Gateway',
    version,
    endpoints: [
      `${prefix}/info`,
      `${prefix}/upload`,
      `${prefix}/download`,
      ...(ticketed ? [] : [`${prefix}/presign`]),
    ],
    upload_endpoint: [],
    download_endpoint: [],
  });

  const refusal = (code: number, message: string) =>
    Response.json({ error: { code, message } }, { status: code });

  const deliver = (spec: unknown): Response => {
    if (faults.status !== undefined && faults.status.times > 0) {
      faults.status.times -= 1;
      return refusal(faults.status.code, 'as ordered');
    }
    const { token, paths, zip_required: zip, download_name: name } = spec as Record<string, unknown>;
    const issued = existsSync(registry) ? readIssued(registry).tokens[String(token)] : undefined;
    if (issued === undefined || issued.expires < Date.now()) return refusal(403, 'token is not valid');
    if (!Array.isArray(paths) || paths.length === 0) return refusal(400, 'paths');
    const found: { source: string; bytes: string }[] = [];
    for (const { source } of paths as { source: string }[]) {
      if (!Object.hasOwn(issued.sources, source)) return refusal(403, 'source is not of this token');
      const bytes = issued.sources[source];
      if (bytes === null || bytes === undefined || !existsSync(bytes)) return refusal(404, 'no such file');
      found.push({ source, bytes });
    }
    const [first] = found;
    if (zip !== true && found.length === 1 && first !== undefined && statSync(first.bytes).isFile())
      return body(readFileSync(first.bytes), faults.disposition ?? first.source.split('/').at(-1) ?? '');
    const entries = found
      .map(({ source, bytes }) => {
        const inner = source.replace(/^.*\/PKG - [^/]*\//, '');
        const shown = tree ? inner : (inner.split('/').at(-1) ?? '');
        const content = statSync(bytes).isFile() ? readFileSync(bytes) : Buffer.of();
        return { name: `${faults.entryPrefix ?? ''}${shown}`, bytes: content };
      })
      .filter(({ name: shown }) => faults.leaveOut?.includes(shown.split('/').at(-1) ?? '') !== true);
    return body(makeZip(entries), `${String(name)}.zip`);
  };

  const body = (bytes: Buffer, name: string): Response => {
    const headers = {
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="${name.replaceAll(/[^\x20-\x7e]/g, '_')}"`,
      'content-length': String(bytes.length),
      'x-request-id': randomBytes(4).toString('hex'),
    };
    if (faults.cut === undefined || faults.cut.times <= 0)
      return new Response(new Uint8Array(bytes), { headers });
    faults.cut.times -= 1;
    const part = bytes.subarray(0, faults.cut.bytes);
    const stream = new ReadableStream({
      start(control) {
        control.enqueue(new Uint8Array(part));
      },
      pull(control) {
        control.error(new Error('cut'));
      },
    });
    return new Response(stream, { headers });
  };

  const countOf = (spec: unknown): number => {
    const { paths } = (spec ?? {}) as { paths?: unknown[] };
    return paths?.length ?? 0;
  };

  return {
    faults,
    requests,
    async fetch(request) {
      const url = new URL(request.url);
      const log = (count?: number) =>
        requests.push(
          `${request.method} ${url.pathname.replace(/[^/]{20,}$/, '*')}${count === undefined ? '' : ` ${count}`}`,
        );
      const path = url.pathname;
      if (path === `${prefix}/info`) {
        log();
        return Response.json(info());
      }
      if (ticketed && request.method === 'POST' && path === `${prefix}/download`) {
        const { transfer_spec: spec } = (await request.json()) as { transfer_spec?: unknown };
        log(countOf(spec));
        const id = randomBytes(16).toString('hex');
        tickets.set(id, spec);
        return Response.json({ transfer_spec_id: id, url: `${url.origin}${prefix}/download/${id}` });
      }
      if (ticketed && path.startsWith(`${prefix}/download/`)) {
        log();
        const id = path.slice(`${prefix}/download/`.length);
        const spec = tickets.get(id);
        tickets.delete(id);
        return spec === undefined ? refusal(404, 'unknown or used') : deliver(spec);
      }
      if (!ticketed && request.method === 'POST' && path === `${prefix}/presign`) {
        const { transfer_spec: spec } = (await request.json()) as { transfer_spec?: unknown };
        log(countOf(spec));
        const id = randomBytes(16).toString('hex');
        tickets.set(id, spec);
        return Response.json({
          signed_url: `${faults.signedOrigin ?? url.origin}${prefix}/signed?signature=${id}`,
        });
      }
      if (!ticketed && path === `${prefix}/signed`) {
        log();
        const spec = tickets.get(url.searchParams.get('signature') ?? '');
        return spec === undefined ? refusal(403, 'signature') : deliver(spec);
      }
      if (!ticketed && path === `${prefix}/download`) {
        const text = request.headers.get('x-aspera-spec');
        const spec: unknown = text === null ? undefined : JSON.parse(Buffer.from(text, 'base64').toString());
        log(countOf(spec));
        return spec === undefined ? refusal(400, 'X-Aspera-Spec') : deliver(spec);
      }
      log();
      return refusal(404, 'not found');
    },
  };
}
