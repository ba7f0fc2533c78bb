/** Flags of `carrel get` about series that TCIA's server has; `tcia-series.ts` obeys them. */
import { type Command, Option } from 'commander';
import type { Question } from '../cohort/index.ts';
import { CarrelError } from '../errors.ts';

/** `--nbia`, `--no-nbia`, `--prefer`. */
export function addNbiaFlags(command: Command): void {
  command
    .addOption(
      new Option(
        '--nbia',
        'series that the catalogue does not know come from NBIA of TCIA; by itself for .tcia',
      ),
    )
    .addOption(new Option('--no-nbia', 'ask NBIA for nothing'))
    .addOption(
      new Option('--prefer <where>', 'where series come from that both have: idc (the archive) or nbia')
        .choices(['idc', 'nbia'])
        .default('idc'),
    );
}

/** Which series NBIA is asked for; see `tcia-series.ts`. */
export function elsewhereOf(flags: Record<string, unknown>): Question['elsewhere'] {
  const { nbia, prefer, to } = flags;
  const first = prefer === 'nbia';
  if (nbia === false && first)
    throw new CarrelError('usage', '--prefer nbia and --no-nbia exclude each other', { item: '--no-nbia' });
  if (to !== undefined && (nbia === true || first))
    throw new CarrelError('usage', 'an archive (--to) holds what buckets have: nothing of NBIA', {
      item: '--to',
      next: 'fetch into a folder, and pack that',
    });
  if (nbia === false || to !== undefined) return undefined;
  return { first, takes: ({ manifest }) => first || nbia === true || manifest === 'tcia' };
}
