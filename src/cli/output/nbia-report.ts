/** What `carrel get` says of series that come from NBIA: the plan, failures, and the line at the end. */
import type { NbiaFetched, NbiaFile, NbiaResult } from '../../tcia/index.ts';
import type { Run } from '../command.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { NbiaOutcome, NbiaPlan } from '../tcia-series.ts';
import { printable, shortPath, write } from '../terminal.ts';
import { toJson } from './json.ts';
import { formatBytes, formatCount, plural } from './text.ts';

/** Says what will come from NBIA. */
export async function printNbiaPlan(
  run: Run,
  { series, licenses, images, bytes, preferred }: NbiaPlan,
): Promise<void> {
  if (run.json) {
    await write(
      run.terminal.out,
      `${toJson({ type: 'nbia', series: series.length, files: images, bytes, licenses })}\n`,
    );
    return;
  }
  if (run.quiet || series.length === 0) return;
  const say = (text: string) => write(run.terminal.err, `${printable(text)}\n`);
  await say(
    `from NBIA${preferred ? '' : ', for the catalogue does not have them'}: ${plural(series.length, 'series', 'series')}, ${plural(images, 'file')}, ${formatBytes(bytes)}${preferred ? '' : ' (--no-nbia leaves them out)'}`,
  );
  for (const { license, series: count, bytes: size } of licenses)
    await say(`  ${license ?? 'licence not stated'}: ${formatCount(count)} series, ${formatBytes(size)}`);
}

/** What came and what failed; in JSON that was told by events. */
export async function printNbiaOutcome(
  run: Run,
  { fetched, failed }: NbiaResult,
  sums: string | undefined,
): Promise<void> {
  if (run.json) return;
  for (const { uid, error } of failed.slice(0, 20)) {
    await write(
      run.terminal.err,
      `${run.err.red('failed')} ${printable(error.message.includes(uid) ? error.message : `${uid}: ${error.message}`)}\n`,
    );
    if (error.next !== undefined)
      await write(run.terminal.err, `${run.err.dim('next:')} ${printable(error.next)}\n`);
  }
  const came = fetched.filter(({ how }) => how === 'fetched');
  const count = (all: readonly NbiaFetched[]) => all.reduce((sum, { files }) => sum + files.length, 0);
  const bytes = came.reduce((sum, one) => sum + one.bytes, 0);
  const list = sums === undefined ? '' : `, listed in ${printable(shortPath(run.terminal.cwd, sums))}`;
  await write(
    run.terminal.out,
    `NBIA: ${formatCount(count(came))} fetched (${formatBytes(bytes)}), ${formatCount(count(fetched) - count(came))} already here, ${plural(failed.length, 'series', 'series')} failed, verified by MD5${list}\n`,
  );
}

/** The last line of a run that had nothing but series of NBIA; answers with its exit code. */
export async function printNbiaSummary(
  run: Run,
  outcome: NbiaOutcome | undefined,
  directory: string,
  unresolved: number,
): Promise<ExitCode> {
  const { fetched = [], failed = [], exit: ended = 0 } = outcome ?? {};
  const exit = ended === 0 && unresolved > 0 ? 3 : ended;
  const files = (how: NbiaFetched['how']) =>
    fetched.filter((one) => one.how === how).flatMap((one) => one.files);
  const sum = (all: readonly NbiaFile[]) => all.reduce((total, { bytes }) => total + bytes, 0);
  const [came, present] = [files('fetched'), files('present')];
  if (run.json) {
    const summary = {
      planned: came.length + present.length + failed.length,
      fetched: came.length,
      present: present.length,
      reused: 0,
      failed: failed.length,
      unresolved,
      bytesFetched: sum(came),
      bytesPresent: sum(present),
      bytesReused: 0,
      verifiedBy: { md5: came.length + present.length },
      directory,
      lock: null,
      exit,
    };
    await write(run.terminal.out, `${toJson({ type: 'summary', ...summary })}\n`);
  } else {
    const word = exit === 0 ? run.out.green('complete') : run.out.red('incomplete');
    await write(run.terminal.out, `${word}: files in ${printable(directory)}; a lock file cannot pin them\n`);
  }
  return exit;
}
