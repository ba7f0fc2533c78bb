/** `carrel tcia browse`: what is in a package, complete or said not to be. */
import { Option } from 'commander';
import { CarrelError, isCarrelError } from '../../errors.ts';
import { createHttpPool } from '../../stores/index.ts';
import {
  createFaspexClient,
  type FaspexClient,
  isPackageLink,
  type ListingOutcome,
  listPackage,
  normalisePath,
  onePackage,
  type PackageEntry,
  type PackageLink,
  parsePackageLink,
} from '../../tcia/index.ts';
import { browseBySums } from '../browse-sums.ts';
import { type CommandSpec, collect, type Run } from '../command.ts';
import { atDesk } from '../desk.ts';
import { COLUMNS, kindOf, lineOf, rowOf, TABLE } from '../output/browse-rows.ts';
import { withBinaryDestination, withDestination } from '../output/destination.ts';
import { toJson } from '../output/json.ts';
import { ROW_FORMATS, rowFormat, writeRows } from '../output/rows.ts';
import { formatBytes, formatCount, plural } from '../output/text.ts';
import { pathFilter } from '../path-filter.ts';
import { tellWritten } from '../search/search.ts';
import { addCatalogueFlags, tciaServersOf } from '../tcia-catalogue.ts';
import { catalogueQuestions } from '../tcia-questions.ts';
import { printable, write } from '../terminal.ts';
import { addTransportFlags } from '../transport-flags.ts';

/** `carrel tcia browse`. */
export const browseSpec: CommandSpec = {
  name: 'browse',
  summary: 'files and folders of a package, complete or said not to be',
  examples: [
    'carrel tcia browse HER2-tumor-ROIs',
    'carrel tcia browse HER2-tumor-ROIs Yale_HER2_cohort/SVS',
    "carrel tcia browse 'https://faspex.cancerimagingarchive.net/aspera/faspex/public/package?context=…'",
    'carrel tcia browse "$LINK" --recursive --glob \'*.xml\' --format csv -o files.csv',
    'carrel tcia browse "$LINK" --recursive --format parquet -o files.parquet',
    'carrel tcia browse HER2-tumor-ROIs --recursive --sums',
  ],
  exitCodes: [0, 1, 2, 3, 4, 7, 8],
  define(command) {
    command
      .argument('<what>', 'name, DOI or page of a data set, or a Faspex link in any form')
      .argument('[path]', 'a folder or file of the package')
      .addOption(new Option('-r, --recursive', 'everything below'))
      .addOption(
        new Option(
          '--glob <pattern>',
          "only names that match: '*.svs' on any level, 'SVS/**/*.svs' from the root (repeatable)",
        ).argParser(collect),
      )
      .addOption(new Option('--format <format>', [...ROW_FORMATS, 'parquet'].join(', ')))
      .addOption(new Option('-o, --output <file>', 'write the list to a file'))
      .addOption(
        new Option('--download <choice>', 'of several packages: id, or words of the title').argParser(
          collect,
        ),
      )
      .addOption(
        new Option(
          '--sums',
          'names and digests by the list of checksums of the package, where it is whole: fast, without sizes; needs ascp',
        ),
      );
    addTransportFlags(command);
    addCatalogueFlags(command);
  },
  async run(run, [what = '', path = ''], flags) {
    const parquet = flags['format'] === 'parquet' && !run.json;
    const format = parquet ? 'table' : rowFormat(flags['format'], run.json);
    const output = flags['output'] as string | undefined;
    const globs = (flags['glob'] as string[] | undefined) ?? [];
    const keeps = pathFilter({ include: globs });
    const matches = ({ path: one }: PackageEntry) => keeps(one);
    const recursive = flags['recursive'] === true || globs.some((pattern) => pattern.includes('/'));
    // Refused here already, though links name their servers themselves.
    tciaServersOf(run, flags);
    const folder = normalisePath(path);
    const link =
      isPackageLink(what) || what.trim() === '' ? parsePackageLink(what) : await linkOf(run, what, flags);
    const http = createHttpPool({ env: run.terminal.env });
    try {
      const client = createFaspexClient(link, { http });
      await sayWhat(run, client);
      const bySums =
        flags['sums'] === true
          ? await browseBySums(run, client, {
              http,
              folder,
              recursive,
              flags,
              tell: async (message) => await tell(run, link.name, message),
            })
          : undefined;
      const { entries, outcome } =
        bySums === undefined
          ? await readEntries(run, client, folder, recursive)
          : { entries: bySums.entries, outcome: undefined };
      if (bySums === undefined) await noteCount(run, client, folder, recursive, entries);
      const shown = entries.filter(matches);
      const rows = shown.map((entry) => rowOf(link.packageId, entry, bySums?.digests.get(entry.path)?.[0]));
      if (parquet) {
        const { writeParquet } = await import('../../catalog/index.ts');
        const written = await withBinaryDestination(run.terminal, output, (file) =>
          writeParquet(COLUMNS, rows, file, run.signal),
        );
        await tellWritten(run, written, output);
      } else {
        const answer =
          format === 'table'
            ? { columns: TABLE, numeric: [1], optional: [2], whole: [3], rows: [shown.map(lineOf)] }
            : { columns: COLUMNS.map(({ name }) => name), rows: [rows] };
        const written = await withDestination(run.terminal, output, (terminal) =>
          writeRows(terminal, answer, format),
        );
        if (!run.json) await tellWritten(run, written, output);
      }
      if (shown.length === 0 && entries.length > 0)
        await tell(run, link.name, `none of ${plural(entries.length, 'name')} matches ${globs.join(' or ')}`);
      await settle(run, link.name, outcome ?? WHOLE, shown);
      return 0;
    } catch (error) {
      // The front door would repeat the command line, and with it the link.
      if (!isCarrelError(error, 'interrupted')) throw error;
      throw new CarrelError('interrupted', 'interrupted', { next: 'run the same command again' });
    } finally {
      await http.close();
    }
  },
};

