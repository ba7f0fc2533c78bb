/**
 * Reads a list of checksums (`*.sums` at the root of a package of TCIA, or of any md5sum). No list is trusted to be tidy: what
 * cannot be used is told with the number of its line, and everything else is used.
 */
import { createReadStream } from 'node:fs';
import { TextDecoder } from 'node:util';
import { abortError, CarrelError, isCarrelError } from '../../errors.ts';
import type { Digest } from '../../identifiers/index.ts';
import { parseSumLine, type SumsForm } from './sum-line.ts';

/** Longest line that is read. Paths end far earlier; a list with longer ones is none. */
const MAX_LINE = 1 << 16;

/** Problems that are kept in full; beyond it they are counted. */
const KEPT_PROBLEMS = 1000;

/** Characters of a line that are shown. */
const SHOWN = 120;

/** One path and what its bytes should be. */
export interface SumEntry {
  /** As listed, without `./`, `/` in front or escapes. */
  path: string;
  /** At most one per algorithm. */
  digests: Digest[];
  /** Where it stands first, from 1. */
  line: number;
}

/** A line that cannot be used. */
export interface SumsProblem {
  line: number;
  /** Its beginning. */
  text: string;
  reason: string;
}

/** A whole list. */
export interface SumsList {
  /** Path of the file, or what the caller calls it. */
  origin: string;
  /** In the order of the list. Paths that are listed with different digests are not among them. */
  entries: SumEntry[];
  /** Paths that are listed with different digests of one kind: no bytes can be right. */
  conflicts: { path: string; lines: [number, number]; digests: [Digest, Digest] }[];
  /** Lines that cannot be used, conflicts too; the first thousand. */
  problems: SumsProblem[];
  /** Of all problems. */
  problemCount: number;
  /** Lines of the list, empty ones too. */
  lines: number;
}

/** Takes what a parser finds. */
export interface SumsListener {
  onSum: (path: string, digest: Digest, line: number) => void;
  onProblem: (problem: SumsProblem) => void;
}

/** A parser that is fed with text; needs memory for one line only. */
export interface SumsParser {
  push(text: string): void;
  /** After the last text. Resolves with the number of lines. */
  end(): number;
}

/** Makes a parser; lists of millions of lines can go through it without being held. */
export function createSumsParser({ onSum, onProblem }: SumsListener): SumsParser {
  let form: SumsForm | undefined;
  let line = 0;
  let rest = '';
  let skipping = false;
  const take = (text: string) => {
    line += 1;
    const found = parseSumLine(line === 1 && text.startsWith('\uFEFF') ? text.slice(1) : text, form);
    if (found.kind === 'sum') {
      form ??= found.form;
      onSum(found.path, found.digest, line);
    } else if (found.kind === 'problem') onProblem({ line, text: shown(text), reason: found.reason });
  };
  const tooLong = (text: string) => {
    line += 1;
    onProblem({ line, text: shown(text), reason: `the line is longer than ${MAX_LINE} characters` });
  };
  return {
    push(text) {
      let start = 0;
      for (;;) {
        const at = text.indexOf('\n', start);
        const piece = at === -1 ? text.slice(start) : text.slice(start, at);
        if (!skipping && rest.length + piece.length > MAX_LINE) {
          tooLong(rest + piece);
          skipping = true;
          rest = '';
        }
        if (at === -1) {
          if (!skipping) rest += piece;
          return;
        }
        if (!skipping) take(rest + piece);
        skipping = false;
        rest = '';
        start = at + 1;
      }
    },
    end() {
      if (!skipping && rest !== '') take(rest);
      rest = '';
      return line;
    },
  };
}

function shown(text: string): string {
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text.replace(/\r$/, '');
}

/** Collects lines to a list: each path once, what contradicts itself apart. */
function createCollector(origin: string): SumsListener & { list: (lines: number) => SumsList } {
  const entries = new Map<string, SumEntry>();
  const conflicts = new Map<string, SumsList['conflicts'][number]>();
  const problems: SumsProblem[] = [];
  let problemCount = 0;
  const onProblem = (one: SumsProblem) => {
    problemCount += 1;
    if (problems.length < KEPT_PROBLEMS) problems.push(one);
  };
  return {
    onProblem,
    onSum(path, digest, line) {
      const entry = entries.get(path);
      if (entry === undefined) {
        entries.set(path, { path, digests: [digest], line });
        return;
      }
      if (entry.digests.includes(digest)) return;
      const kind = digest.slice(0, digest.indexOf(':') + 1);
      const other = entry.digests.find((one) => one.startsWith(kind));
      if (other === undefined) {
        entry.digests.push(digest);
        return;
      }
      onProblem({
        line,
        text: shown(path),
        reason: `line ${entry.line} lists this path with another digest`,
      });
      if (!conflicts.has(path))
        conflicts.set(path, { path, lines: [entry.line, line], digests: [other, digest] });
    },
    list: (lines) => ({
      origin,
      entries: [...entries.values()].filter(({ path }) => !conflicts.has(path)),
      conflicts: [...conflicts.values()],
      problems,
      problemCount,
      lines,
    }),
  };
}

/** Parses a list that is at hand as text. */
export function parseSums(text: string, origin = 'sums'): SumsList {
  const collector = createCollector(origin);
  const parser = createSumsParser(collector);
  parser.push(text);
  return collector.list(parser.end());
}

/**
 * Passes a list on line by line, without holding it. UTF-8, or UTF-16 with a byte order mark as PowerShell writes it.
 *
 * @returns the number of lines
 */
export async function streamSums(
  source: AsyncIterable<Uint8Array>,
  listener: SumsListener,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<number> {
  const { signal } = options;
  const parser = createSumsParser(listener);
  let decoder: TextDecoder | undefined;
  let head: Uint8Array = new Uint8Array(0);
  for await (const chunk of source) {
    if (signal?.aborted) throw abortError(signal);
    let bytes = chunk;
    if (decoder === undefined) {
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
      if (head.length < 2) continue;
      decoder = new TextDecoder(encodingOf(head));
      bytes = head;
    }
    parser.push(decoder.decode(bytes, { stream: true }));
  }
  parser.push((decoder ?? new TextDecoder()).decode(decoder === undefined ? head : undefined));
  return parser.end();
}

function encodingOf(head: Uint8Array): string {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  return head[0] === 0xfe && head[1] === 0xff ? 'utf-16be' : 'utf-8';
}

/** Collects a list that comes as bytes. */
export async function collectSums(
  source: AsyncIterable<Uint8Array>,
  origin: string,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<SumsList> {
  const collector = createCollector(origin);
  return collector.list(await streamSums(source, collector, options));
}

/**
 * Reads a list from a file.
 *
 * @throws CarrelError `not-found`, `permission` or `bad-input` where the file cannot be read, `interrupted` after an abort
 */
export async function readSums(
  path: string,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<SumsList> {
  try {
    return await collectSums(createReadStream(path, { highWaterMark: 1 << 18 }), path, options);
  } catch (cause) {
    if (isCarrelError(cause)) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    const known = code === 'ENOENT' || code === 'ENOTDIR' ? 'not-found' : undefined;
    const refused = code === 'EACCES' || code === 'EPERM' ? 'permission' : 'bad-input';
    throw new CarrelError(
      known ?? refused,
      known === undefined ? `cannot read ${path}: ${message}` : `there is no ${path}`,
      { item: path, next: 'name a list of checksums, such as the .sums file of a package', cause },
    );
  }
}
