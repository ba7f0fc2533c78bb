/**
 * The head of a reply, read strictly (RFC 9112). What two readers could understand differently is refused, not guessed:
 * folded lines, bare line feeds, blanks before the colon, lengths that contradict each other.
 */
import type { HttpHeaders } from './http.ts';

/** Longest head that is read, in bytes. */
export const MAX_HEAD_BYTES = 64 * 1024;

/** How the end of the body is told (RFC 9112, 6.3). */
export type Framing = { kind: 'length'; length: number } | { kind: 'chunked' } | { kind: 'close' };

/** A parsed head. */
export interface ReplyHead {
  status: number;
  headers: HttpHeaders;
  framing: Framing;
  /** Whether the server keeps the connection open. */
  keepAlive: boolean;
  /** Seconds that it keeps it (`Keep-Alive: timeout=5`), where it says so. */
  keepAliveSeconds?: number | undefined;
}

/** Why a head was refused. The text is for a message and holds nothing that the server sent. */
export class MalformedReply extends Error {
  override readonly name = 'MalformedReply';
}

const END_OF_HEAD = Buffer.from('\r\n\r\n');

/** Position after the head's blank line, or -1 where it has not arrived. Throws `MalformedReply` beyond the limit. */
export function endOfHead(bytes: Buffer): number {
  const at = bytes.indexOf(END_OF_HEAD);
  if (at === -1 ? bytes.length > MAX_HEAD_BYTES : at > MAX_HEAD_BYTES) {
    throw new MalformedReply(`the head of the reply is longer than ${MAX_HEAD_BYTES / 1024} KiB`);
  }
  // Garbage is told from a slow head as soon as it can be, so that nobody waits for a blank line that never comes.
  const start = bytes.toString('latin1', 0, 5);
  if (!'HTTP/'.startsWith(start)) throw new MalformedReply('the reply is not HTTP');
  return at === -1 ? -1 : at + END_OF_HEAD.length;
}

/**
 * Reads a whole head, blank line included.
 *
 * @param method of the request: a reply to HEAD has no body, whatever it announces
 */
export function parseHead(bytes: Buffer, method: string): ReplyHead {
  const lines = bytes.toString('latin1').slice(0, -4).split('\r\n');
  const statusLine = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?$/.exec(lines[0] ?? '');
  if (statusLine === null) throw new MalformedReply('the status line of the reply is malformed');
  const status = Number(statusLine[2]);
  const headers = parseFields(lines.slice(1));
  const modern = statusLine[1] === '1';
  const connection = (headers.get('connection') ?? '').toLowerCase().split(/\s*,\s*/);
  return {
    status,
    headers,
    framing: framingOf(method, status, headers, modern),
    keepAlive: modern ? !connection.includes('close') : connection.includes('keep-alive'),
    keepAliveSeconds: keepAliveSeconds(headers),
  };
}

function parseFields(lines: string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = fieldName(line.slice(0, Math.max(colon, 0)));
    if (name === undefined) {
      const folded = /^[ \t]/.test(line);
      throw new MalformedReply(
        folded ? 'the reply folds a header line' : 'the reply has a malformed header line',
      );
    }
    const value = withoutBlanks(line, colon + 1);
    if (hasControlCharacter(value))
      throw new MalformedReply('a header of the reply holds a control character');
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

/** Names as they came → in lower case; the same twenty come with every reply. */
const knownNames = new Map<string, string>();
const MOST_KNOWN = 256;

/** A field's name in lower case; undefined for what is none. */
function fieldName(text: string): string | undefined {
  const known = knownNames.get(text);
  if (known !== undefined) return known;
  const name = text.toLowerCase();
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) return undefined;
  if (knownNames.size < MOST_KNOWN) knownNames.set(text, name);
  return name;
}

/** The rest of a line, without blanks and tabs at its ends. */
function withoutBlanks(line: string, from: number): string {
  const isBlank = (at: number): boolean => line.charCodeAt(at) === 0x20 || line.charCodeAt(at) === 0x09;
  let [start, end] = [from, line.length];
  while (start < end && isBlank(start)) start += 1;
  while (end > start && isBlank(end - 1)) end -= 1;
  return line.slice(start, end);
}

/** RFC 9112, 6.3, in its order; conflicts are refused rather than resolved. */
function framingOf(method: string, status: number, headers: HttpHeaders, modern: boolean): Framing {
  const coding = headers.get('transfer-encoding');
  const length = headers.get('content-length');
  if (coding !== undefined && length !== undefined) {
    throw new MalformedReply('the reply has both Content-Length and Transfer-Encoding');
  }
  const announced = length === undefined ? undefined : parseLength(length);
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304)
    return { kind: 'length', length: 0 };
  if (coding !== undefined) {
    if (!modern || coding.toLowerCase() !== 'chunked') {
      throw new MalformedReply('the reply has a Transfer-Encoding other than chunked');
    }
    return { kind: 'chunked' };
  }
  return announced === undefined ? { kind: 'close' } : { kind: 'length', length: announced };
}

/** `5` and `5, 5` (a field repeated by a proxy) are five; anything else is refused. */
function parseLength(text: string): number {
  const values = new Set(text.split(/\s*,\s*/));
  const [value = ''] = values;
  const length = Number(value);
  if (values.size !== 1 || !/^[0-9]+$/.test(value) || !Number.isSafeInteger(length)) {
    throw new MalformedReply('the Content-Length of the reply is malformed');
  }
  return length;
}

function keepAliveSeconds(headers: HttpHeaders): number | undefined {
  const found = /(?:^|[,;\s])timeout=([0-9]{1,6})/i.exec(headers.get('keep-alive') ?? '');
  return found === null ? undefined : Number(found[1]);
}

/** Everything below the blank but the tab, and DEL. */
function hasControlCharacter(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return true;
  }
  return false;
}
