/** `carrel catalog`: install and inspect catalogue tables. */
import { resolve } from 'node:path';
import { Option } from 'commander';
import { catalogVersionFor } from '../../archives/index.ts';
import {
  type CatalogEvent,
  type InstalledCatalog,
  installCatalog,
  listCatalogs,
  removeCatalog,
  updateCatalog,
} from '../../catalog/index.ts';
import { type CommandSpec, collect, type Run } from '../command.ts';
import { atDesk } from '../desk.ts';
import { toJson } from '../output/json.ts';
import { formatBytes, formatCount, formatTable } from '../output/text.ts';
import { printable, write } from '../terminal.ts';
import { checkSpec } from './catalog-check.ts';
import { releasesSpec } from './catalog-releases.ts';

/** `carrel catalog`. */
export const spec: CommandSpec = {
  name: 'catalog',
  summary: 'install and inspect catalogue tables',
  examples: [
    'carrel catalog update',
    'carrel catalog add idc_index_data-25.0.5-py3-none-any.whl',
    'carrel catalog tables',
    'carrel catalog schema index',
  ],
  exitCodes: [0, 1, 2, 4, 5],
  define() {},
  async run() {
    return undefined;
  },
  subcommands: [
    {
      name: 'update',
      summary: 'download the tables of the newest release, or of --release',
      examples: [
        'carrel catalog update',
        'carrel catalog update --release v24',
        'carrel catalog update --table sm_index --table seg_index',
      ],
      exitCodes: [0, 1, 2, 4, 5],
      define(command) {
        command
          .addOption(new Option('--release <release>', 'release such as v24'))
          .addOption(new Option('--version <version>', 'version such as 25.0.5'))
          .addOption(
            new Option('--table <name>', 'a table beside the core ones (repeatable)').argParser(collect),
          );
      },
      async run(run, _args, flags) {
        return await atDesk(run, async (desk) => {
          const release = flags['release'] as string | undefined;
          const version =
            (flags['version'] as string | undefined) ??
            (release === undefined ? undefined : catalogVersionFor(desk.archive, release)?.version);
          const installed = await updateCatalog({
            archive: desk.archive,
            cacheDir: desk.cacheDir,
            version,
            tables: flags['table'] as string[] | undefined,
            openStore: desk.openStore,
            onEvent: reporter(run),
            signal: run.signal,
          });
          await printInstalled(run, installed);
          return 0;
        });
      },
    },
    {
      name: 'add',
      summary: 'install tables from files: the Python wheel, its unpacked folder, or Parquet files',
      examples: [
        'carrel catalog add idc_index_data-25.0.5-py3-none-any.whl',
        'carrel catalog add tables/*.parquet --version 25.0.5',
      ],
      exitCodes: [0, 1, 2, 4, 5],
      define(command) {
        command
          .argument('<path...>', 'wheel, folder or .parquet files')
          .addOption(new Option('--version <version>', 'where the files do not say it'));
      },
      async run(run, paths, flags) {
        return await atDesk(run, async (desk) => {
          const installed = await installCatalog({
            archive: desk.archive,
            cacheDir: desk.cacheDir,
            sources: paths.map((path) => resolve(run.terminal.cwd, path)),
            version: flags['version'] as string | undefined,
            onEvent: reporter(run),
            signal: run.signal,
          });
          await printInstalled(run, installed);
          return 0;
        });
      },
    },
    {
      name: 'list',
      summary: 'installed versions',
      examples: ['carrel catalog list'],
      exitCodes: [0],
      define() {},
      async run(run) {
        return await atDesk(run, async (desk) => {
          const installed = await listCatalogs({ cacheDir: desk.cacheDir, archive: desk.archive.name });
          if (run.json) await write(run.terminal.out, `${toJson(installed, 2)}\n`);
          else if (installed.length === 0)
            await write(run.terminal.err, 'no catalogue is installed; carrel catalog update gets one\n');
          else {
            const rows = installed.map(({ archive, version, release, tables, path }) => [
              archive,
              version,
              release,
              tables.length,
              formatBytes(tables.reduce((sum, { bytes }) => sum + bytes, 0)),
              path,
            ]);
            await write(
              run.terminal.out,
              `${formatTable(['archive', 'version', 'release', 'tables', 'size', 'folder'], rows, { width: run.terminal.out.columns, right: [3, 4] })}\n`,
            );
          }
          return 0;
        });
      },
    },
    releasesSpec,
    checkSpec,
    {
      name: 'remove',
      summary: 'remove an installed version',
      examples: ['carrel catalog remove 24.2.2'],
      exitCodes: [0, 4],
      define(command) {
        command.argument('<version>', 'see carrel catalog list');
      },
      async run(run, [version = '']) {
        return await atDesk(run, async (desk) => {
          const removed = await removeCatalog({
            cacheDir: desk.cacheDir,
            archive: desk.archive.name,
            version,
          });
          await write(
            run.terminal.out,
            run.json
              ? `${toJson(removed)}\n`
              : `removed ${desk.archive.name} ${version}, ${formatBytes(removed.bytes)}\n`,
          );
          return 0;
        });
      },
    },
    {
      name: 'tables',
      summary: 'tables of the catalogue',
      examples: ['carrel catalog tables', 'carrel catalog tables --release v24 --json'],
      exitCodes: [0, 4],
      define(command) {
        command.addOption(new Option('--release <release>', 'release such as v24'));
      },
      async run(run, _args, flags) {
        return await atDesk(run, async (desk) => {
          const tables = await (await desk.catalog(flags['release'] as string | undefined)).tables({
            signal: run.signal,
          });
          if (run.json) await write(run.terminal.out, `${toJson(tables, 2)}\n`);
          else
            await write(
              run.terminal.out,
              `${formatTable(
                ['table', 'rows', 'columns', 'description'],
                tables.map(({ name, installed, rows, columns, description }) => [
                  name,
                  installed ? formatCount(rows) : '(not installed)',
                  columns ?? '',
                  description,
                ]),
                { width: run.terminal.out.columns, right: [1, 2] },
              )}\n`,
            );
          return 0;
        });
      },
    },
    {
      name: 'schema',
      summary: 'columns of a table',
      examples: ['carrel catalog schema index', 'carrel catalog schema sm_index --json'],
      exitCodes: [0, 4],
      define(command) {
        command
          .argument('<table>', 'see carrel catalog tables')
          .addOption(new Option('--release <release>', 'release such as v24'));
      },
      async run(run, [table = ''], flags) {
        return await atDesk(run, async (desk) => {
          const columns = await (await desk.catalog(flags['release'] as string | undefined)).schema(table, {
            signal: run.signal,
          });
          if (run.json) await write(run.terminal.out, `${toJson(columns, 2)}\n`);
          else
            await write(
              run.terminal.out,
              `${formatTable(
                ['column', 'type', 'description'],
                columns.map(({ name, type, description }) => [name, type, description]),
                { width: run.terminal.out.columns },
              )}\n`,
            );
          return 0;
        });
      },
    },
  ],
};

