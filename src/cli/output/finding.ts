/** A line of `carrel doctor`. */
import type { Run } from '../command.ts';
import { printable, write } from '../terminal.ts';

/** What was looked at and how it is. */
export interface Finding {
  check: string;
  /** `warn`: works, but not as well as it could. */
  state: 'ok' | 'warn' | 'fail';
  detail: string;
  next?: string;
}

/** Prints a finding, and the next step where one is needed. */
export async function printFinding(run: Run, { check, state, detail, next }: Finding): Promise<void> {
  const mark =
    state === 'ok' ? run.out.green('ok  ') : state === 'warn' ? run.out.yellow('warn') : run.out.red('FAIL');
  await write(run.terminal.out, `${mark}  ${check.padEnd(24)} ${printable(detail)}\n`);
  if (next !== undefined && state !== 'ok')
    await write(run.terminal.out, `      ${' '.repeat(24)} ${run.out.dim('next:')} ${printable(next)}\n`);
}
