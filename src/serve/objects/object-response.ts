import type { StoredFile } from './bucket-tree.ts';
import { checkConditions, chooseRange, type Refusal } from './conditions.ts';
import { fileBody } from './file-body.ts';

/** What is needed to answer for an object. */
export interface ObjectResponseOptions {
  request: Request;
  file: StoredFile;
  /** With quotes. */
  etag: string;
  /** Sent with 200, 206 and 304. */
  headers: Record<string, string>;
}

/** An answer that each API words in its own way. `contentRange` is the value of that header. */
export type ObjectRefusal =
  | (Refusal & { status: 412 })
  | { status: 416; range: string; contentRange: string };

/** GET and HEAD of one object: conditions first, then the range, then the bytes. */
export function objectResponse(options: ObjectResponseOptions): Response | ObjectRefusal {
  const { request, file, etag } = options;
  const lastModified = modifiedDate(file);
  const validators = { etag, lastModified };
  const headers: Record<string, string> = {
    ...options.headers,
    etag,
    'last-modified': lastModified.toUTCString(),
    'accept-ranges': 'bytes',
  };
  const refusal = checkConditions(request.headers, validators);
  if (refusal?.status === 304) return new Response(null, { status: 304, headers });
  if (refusal !== undefined) return refusal;

  const range = chooseRange(request.headers, file.size, validators);
  if (range.kind === 'unsatisfiable') {
    return { status: 416, range: request.headers.get('range') ?? '', contentRange: `bytes */${file.size}` };
  }
  const { start, end } = range.kind === 'part' ? range : { start: 0, end: file.size };
  headers['content-length'] = String(end - start);
  headers['content-type'] ??= contentType(file.key);
  if (range.kind === 'part') headers['content-range'] = `bytes ${start}-${end - 1}/${file.size}`;
  const body = request.method === 'HEAD' || start === end ? null : fileBody(file, start, end);
  return new Response(body, { status: range.kind === 'part' ? 206 : 200, headers });
}

/** Time stamp of a file in whole seconds: HTTP dates have no more, and listings must agree with them. */
export function modifiedDate(file: StoredFile): Date {
  return new Date(Number(file.mtimeNs / 1_000_000_000n) * 1000);
}

const CONTENT_TYPES: Record<string, string> = {
  csv: 'text/csv',
  dcm: 'application/dicom',
  html: 'text/html; charset=utf-8',
  json: 'application/json',
  parquet: 'application/vnd.apache.parquet',
  txt: 'text/plain; charset=utf-8',
  xml: 'application/xml',
};

/** Media type by the ending of the key; S3's own default for the rest. */
export function contentType(key: string): string {
  const ending = /\.([a-z0-9]+)$/i.exec(key)?.[1]?.toLowerCase() ?? '';
  return CONTENT_TYPES[ending] ?? 'binary/octet-stream';
}
