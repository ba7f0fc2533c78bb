/** Objects to stdout, one after another, each verified as it passes: `cat`, and `cp … -`. */
import { readObject } from '../cohort/index.ts';
import {
  findMatches,
  type MatchOptions,
  type NameFilters,
  nameFilter,
  type PlanTools,
  parseAddress,
} from '../copies/index.ts';
import { CarrelError, isCarrelError } from '../errors.ts';
import type { Run } from './command.ts';
import { printProblems } from './copy-run.ts';
import type { ExitCode } from './exit-codes.ts';
import { exitCodeOf } from './exit-codes.ts';
import { write } from './terminal.ts';

/** Bytes of each object to write: `start` may be negative (so many last ones); `end` is exclusive. */
export interface Slice {
  start: number;
  end?: number | undefined;
}

/** Writes every object that the sources name, in their order. */
export async function writeObjects(
  run: Run,
  sources: readonly string[],
  tools: PlanTools,
  options: MatchOptions & NameFilters & { slice?: Slice | undefined; force?: boolean | undefined },
): Promise<ExitCode> {
  let written = 0;
  const errors: CarrelError[] = [];
  for (const source of sources) {
    try {
      const address = parseAddress(source, tools);
      const wanted = nameFilter(options, options.glob ?? address.language);
      for (const match of (await findMatches(address, tools, options)).matches) {
        if (!wanted(match.name)) continue;
        if (run.terminal.out.isTTY === true && match.key.endsWith('.dcm') && options.force !== true)
          throw new CarrelError('usage', 'DICOM is binary and stdout is a terminal', {
            item: match.url,
            next: 'redirect it to a file, or insist with --force',
          });
        await writeMatch(run, match, tools, options.slice);
        written += 1;
      }
    } catch (error) {
      if (!isCarrelError(error) || error.code === 'interrupted') throw error;
      // What follows an object that broke off would look like its rest.
      if (sources.length === 1 || error.code === 'verification' || error.code === 'network') throw error;
      await printProblems(run, [{ item: source, origin: undefined, error }]);
      errors.push(error);
    }
  }
  const [first] = errors;
  if (first === undefined) return 0;
  return written > 0 ? 3 : exitCodeOf(first.code);
}

type Found = Awaited<ReturnType<typeof findMatches>>['matches'][number];

async function writeMatch(run: Run, match: Found, tools: PlanTools, slice: Slice | undefined): Promise<void> {
  const { key, sources, stat } = match;
  // The piece is the connection's buffer: what the stream keeps must be a copy.
  const onPiece = async (piece: Uint8Array): Promise<void> => {
    await write(run.terminal.out, Buffer.from(piece));
  };
  if (slice === undefined) {
    await readObject({ key, sources, digests: stat.digests, size: stat.size }, tools, onPiece);
    return;
  }
  const [source] = sources;
  if (source === undefined) return;
  const store = tools.openStore(source.place);
  const start = slice.start < 0 ? Math.max(0, (stat.size ?? 0) + slice.start) : slice.start;
  const end = slice.end === undefined ? stat.size : Math.min(slice.end, stat.size ?? slice.end);
  if (end !== undefined && start >= end) return;
  const body = await store.get(key, {
    range: { start, end },
    ifMatch: store.pin(stat),
    signal: tools.signal,
  });
  let at = body.range.start;
  await body.consume(async (piece) => {
    // A server that ignores the range sends the whole object.
    const from = Math.max(0, start - at);
    const to = end === undefined ? piece.length : Math.min(piece.length, end - at);
    at += piece.length;
    if (from < to) await onPiece(piece.subarray(from, to));
  });
}
