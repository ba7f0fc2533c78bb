/** What `carrel get` says of series that come from NBIA: the plan, failures, and the line at the end. */
import type { LicenseShare } from '../../cohort/index.ts';
import type { NbiaFetched, NbiaFile, NbiaResult, NbiaSeries, TciaServers } from '../../tcia/index.ts';
import type { Run } from '../command.ts';
import type { ExitCode } from '../exit-codes.ts';
import { printable, shortPath, write } from '../terminal.ts';
import { toJson } from './json.ts';
import { formatBytes, formatCount, plural } from './text.ts';

/** Series that NBIA has, before anything is fetched. */
export interface NbiaPlan {
  series: NbiaSeries[];
  licenses: LicenseShare[];
  images: number;
  bytes: number;
  servers: TciaServers;
  /** True where they were asked for here without looking at the catalogue. */
  preferred: boolean;
}

/** What came from NBIA. */
export interface NbiaOutcome extends NbiaResult {
  /** 0, or how a run ends in which nothing else failed. */
  exit: ExitCode;
}

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

/** Different next steps that are told of one run. */
const MOST_NEXT = 3;

/** What came and what failed; in JSON that was told by events. */
export async function printNbiaOutcome(
  run: Run,
  { fetched, failed }: NbiaResult,
  sums: string | undefined,
): Promise<void> {
  if (run.json) return;
  // The failures themselves were told as they happened.
  const next = [...new Set(failed.flatMap(({ error }) => error.next ?? []))];
  if (!run.quiet)
    for (const text of next.slice(0, MOST_NEXT))
      await write(run.terminal.err, `${run.err.dim('next:')} ${printable(text)}\n`);
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
