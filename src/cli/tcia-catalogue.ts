/** What the commands of `carrel tcia` share: where the services answer, and TCIA's catalogue with a word about its age. */
import { type Command, Option } from 'commander';
import { CarrelError } from '../errors.ts';
import {
  ageText,
  type OpenedCatalogue,
  openCatalogue,
  type TciaServers,
  tciaServers,
} from '../tcia/index.ts';
import { collect, type Run } from './command.ts';
import type { Desk } from './desk.ts';
import { printable, write } from './terminal.ts';

/** `--server NAME=URL`. */
export function serverOption(): Option {
  return new Option(
    '--server <name=url>',
    'where a service of TCIA answers: wordpress, nbia, nlst, pathdb, datacite (repeatable)',
  ).argParser(collect);
}

/** `--refresh`, `--offline` and `--server`. */
export function addCatalogueFlags(command: Command): Command {
  return command
    .addOption(new Option('--refresh', "fetch TCIA's catalogue now; by itself that happens once a day"))
    .addOption(new Option('--offline', 'ask nobody: answer from the catalogue that is here'))
    .addOption(serverOption());
}

/** The services as `--server` and `CARREL_TCIA_SERVERS` (NAME=URL, separated by commas) name them; flags go first. */
export function tciaServersOf(run: Run, flags: Record<string, unknown>): TciaServers {
  const fromEnv = (run.terminal.env['CARREL_TCIA_SERVERS'] ?? '').split(',').map((one) => one.trim());
  const fromFlags = Array.isArray(flags['server']) ? (flags['server'] as string[]) : [];
  return tciaServers([...fromEnv.filter((one) => one !== ''), ...fromFlags]);
}

/** Opens TCIA's catalogue; says what is asked of whom, and how old the answer is. */
export async function openTciaCatalogue(
  run: Run,
  desk: Pick<Desk, 'cacheDir' | 'pool'>,
  servers: TciaServers,
  flags: Record<string, unknown>,
): Promise<OpenedCatalogue> {
  const [refresh, offline] = [flags['refresh'] === true, flags['offline'] === true];
  if (refresh && offline) {
    throw new CarrelError('usage', '--refresh and --offline exclude each other', {
      item: '--offline',
      next: 'leave one out',
    });
  }
  const tell = (text: string) => {
    if (!run.quiet && !run.json) run.terminal.err.write(`${run.err.dim(printable(text))}\n`);
  };
  const host = new URL(servers.wordpress).host;
  const opened = await openCatalogue({
    http: desk.pool,
    signal: run.signal,
    cacheDir: desk.cacheDir,
    servers,
    refresh: offline ? 'never' : refresh ? 'always' : 'auto',
    onFetch: () => tell(`asking ${host} for the catalogue of TCIA …`),
  });
  return opened;
}

/** Says on stderr of when the catalogue is; nothing with `--quiet`. */
export async function tellAge(run: Run, opened: OpenedCatalogue): Promise<void> {
  if (run.quiet) return;
  const { catalogue, fresh, ageMs, notes } = opened;
  const note = run.err.dim('note:');
  for (const text of notes) await write(run.terminal.err, `${note} TCIA's catalogue: ${printable(text)}\n`);
  if (notes.length > 0 && !fresh) return;
  const when = `${catalogue.fetchedAt.slice(0, 16).replace('T', ' ')} UTC`;
  const age = fresh ? 'fetched now' : `${ageText(ageMs)} old; --refresh fetches it anew`;
  await write(run.terminal.err, `${run.err.dim(`TCIA's catalogue of ${when}, ${age}`)}\n`);
}

/** The catalogue's state for JSON. */
export function catalogueState({ catalogue, ageMs, fresh, notes }: OpenedCatalogue): Record<string, unknown> {
  const { origin, fetchedAt } = catalogue;
  return { origin, fetchedAt, ageSeconds: Math.round(ageMs / 1000), fresh, notes };
}
