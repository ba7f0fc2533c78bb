/** What files were proven by, and what is wrong with them: the same words in every report. */
import type { VerifyReport } from '../../transfer/index.ts';
import type { Run } from '../command.ts';
import type { NextCommand } from '../fetch-again.ts';
import { printable, write } from '../terminal.ts';
import { formatCount } from './text.ts';

/** Files per kind of evidence. */
export function tallyEvidence(files: readonly { verifiedBy: string }[]): Record<string, number> {
  const tally: Record<string, number> = {};
  for (const { verifiedBy } of files) tally[verifiedBy] = (tally[verifiedBy] ?? 0) + 1;
  return tally;
}

/** `3 by MD5, 1 by size only, 2 not verified`; `''` for nothing. */
export function evidenceText(tally: Readonly<Record<string, number | undefined>>): string {
  return Object.entries(tally)
    .map(([kind, count]) =>
      kind === 'none'
        ? `${formatCount(count)} not verified`
        : `${formatCount(count)} by ${kind === 'size' ? 'size only' : kind.toUpperCase()}`,
    )
    .join(', ');
}

/** `4 right (3 by MD5, 1 by size only)`. */
export function rightText(files: readonly { verifiedBy: string }[]): string {
  const evidence = evidenceText(tallyEvidence(files));
  return `${formatCount(files.length)} right${evidence === '' ? '' : ` (${evidence})`}`;
}

/** A line for each file that is wrong, missing or unproven. */
export function wrongLines(
  run: Run,
  report: Pick<VerifyReport, 'mismatched' | 'missing'> & { unverifiable: { path: string; reason: string }[] },
): string[] {
  const { red, yellow } = run.out;
  return [
    ...report.mismatched.map(
      ({ path, expected, found }) =>
        `${red('MISMATCH')} ${printable(path)}: expected ${expected}, found ${found}`,
    ),
    ...report.missing.map((path) => `${red('MISSING')}  ${printable(path)}`),
    ...report.unverifiable.map(
      ({ path, reason }) => `${yellow('UNPROVEN')} ${printable(path)}: ${printable(reason)}`,
    ),
  ];
}

/** What to do now, on stderr: each command on a line of its own, so that it can be copied. */
export async function printNext(run: Run, commands: readonly NextCommand[]): Promise<void> {
  for (const { command, about } of commands)
    await write(
      run.terminal.err,
      `${run.err.dim('next:')} ${printable(command)}\n${about === undefined ? '' : `      ${printable(about)}\n`}`,
    );
}