/** The package of a data set. @throws CarrelError as `onePackage` */
async function linkOf(run: Run, what: string, flags: Record<string, unknown>): Promise<PackageLink> {
  const downloads = flags['download'] as string[] | undefined;
  return await atDesk(run, async (desk) => {
    const questions = catalogueQuestions(run, desk, tciaServersOf(run, flags), flags);
    return (await onePackage(what, { ...questions, downloads })).link;
  });
}

/** A first sign of life, then the package by its name. */
async function sayWhat(run: Run, client: FaspexClient): Promise<void> {
  const { err } = run.terminal;
  const live = err.isTTY === true && !run.quiet;
  if (live) await write(err, `asking ${printable(new URL(client.link.origin).host)} …`);
  try {
    const { title, files, bytes, released } = await client.info(run.signal);
    if (live) await write(err, CLEAR);
    if (run.quiet || run.json) return;
    const facts = [
      ...(files === undefined ? [] : [plural(files, 'file')]),
      ...(bytes === undefined ? [] : [formatBytes(bytes)]),
      ...(released === undefined ? [] : [`released ${released.slice(0, 10)}`]),
    ];
    const line = `${title ?? client.link.name}${facts.length === 0 ? '' : `: ${facts.join(', ')}`}`;
    await write(err, `${run.err.bold(printable(line))}\n`);
  } catch (error) {
    if (live) await write(err, CLEAR);
    throw error;
  }
}

const CLEAR = '\r\u001b[K';
const REDRAW_MS = 100;

/** All entries, sorted by path, so that two runs give the same list whichever answer came first. */
async function readEntries(
  run: Run,
  client: FaspexClient,
  folder: string,
  recursive: boolean,
): Promise<{ entries: PackageEntry[]; outcome: ListingOutcome }> {
  const { err } = run.terminal;
  const live = err.isTTY === true && !run.quiet;
  let last = 0;
  const listing = listPackage(client, folder, {
    recursive,
    signal: run.signal,
    onPage: (progress) => {
      if (!live || Date.now() - last < REDRAW_MS) return;
      last = Date.now();
      const folders = recursive ? ` in ${plural(progress.folders, 'folder')}` : '';
      err.write(`${CLEAR}${formatCount(progress.entries)} so far${folders}`);
    },
  });
  const entries: PackageEntry[] = [];
  try {
    for await (const entry of listing) entries.push(entry);
  } finally {
    if (live) err.write(CLEAR);
  }
  entries.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  return { entries, outcome: listing.outcome() };
}

/** The package as a whole counts its files too; another number is worth a word, though nobody knows what is counted. */
async function noteCount(
  run: Run,
  client: FaspexClient,
  folder: string,
  recursive: boolean,
  entries: readonly PackageEntry[],
): Promise<void> {
  const { files } = await client.info(run.signal);
  if (run.quiet || folder !== '' || !recursive || files === undefined) return;
  const listed = entries.filter((entry) => kindOf(entry) !== 'folder').length;
  if (listed === files) return;
  const text = `the package says that it holds ${plural(files, 'file')}; ${formatCount(listed)} are listed`;
  await tell(run, client.link.name, text);
}

/** A remark on stderr; with `--json` an object, so that whoever reads errors there can read it too. */
async function tell(run: Run, item: string, message: string): Promise<void> {
  if (run.quiet) return;
  const line = run.json
    ? toJson({ type: 'note', item, message })
    : `${run.err.yellow('note:')} ${printable(message)}`;
  await write(run.terminal.err, `${line}\n`);
}

/** Last words: what is refused, what is missing. @throws CarrelError `partial` where something is known to be missing */
async function settle(
  run: Run,
  name: string,
  { complete, reasons }: Pick<ListingOutcome, 'complete' | 'reasons'>,
  shown: readonly PackageEntry[],
): Promise<void> {
  const refused = shown.filter((entry) => entry.refused !== undefined);
  const note = (text: string): Promise<void> => tell(run, name, text);
  for (const entry of refused.slice(0, MOST_NAMED))
    await note(`${JSON.stringify(entry.path)} ${entry.refused ?? ''}; it will not be fetched`);
  if (refused.length > MOST_NAMED)
    await note(`… and ${formatCount(refused.length - MOST_NAMED)} more such names`);
  const said = [...reasons.slice(0, MOST_NAMED), ...(reasons.length > MOST_NAMED ? ['…'] : [])].join('; ');
  if (complete === 'unknown') await note(`the list may be short: ${said}`);
  if (complete === false) {
    throw new CarrelError('partial', `the list is short: ${said}`, {
      item: name,
      next: 'run it again; what stays missing may be fetched with the package as a whole',
    });
  }
}

const MOST_NAMED = 5;

/** A list of checksums that names as many files as the server counts. */
const WHOLE: Pick<ListingOutcome, 'complete' | 'reasons'> = { complete: true, reasons: [] };