async function printInstalled(run: Run, installed: InstalledCatalog): Promise<void> {
  if (run.json) {
    await write(run.terminal.out, `${toJson({ type: 'summary', ...installed })}\n`);
    return;
  }
  const rows = installed.tables.find(({ name }) => name === 'index')?.rows;
  const what =
    installed.added.length === 0 ? 'already installed' : `installed (${installed.added.join(', ')})`;
  await write(
    run.terminal.out,
    `${installed.archive} ${installed.release}, catalogue ${installed.version}: ${what}${rows === undefined ? '' : `; ${formatCount(rows)} series`}\n`,
  );
}

/** Tables as they come, on stderr; on a terminal the bytes of the one under way. */
function reporter(run: Run): (event: CatalogEvent) => void {
  if (run.json) return (event) => void run.terminal.out.write(`${toJson(event)}\n`);
  if (run.quiet) return () => {};
  const live = run.terminal.err.isTTY === true;
  let last = 0;
  return (event) => {
    if (event.type === 'note')
      run.terminal.err.write(`${run.err.dim('note:')} ${printable(event.message)}\n`);
    else if (event.type === 'table')
      run.terminal.err.write(`${live ? '\r\u001b[K' : ''}${event.table}: ${formatBytes(event.bytes)}\n`);
    else if (live && Date.now() - last > 100) {
      last = Date.now();
      const of = event.total === undefined ? '' : ` of ${formatBytes(event.total)}`;
      run.terminal.err.write(`\r\u001b[K${event.table}: ${formatBytes(event.bytes)}${of}`);
    }
  };
}
