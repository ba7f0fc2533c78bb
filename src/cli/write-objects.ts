/** Objects to stdout, one after another, each verified as it passes: `cat`, and `cp … -`. */
import { type ReadOptions, readObject } from '../cohort/index.ts';
import {
  findMatches,
  type MatchOptions,
  type NameFilters,
  nameFilter,
  nothingLeft,
  type PlanTools,
  parseAddress,
} from '../copies/index.ts';
import { CarrelError, isCarrelError } from '../errors.ts';
import type { ObjectLocation } from '../locations/index.ts';
import type { Run } from './command.ts';
import { printProblems } from './copy-run.ts';
import type { ExitCode } from './exit-codes.ts';
import { exitCodeOf } from './exit-codes.ts';
import { toJson } from './output/json.ts';
import { formatBytes } from './output/text.ts';
import { printable, write } from './terminal.ts';

/** Bytes of each object to write: `start` may be negative (so many last ones); `end` is exclusive. */
export interface Slice {
  start: number;
  end?: number | undefined;
}

/** How objects are written. */
export interface WriteOptions extends MatchOptions, NameFilters, Pick<ReadOptions, 'verify' | 'bandwidth'> {
  slice?: Slice | undefined;
  /** Also binary data to a terminal. */
  force?: boolean | undefined;
  /** Only say what would be written. */
  dryRun?: boolean | undefined;
  /** Finds what is named otherwise than by an address; undefined for an address. */
  locate?: ((name: string) => Promise<ObjectLocation> | undefined) | undefined;
}

/** Whoever read our stdout has stopped: nothing more is fetched, and nobody is told. */
class NobodyReads extends Error {}

/** Writes every object that the sources name, in their order. */
export async function writeObjects(
  run: Run,
  sources: readonly string[],
  tools: PlanTools,
  options: WriteOptions,
): Promise<ExitCode> {
  let written = 0;
  const errors: CarrelError[] = [];
  for (const source of sources) {
    try {
      for (const { name, location } of await objectsOf(source, tools, options)) {
        if (options.dryRun === true) await printDry(run, name, location);
        else await writeObject(run, name, location, tools, options);
        written += 1;
      }
    } catch (error) {
      if (error instanceof NobodyReads) return 0;
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

interface Named {
  name: string;
  location: ObjectLocation;
}

async function writeObject(
  run: Run,
  name: string,
  location: ObjectLocation,
  tools: PlanTools,
  options: WriteOptions,
): Promise<void> {
  refuseTerminal(run, location.key, name, options);
  const onPiece = async (piece: Uint8Array): Promise<void> => {
    if (!(await write(run.terminal.out, piece))) throw new NobodyReads();
  };
  const range = rangeOf(name, location.size, options.slice);
  if (range !== undefined && range.end !== undefined && range.start >= range.end) return;
  const { verify, bandwidth } = options;
  const { verifiedBy, bytes } = await readObject(location, tools, onPiece, {
    range,
    verify,
    bandwidth,
    onEvent: (event) => {
      if (event.type === 'retry') note(run, `${name}: ${event.reason}; asked again`);
      else if (event.type === 'note') note(run, `${name}: ${event.message}`);
    },
  });
  if (range === undefined && verify !== 'none' && (verifiedBy === 'none' || verifiedBy === 'size'))
    note(
      run,
      `${name}: ${
        verify === 'size'
          ? 'only its size was compared, as told'
          : verifiedBy === 'size'
            ? `no digest of it is known; only its size was compared (${formatBytes(bytes)})`
            : 'neither a digest nor the size of it is known; nothing could be compared'
      }`,
    );
}

async function objectsOf(source: string, tools: PlanTools, options: WriteOptions): Promise<Named[]> {
  const located = await options.locate?.(source);
  if (located !== undefined) return [{ name: source, location: located }];
  const address = parseAddress(source, tools);
  const wanted = nameFilter(options, options.glob ?? address.language);
  const matches = (await findMatches(address, tools, options)).matches.filter(({ name }) => wanted(name));
  if (matches.length === 0) throw nothingLeft(source);
  return matches.map(({ url, key, sources, stat: { size, digests } }) => ({
    name: url,
    location: { key, size, digests, sources },
  }));
}

async function printDry(run: Run, name: string, { size, digests }: ObjectLocation): Promise<void> {
  await write(
    run.terminal.out,
    run.json
      ? `${toJson({ type: 'planned', operation: 'cat', source: name, destination: '-', bytes: size ?? null, digests })}\n`
      : `cat ${printable(name)}\n`,
  );
}

function refuseTerminal(run: Run, key: string, name: string, { force }: Pick<WriteOptions, 'force'>): void {
  if (run.terminal.out.isTTY === true && key.endsWith('.dcm') && force !== true)
    throw new CarrelError('usage', 'DICOM is binary and stdout is a terminal', {
      item: name,
      next: 'redirect it to a file, or insist with --force',
    });
}

/** The bytes that are asked for; undefined for the whole object, which alone can be verified. */
function rangeOf(name: string, size: number | undefined, slice: Slice | undefined): Slice | undefined {
  if (slice === undefined) return undefined;
  if (slice.start < 0 && size === undefined)
    throw new CarrelError('unsupported', `${name}: the server does not say how long it is`, {
      item: name,
      next: 'count from its beginning: --range 0-99',
    });
  if (slice.start > 0 && size !== undefined && slice.start >= size)
    throw new CarrelError('usage', `${name} has ${size} bytes: nothing begins at byte ${slice.start}`, {
      item: name,
      next: 'bytes are counted from 0; --range -16 gives the last 16',
    });
  const start = slice.start < 0 ? Math.max(0, (size ?? 0) + slice.start) : slice.start;
  const end = slice.end === undefined ? size : Math.min(slice.end, size ?? slice.end);
  return start === 0 && end === size ? undefined : { start, end };
}

function note(run: Run, message: string): void {
  if (run.quiet) return;
  // Stdout is the object: what is said goes to stderr, in JSON too.
  run.terminal.err.write(
    run.json ? `${toJson({ type: 'note', message })}\n` : `${run.err.dim('note:')} ${printable(message)}\n`,
  );
}
