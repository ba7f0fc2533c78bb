/** `carrel catalog add`: tables of the archive from files, and tables of the user's own from anywhere. */
import { resolve } from 'node:path';
import { Option } from 'commander';
import { addTable, installCatalog } from '../../catalog/index.ts';
import { CarrelError } from '../../errors.ts';
import type { CommandSpec, Run } from '../command.ts';
import { atDesk, type Desk } from '../desk.ts';
import { toJson } from '../output/json.ts';
import { formatBytes, plural } from '../output/text.ts';
import { printable, write } from '../terminal.ts';
import { printInstalled, reporter } from './catalog-report.ts';

/** `carrel catalog add`. */
export const addSpec: CommandSpec = {
  name: 'add',
  summary: 'install the archive’s tables from files; with --as, any Parquet or CSV as a table of your own',
  examples: [
    'carrel catalog add idc_index_data-25.0.5-py3-none-any.whl',
    'carrel catalog add tables/*.parquet --version 25.0.5',
    'carrel catalog add --as labels labels.csv',
    'carrel catalog add --as labels labels.csv --link',
    'carrel catalog add --as dicom_all s3://idc-open-metadata/bigquery_export/idc_current/dicom_all/',
  ],
  exitCodes: [0, 1, 2, 4, 5],
  define(command) {
    command
      .argument('<source...>', 'wheel, folder or .parquet files; with --as also CSV, s3://, gs://, https://')
      .addOption(new Option('--version <version>', 'where the files do not say it'))
      .addOption(new Option('--as <name>', 'a table of your own under this name, for every release'))
      .addOption(new Option('--link', 'with --as: read local files where they stand, do not copy'))
      .addOption(new Option('--replace', 'with --as: put it in the place of one from elsewhere'))
      .addOption(new Option('--endpoint <url>', 'with --as: endpoint of a bucket that is not the archive’s'));
  },
  async run(run, sources, flags) {
    const name = flags['as'] as string | undefined;
    const wrong = ['link', 'replace', 'endpoint'].find((flag) => flags[flag] !== undefined);
    if (name === undefined && wrong !== undefined)
      throw new CarrelError('usage', `--${wrong} is for tables of your own`, { next: 'add --as NAME' });
    if (name !== undefined && flags['version'] !== undefined) {
      throw new CarrelError('usage', '--version is for the archive’s tables; yours go with every version', {
        next: 'leave out --version, or --as',
      });
    }
    return await atDesk(run, async (desk) => {
      if (name !== undefined) return await addOwn(run, desk, name, sources, flags);
      const remote = sources.find(isUrl);
      if (remote !== undefined) {
        throw new CarrelError('usage', `${remote} is no file of this machine`, {
          item: remote,
          next: 'carrel catalog update fetches the archive’s tables; --as NAME makes it a table of your own',
        });
      }
      const installed = await installCatalog({
        archive: desk.archive,
        cacheDir: desk.cacheDir,
        sources: sources.map((path) => resolve(run.terminal.cwd, path)),
        version: flags['version'] as string | undefined,
        onEvent: reporter(run),
        signal: run.signal,
      });
      await printInstalled(run, installed);
      return 0;
    });
  },
};

function isUrl(source: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(source);
}

async function addOwn(
  run: Run,
  desk: Desk,
  name: string,
  sources: readonly string[],
  flags: Record<string, unknown>,
): Promise<0> {
  const table = await addTable({
    archive: desk.archive,
    cacheDir: desk.cacheDir,
    name,
    sources: sources.map((source) => (isUrl(source) ? source : resolve(run.terminal.cwd, source))),
    openStore: desk.openStore,
    endpoint: flags['endpoint'] as string | undefined,
    link: flags['link'] === true,
    replace: flags['replace'] === true,
    onEvent: reporter(run),
    signal: run.signal,
  });
  if (run.json) {
    await write(run.terminal.out, `${toJson({ type: 'summary', ...table })}\n`);
    return 0;
  }
  const rows = table.rows === null ? '' : `${plural(table.rows, 'row')}, `;
  const what = `${rows}${plural(table.columns.length, 'column')}, ${formatBytes(table.bytes)}`;
  const how = table.linked ? 'linked' : table.changed ? 'added' : 'unchanged';
  await write(run.terminal.out, `table ${table.table} ${how}: ${what}\n`);
  if (!run.quiet) {
    const columns = table.columns.map((column) => `${printable(column.name)} ${column.type}`).join(', ');
    await write(run.terminal.err, `${run.err.dim('columns:')} ${columns}\n`);
  }
  return 0;
}
