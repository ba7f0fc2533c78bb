/** Writes a list of checksums as `md5sum -c` and `sha256sum -c` read it. */
import type { Digest } from '../../identifiers/index.ts';

/** How to print. */
export interface PrintSumsOptions {
  /** Default `md5`. */
  algorithm?: 'md5' | 'sha256' | undefined;
  /** First line, after `# `; both programs pass over it. */
  comment?: string | undefined;
}

/**
 * One line, with its line feed: digest, two blanks, path. A path with a backslash or a line break is escaped, and the line
 * begins with a backslash then. A file called `-` is `./-`: md5sum takes the bare sign for its standard input.
 *
 * @param hex digits of the digest, in lower case
 */
export function printSumLine(path: string, hex: string): string {
  const name = path === '-' ? './-' : path;
  if (!/[\\\n\r]/.test(name)) return `${hex}  ${name}\n`;
  const escaped = name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  return `\\${hex}  ${escaped}\n`;
}

/**
 * A list, sorted by path (by code unit, never by language), each line once. Entries without a digest of the algorithm are
 * left out: whoever needs all of them looks first.
 */
export function printSums(
  entries: Iterable<{ path: string; digests: readonly Digest[] }>,
  options: PrintSumsOptions = {},
): string {
  const kind = `${options.algorithm ?? 'md5'}:`;
  const lines: { path: string; line: string }[] = [];
  for (const { path, digests } of entries) {
    const digest = digests.find((one) => one.startsWith(kind));
    if (digest !== undefined) lines.push({ path, line: printSumLine(path, digest.slice(kind.length)) });
  }
  lines.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  const unique = lines.filter(({ line }, index) => line !== lines[index - 1]?.line);
  const head = options.comment === undefined ? '' : `# ${options.comment}\n`;
  return head + unique.map(({ line }) => line).join('');
}
