/** The flags of `carrel tcia get`, read once. */
import { resolve } from 'node:path';
import type { NamePolicy } from '../cohort/index.ts';
import { CarrelError } from '../errors.ts';
import type { PackageChoice, TransportChoice } from '../tcia/index.ts';
import type { CommandSpec, Run } from './command.ts';
import { byteAmount } from './numbers.ts';
import { pathFilter } from './path-filter.ts';

/** Settled flags. */
export interface TciaGetOptions {
  directory: string;
  choice: PackageChoice;
  layout: string | undefined;
  names: NamePolicy;
  transport: TransportChoice;
  ascp: string | undefined;
  sshKey: string | undefined;
  maxRateKbps: number | undefined;
  allowPartial: boolean;
  dryRun: boolean;
  /** Read what is here already. */
  recheck: boolean;
  preferIdc: boolean;
  /** `carrel get`, which fetches what other roads lead to. */
  get: CommandSpec;
}

/** Reads the flags. @throws CarrelError `usage` */
export function tciaGetOptions(
  run: Run,
  flags: Record<string, unknown>,
  paths: readonly string[],
): Omit<TciaGetOptions, 'get'> {
  const [include, exclude] = [listOf(flags['include']) ?? [], listOf(flags['exclude']) ?? []];
  const bytes = (name: string): number | undefined =>
    typeof flags[name] === 'string' ? byteAmount(flags[name]) : undefined;
  const keeps = include.length + exclude.length === 0 ? undefined : pathFilter({ include, exclude });
  return {
    directory: resolve(run.terminal.cwd, String(flags['output'] ?? '.')),
    choice: {
      paths: [...paths, ...(listOf(flags['path']) ?? [])],
      include,
      exclude,
      keeps,
      kinds: listOf(flags['kind']),
      minSize: bytes('minSize'),
      maxSize: bytes('maxSize'),
    },
    layout: textOf(flags['layout']),
    names: flags['names'] === 'escape' ? 'escape' : 'strict',
    transport: (flags['transport'] ?? 'auto') as TransportChoice,
    ascp: textOf(flags['ascp']),
    sshKey: textOf(flags['sshKey']),
    maxRateKbps: typeof flags['rate'] === 'string' ? megabits(flags['rate']) : undefined,
    allowPartial: flags['allowPartial'] === true,
    dryRun: flags['dryRun'] === true,
    recheck: flags['recheck'] === true,
    preferIdc: flags['prefer'] === 'idc',
  };
}

/** `200` or `1.5`, with or without `M`: kilobits per second. */
function megabits(text: string): number {
  const rate = Number(/^(\d+(?:\.\d+)?)\s*(?:m|mbit|mbit\/s|mbps)?$/i.exec(text.trim())?.[1] ?? 0);
  if (rate > 0) return Math.max(1, Math.round(rate * 1000));
  throw new CarrelError('usage', `not a rate: ${JSON.stringify(text)}`, {
    item: text,
    next: 'write megabits per second: --rate 200',
  });
}

function listOf(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.map(String) : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
