/** What goes wrong at the web services of TCIA, for the servers of this folder. */
import { createHash } from 'node:crypto';

/** A fault; it takes the place of the answer as long as `times` lasts. */
export interface WebFault {
  /** Which requests: found in path and query. */
  path: RegExp;
  /** `maintenance`: 200 with a page of HTML, as WordPress does. `drop`: the connection ends. `stall`: the answer begins and
   * never goes on. A number: that status. */
  kind: 'maintenance' | 'drop' | 'stall' | 'empty-list' | number;
  /** Default: always. */
  times?: number;
}

/** The answer of the first fault that fits a request, which is used up by it; undefined where none does. */
export function takeFault(faults: WebFault[], url: URL): Response | undefined {
  const fault = faults.find(({ path, times = 1 }) => times > 0 && path.test(`${url.pathname}${url.search}`));
  if (fault === undefined) return undefined;
  if (fault.times !== undefined) fault.times -= 1;
  if (fault.kind === 'drop') return Response.error();
  if (fault.kind === 'stall') return new Response(new ReadableStream());
  if (fault.kind === 'empty-list') return json([]);
  if (fault.kind === 'maintenance')
    return html(
      '<!DOCTYPE html><title>Maintenance</title><p>Briefly unavailable for scheduled maintenance.</p>',
    );
  const body = {
    code: 'internal_server_error',
    message: 'There has been a critical error on this website.',
    data: { status: fault.kind },
  };
  return json(body, fault.kind);
}

/** A JSON answer. */
export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  const text = JSON.stringify(value);
  return new Response(text, {
    status,
    headers: { 'content-type': 'application/json; charset=UTF-8', ...headers },
  });
}

/** A page. */
export function html(text: string, status = 200): Response {
  return new Response(text, { status, headers: { 'content-type': 'text/html; charset=UTF-8' } });
}

/** Bytes as a file: whole, or one range of them, with ETag and date. `lengthless`: HEAD does not tell the length. */
export function fileAnswer(request: Request, bytes: Uint8Array, type: string, lengthless = false): Response {
  const headers: Record<string, string> = {
    'content-type': type,
    'accept-ranges': 'bytes',
    etag: `"${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}"`,
    'last-modified': 'Tue, 16 Jan 2024 21:08:33 GMT',
  };
  const body = (part: Uint8Array) => (request.method === 'HEAD' ? null : new Uint8Array(part));
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get('range') ?? '') ?? [];
  if (from === undefined) {
    if (request.method !== 'HEAD' || !lengthless) headers['content-length'] = String(bytes.length);
    return new Response(body(bytes), { headers });
  }
  const last = to === undefined || to === '' ? bytes.length - 1 : Math.min(Number(to), bytes.length - 1);
  if (Number(from) > last)
    return new Response(null, { status: 416, headers: { 'content-range': `bytes */${bytes.length}` } });
  const part = bytes.subarray(Number(from), last + 1);
  headers['content-range'] = `bytes ${from}-${last}/${bytes.length}`;
  headers['content-length'] = String(part.length);
  return new Response(body(part), { status: 206, headers });
}
