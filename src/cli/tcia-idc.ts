/** What an installed archive, such as IDC, has of a data set of TCIA: told, run, and named where another road is barred. */
import { isCarrelError } from '../errors.ts';
import {
  idcAlternative,
  isInPathDb,
  partsFor,
  type TciaCollection,
  type TciaDownload,
} from '../tcia/index.ts';
import type { Run } from './command.ts';
import type { Desk } from './desk.ts';
import type { ExitCode } from './exit-codes.ts';
import { formatBytes, plural } from './output/text.ts';
import { commonWords, runCommand } from './run-command.ts';
import type { TciaGetOptions } from './tcia-get-options.ts';
import { printable, write } from './terminal.ts';

/** Images of a download in an archive. */
export interface FoundInIdc {
  archive: string;
  /** `12 series (300 MB) of SM are`. */
  what: string;
  commands: string[];
}

/** Looks it up; undefined where nothing is there, or no catalogue is installed. */
export async function idcCommands(
  run: Run,
  desk: Pick<Desk, 'catalog'>,
  collection: TciaCollection,
  download: TciaDownload,
): Promise<FoundInIdc | undefined> {
  try {
    const found = await idcAlternative(collection, await desk.catalog(), run.signal);
    const parts = found === undefined ? [] : partsFor(download, found);
    if (found === undefined || parts.length === 0) return undefined;
    const sum = (of: (part: (typeof parts)[number]) => number) =>
      parts.reduce((total, part) => total + of(part), 0);
    const modalities = [...new Set(parts.flatMap((part) => part.modalities))].join(', ');
    return {
      archive: found.archive.toUpperCase(),
      what: `${plural(
        sum(({ series }) => series),
        'series',
        'series',
      )} (${modalities}, ${formatBytes(sum(({ bytes }) => bytes))})`,
      commands: [...new Set(parts.map(({ command }) => command))],
    };
  } catch (error) {
    if (!isCarrelError(error) || error.code === 'interrupted') throw error;
    return undefined;
  }
}

/** Runs those commands. */
export async function runIdc(
  run: Run,
  { commands }: FoundInIdc,
  {
    directory,
    dryRun,
    layout,
    names,
    get,
  }: Pick<TciaGetOptions, 'directory' | 'dryRun' | 'layout' | 'names' | 'get'>,
  flags: Record<string, unknown>,
): Promise<ExitCode> {
  let worst: ExitCode = 0;
  for (const command of commands) {
    const words = [
      ...command.split(' ').slice(2),
      '-o',
      directory,
      ...(dryRun ? ['--dry-run'] : []),
      ...(layout === undefined ? [] : ['--layout', layout]),
      ...(names === 'escape' ? ['--names', names] : []),
      ...commonWords(flags),
    ];
    if (!run.quiet && !run.json) await write(run.terminal.err, `${run.err.dim(printable(command))}\n`);
    const code = await runCommand(run, get, words);
    if (code !== 0) worst = worst === 0 || worst === code ? code : 3;
  }
  return worst;
}

/** Other ways to the same images, as commands. */
export async function otherRoads(
  run: Run,
  desk: Pick<Desk, 'catalog'>,
  collection: TciaCollection,
  download: TciaDownload,
): Promise<string[]> {
  const found = await idcCommands(run, desk, collection, download);
  const name = /\s/.test(collection.name) ? JSON.stringify(collection.name) : collection.name;
  return [
    ...(found === undefined ? [] : [`over HTTPS from ${found.archive}: ${found.commands.join('; ')}`]),
    ...(isInPathDb(download) ? [`slide by slide over HTTPS: carrel tcia get ${name} --download pathdb`] : []),
  ];
}
