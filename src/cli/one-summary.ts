/**
 * One document for one command: a command that runs others in its course ends with one `summary`, which is the sum of theirs; each
 * of theirs becomes a `part`.
 */
import { Writable } from 'node:stream';
import type { Run } from './command.ts';
import type { ExitCode } from './exit-codes.ts';
import { toJson } from './output/json.ts';
import { write } from './terminal.ts';

/** Lines of JSON on their way to stdout. */
export interface OneSummary {
  /** The run whose output is looked through. */
  run: Run;
  /** Writes the one summary: what single runs said, or their sum; `unresolved` counts what never came to one. */
  end: (exit: ExitCode, unresolved: number) => Promise<void>;
}

type Summary = Record<string, unknown>;

/** A summary is written with its type first. */
const START = '{"type":"summary"';

/** Looks through the output of a run with `--json`; any other run is handed through as it is. */
export function withOneSummary(run: Run): OneSummary {
  if (!run.json) return { run, end: async () => {} };
  const { out } = run.terminal;
  const parts: Summary[] = [];
  let rest = '';
  const forward = async (text: string): Promise<void> => {
    rest += text;
    const end = rest.lastIndexOf('\n') + 1;
    const lines = rest.slice(0, end).split(/(?<=\n)/);
    rest = rest.slice(end);
    let block = '';
    for (const line of lines) {
      if (!line.startsWith(START)) {
        block += line;
        continue;
      }
      // One alone stays the summary; with the second it becomes clear that there are parts.
      const [first] = parts;
      parts.push(JSON.parse(line) as Summary);
      if (parts.length === 2 && first !== undefined) block += partLine(first);
      if (parts.length > 1) block += partLine(parts.at(-1) ?? {});
    }
    if (block !== '') await write(out, block);
  };
  const through = new Writable({
    decodeStrings: false,
    write(chunk: string | Uint8Array, _, done) {
      const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
      void settle(forward(text), done);
    },
  });
  return {
    run: { ...run, terminal: { ...run.terminal, out: Object.assign(through, { isTTY: false }) } },
    async end(exit, unresolved) {
      await new Promise<void>((resolve, reject) => {
        through.once('error', reject);
        through.end(resolve);
      });
      const [only] = parts;
      if (only === undefined) return;
      const whole =
        parts.length === 1 && unresolved === 0 ? { ...only, exit } : sumOf(parts, exit, unresolved);
      await write(out, `${rest}${toJson(whole)}\n`);
    },
  };
}

/** Tells a stream how a piece of its work ended. */
async function settle(work: Promise<void>, done: (error?: Error) => void): Promise<void> {
  const failure = await work.then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );
  done(failure);
}

function partLine(summary: Summary): string {
  return `${toJson({ ...summary, type: 'part' })}\n`;
}

/** Numbers are added, numbers by name too; what the parts do not agree on is null. */
function sumOf(parts: readonly Summary[], exit: ExitCode, unresolved: number): Summary {
  const sum: Summary = { type: 'summary', parts: parts.length };
  for (const name of new Set(parts.flatMap((part) => Object.keys(part)))) {
    if (name === 'type' || name === 'exit') continue;
    const values = parts.flatMap((part) => (name in part ? [part[name]] : []));
    sum[name] = joined(values);
  }
  const before = typeof sum['unresolved'] === 'number' ? sum['unresolved'] : 0;
  return { ...sum, unresolved: before + unresolved, exit };
}

function joined(values: readonly unknown[]): unknown {
  const [first] = values;
  if (values.every((value) => typeof value === 'number')) return values.reduce((a, b) => a + b, 0);
  if (values.every((value) => Array.isArray(value))) return [...new Set(values.flat())];
  if (values.every((value) => typeof value === 'object' && value !== null && !Array.isArray(value))) {
    const tallies = values as Summary[];
    const names = new Set(tallies.flatMap((tally) => Object.keys(tally)));
    return Object.fromEntries(
      [...names].map((name) => [
        name,
        joined(tallies.flatMap((tally) => (name in tally ? [tally[name]] : []))),
      ]),
    );
  }
  return values.every((value) => value === first) ? first : null;
}
