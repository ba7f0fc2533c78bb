/** The report of files against lists of checksums, for people and as JSON. */
import type { SumsListReport, SumsMapping, SumsReport } from '../../tcia/index.ts';
import type { Run } from '../command.ts';
import type { NextCommand } from '../fetch-again.ts';
import { printable, shortPath, write } from '../terminal.ts';
import { printNext, rightText, tallyEvidence, wrongLines } from './evidence.ts';
import { toJson } from './json.ts';
import { formatBytes, formatCount, plural } from './text.ts';

/** Lines that are printed of what is wrong. */
const MOST = 1000;

/** Lines that are printed of what is only not listed. */
const FEW = 20;

/** Lines of a list that cannot be used and are shown. */
const SHOWN_PROBLEMS = 5;

/** What there is to say of the lists themselves, on stderr. */
export async function printSumsNotes(run: Run, report: SumsReport, own: readonly string[]): Promise<void> {
  const notes = report.lists.flatMap((list) => notesOf(list, shortPath(run.terminal.cwd, list.origin)));
  for (const origin of own)
    notes.push(
      `${shortPath(run.terminal.cwd, origin)} was written by carrel from the bytes on a disk: it proves that they have not changed since`,
    );
  for (const note of notes) await write(run.terminal.err, `${run.err.dim('note:')} ${printable(note)}\n`);
}

function notesOf({ mapping, ties, problems, problemCount, found }: SumsListReport, name: string): string[] {
  const notes: string[] = [];
  if (found > 0 && (mapping.strip !== '' || mapping.add !== '')) notes.push(`${name}: ${placeText(mapping)}`);
  if (ties.length > 0)
    notes.push(`${name}: as many files are there if ${ties.map((tie) => placeText(tie)).join(', or if ')}`);
  for (const { line, reason, text } of problems.slice(0, SHOWN_PROBLEMS))
    notes.push(`${name}:${line}: ${reason}: ${text}`);
  if (problemCount > SHOWN_PROBLEMS)
    notes.push(`${name}: ${plural(problemCount - SHOWN_PROBLEMS, 'more line')} could not be used`);
  return notes;
}

/** A mapping in words. */
function placeText({ strip, add }: SumsMapping): string {
  const without = strip === '' ? 'its paths are' : `its paths without ${JSON.stringify(strip)} are`;
  return `${without} ${add === '' ? 'below the folder' : `below ${JSON.stringify(add)}`}`;
}

/** The report: a document of JSON, or lines and a sum. */
export async function printSumsReport(
  run: Run,
  report: SumsReport,
  about: {
    directory: string;
    good: boolean;
    all: boolean;
    scoped: boolean;
    /** What brings back what is wrong. */
    next: readonly NextCommand[];
  },
): Promise<void> {
  const { directory, good, next } = about;
  if (run.json) {
    const { ok, mismatched, missing, unverifiable, extra, unlisted, unfinished, lists } = report;
    const summary = {
      type: 'summary',
      directory,
      ok: ok.length,
      verifiedBy: tallyEvidence(ok),
      missing,
      mismatched,
      unverifiable,
      extra,
      unlisted,
      unfinished,
      sums: lists.map(({ origin, listed, found, mapping, ties, problems, problemCount }) => ({
        file: origin,
        listed,
        found,
        mapping,
        ties,
        unusableLines: problemCount,
        problems,
      })),
      next: next.map(({ command }) => command),
      exit: good ? 0 : 5,
    };
    await write(run.terminal.out, `${toJson(summary)}\n`);
    return;
  }
  await printLines(run, report, about);
  const { cwd } = run.terminal;
  const bytes = report.ok.reduce((sum, file) => sum + file.bytes, 0);
  const counts = [
    rightText(report.ok),
    `${formatCount(report.mismatched.length)} wrong`,
    `${formatCount(report.missing.length)} missing`,
    ...(report.unverifiable.length > 0 ? [`${formatCount(report.unverifiable.length)} unproven`] : []),
    ...(report.unfinished.length > 0 ? [`${formatCount(report.unfinished.length)} unfinished`] : []),
    `${formatCount(report.extra.length)} extra`,
    `${formatCount(report.unlisted.length)} unlisted`,
  ];
  const head = good ? run.out.green('verified') : run.out.red('not as listed');
  await write(
    run.terminal.out,
    `${head}: ${counts.join(', ')}; ${formatBytes(bytes)} proven in ${printable(shortPath(cwd, directory))}\n`,
  );
  const hint = hintOf(report, about);
  if (hint !== undefined) await write(run.terminal.err, `${run.err.dim('next:')} ${hint}\n`);
  if (!good) await printNext(run, next);
}

async function printLines(run: Run, report: SumsReport, { all }: { all: boolean }): Promise<void> {
  const { yellow, dim } = run.out;
  const wrong = [
    ...wrongLines(run, report),
    ...report.unfinished.map(
      ({ path, of }) =>
        `${yellow('UNFINISHED')} ${printable(path)}: what a transfer of ${printable(of)} left behind`,
    ),
  ];
  const rest = [
    ...report.unlisted.map((path) => `${dim('UNLISTED')} ${printable(path)}`),
    ...report.extra.map((path) => `${dim('EXTRA')}    ${printable(path)}`),
  ];
  await printSome(run, wrong, MOST, 'more; --json lists all');
  await printSome(
    run,
    rest,
    all ? Number.POSITIVE_INFINITY : FEW,
    'more that no list names; --extra shows all',
  );
}

async function printSome(run: Run, lines: readonly string[], most: number, more: string): Promise<void> {
  if (lines.length === 0) return;
  await write(run.terminal.out, `${lines.slice(0, most).join('\n')}\n`);
  if (lines.length > most)
    await write(run.terminal.out, `… and ${formatCount(lines.length - most)} ${more}\n`);
}

/** What a command cannot say. */
function hintOf(
  report: SumsReport,
  { good, scoped, next }: { good: boolean; scoped: boolean; next: readonly NextCommand[] },
): string | undefined {
  if (good) return undefined;
  if (report.ok.length + report.mismatched.length === 0 && report.missing.length === 0)
    return 'nothing was proven: name another list with --sums FILE';
  if (report.ok.length + report.mismatched.length === 0)
    return 'no listed file is there: name the folder that the package was fetched to';
  if (report.missing.length > 0 && !scoped)
    return 'where only a part of the package was fetched, name it with --scope PATH; else fetch the rest:';
  return next.length > 0
    ? undefined
    : 'no bytes can satisfy what is listed: ask the archive for a right list';
}
