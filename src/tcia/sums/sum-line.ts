/**
 * One line of a list of checksums, in every form that is met: TCIA's `md5hex path`, that of md5sum (`hex  path`, `hex *path`,
 * `\hex  path` with escapes; GNU coreutils manual, "md5sum invocation") and the tagged one of BSD (`MD5 (path) = hex`).
 */
import type { Digest } from '../../identifiers/index.ts';

/**
 * How digest and path are parted in an untagged line: by one blank, or by a blank and a sign for the mode. A list is written by
 * one program, so its first line that leaves no doubt speaks for those that do; md5sum judges in the same way.
 */
export type SumsForm = 'one-blank' | 'md5sum';

/** What a line says. */
export type SumLine =
  | { kind: 'empty' }
  | { kind: 'sum'; path: string; digest: Digest; form: SumsForm | undefined }
  | { kind: 'problem'; reason: string };

/** What the number of hexadecimal digits tells. */
const BY_LENGTH: Record<number, string> = {
  8: 'CRC-32',
  32: 'MD5',
  40: 'SHA-1',
  56: 'SHA-224',
  64: 'SHA-256',
  96: 'SHA-384',
  128: 'SHA-512',
};

/** Names of algorithms in tagged lines that can be checked here. */
const TAGS: Record<string, 'md5' | 'sha256'> = { MD5: 'md5', SHA256: 'sha256', 'SHA2-256': 'sha256' };

const DIGITS: Record<'md5' | 'sha256', number> = { md5: 32, sha256: 64 };

const UNTAGGED = /^(\\?)([0-9A-Fa-f]{8,128})([ \t])(.*)$/s;
const TAGGED = /^(\\?)([A-Za-z][A-Za-z0-9/-]*) ?\((.*)\) ?= ?([0-9A-Fa-f]+)$/s;

/** Something in a path that is not simply a name: nothing, a dot or two dots between slashes, or a NUL. */
const UNTIDY = /(?:^|\/)\.{0,2}(?:\/|$)|\0/;

/**
 * Reads one line, without its line feed.
 *
 * @param form what earlier lines of the list told
 */
export function parseSumLine(line: string, form: SumsForm | undefined): SumLine {
  const text = (line.endsWith('\r') ? line.slice(0, -1) : line).replace(/^[ \t]+/, '');
  if (text === '' || text.startsWith('#')) return { kind: 'empty' };
  const tagged = TAGGED.exec(text);
  if (tagged !== null) {
    const [, escaped, tag = '', path = '', hex = ''] = tagged;
    const algorithm = TAGS[tag.toUpperCase()];
    if (algorithm === undefined) return problem(`${tag} cannot be checked here, only MD5 and SHA-256`);
    if (hex.length !== DIGITS[algorithm])
      return problem(`${hex.length} hexadecimal digits are no digest of ${tag.toUpperCase()}`);
    return sumOf(path, escaped === '\\', `${algorithm}:${hex.toLowerCase()}`, undefined);
  }
  const untagged = UNTAGGED.exec(text);
  if (untagged === null) return problem('not a digest and a path');
  const [, escaped, hex = '', , rest = ''] = untagged;
  const kind = BY_LENGTH[hex.length];
  if (kind === undefined) return problem('not a digest and a path');
  if (kind !== 'MD5' && kind !== 'SHA-256')
    return problem(`a digest of ${kind} cannot be checked here, only MD5 and SHA-256`);
  const digest: Digest = `${kind === 'MD5' ? 'md5' : 'sha256'}:${hex.toLowerCase()}`;
  const signed = /^[ *]./s.test(rest);
  // A name may begin with a blank; in a list that parts by one blank, a second one belongs to the name.
  if (!signed || form === 'one-blank') return sumOf(rest, escaped === '\\', digest, 'one-blank');
  return sumOf(rest.slice(1), escaped === '\\', digest, 'md5sum');
}

function problem(reason: string): SumLine {
  return { kind: 'problem', reason };
}

function sumOf(written: string, escaped: boolean, digest: Digest, form: SumsForm | undefined): SumLine {
  const path = escaped ? unescapeName(written) : written;
  if (path === undefined) return problem('the name has an escape that md5sum does not write');
  if (!UNTIDY.test(path)) return { kind: 'sum', path, digest, form };
  if (path.includes('\0')) return problem('the name holds a NUL');
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (segments.length === 0) return problem('there is no path after the digest');
  if (segments.includes('..')) return problem('the path goes through ..');
  if (path.endsWith('/')) return problem('the path is that of a folder');
  return { kind: 'sum', path: segments.join('/'), digest, form };
}

/** Undoes `\\`, `\n` and `\r`; undefined for any other escape. */
function unescapeName(text: string): string | undefined {
  let broken = false;
  const plain = text.replace(/\\(.?)/gs, (_, sign: string) => {
    if (sign === '\\') return '\\';
    if (sign === 'n') return '\n';
    if (sign === 'r') return '\r';
    broken = true;
    return '';
  });
  return broken ? undefined : plain;
}
