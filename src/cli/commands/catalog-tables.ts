/** `carrel catalog tables` and `carrel catalog schema`: what can be asked, installed or not. */
import { Option } from 'commander';
import {
  type Catalog,
  type ColumnInfo,
  columnsOfRecord,
  noSuchTable,
  type TableInfo,
  tablesOfRecord,
} from '../../catalog/index.ts';
import { isCarrelError } from '../../errors.ts';
import type { CommandSpec, Run } from '../command.ts';
import { atDesk, type Desk } from '../desk.ts';
import { toJson } from '../output/json.ts';
import { formatCount, formatTable } from '../output/text.ts';
import { write } from '../terminal.ts';

/** `carrel catalog tables`. */
export const tablesSpec: CommandSpec = {
  name: 'tables',
  summary: 'every table of the catalogue, installed or not, and your own',
  examples: ['carrel catalog tables', 'carrel catalog tables --release v24 --json'],
  exitCodes: [0, 4],
  define(command) {
    command.addOption(new Option('--release <release>', 'release such as v24'));
  },
  async run(run, _args, flags) {
    return await atDesk(run, async (desk) => {
      const catalog = await installed(desk, flags['release'] as string | undefined);
      const tables = await (catalog?.tables({ signal: run.signal }) ?? tablesOfRecord(desk));
      if (run.json) {
        await write(run.terminal.out, `${toJson(tables, 2)}\n`);
        return 0;
      }
      await write(
        run.terminal.out,
        `${formatTable(['table', 'rows', 'columns', 'description'], tables.map(rowOf), { width: run.terminal.out.columns, right: [1, 2] })}\n`,
      );
      const missing = tables.find(({ get }) => get !== undefined);
      if (missing !== undefined && !run.quiet) {
        const text =
          catalog === undefined
            ? 'no catalogue is installed; carrel catalog update gets the core tables, --table NAME another one too'
            : `${missing.get?.replace(missing.name, 'NAME')} gets a table; sql and --where fetch those that they name`;
        await write(run.terminal.err, `${run.err.dim('note:')} ${text}\n`);
      }
      return 0;
    });
  },
};

function rowOf({ name, installed: there, rows, columns, description, own }: TableInfo) {
  const count = there ? formatCount(rows) : own === undefined ? '(not installed)' : '(damaged)';
  return [
    name,
    own?.linked === true && there ? '' : count,
    columns ?? '',
    own?.problem === undefined ? description : `${description} ${own.problem}`,
  ];
}

/** The catalogue; undefined where no version at all is installed, and nobody asked for a certain one. */
async function installed(desk: Desk, release: string | undefined): Promise<Catalog | undefined> {
  try {
    return await desk.catalog(release);
  } catch (error) {
    if (release === undefined && isCarrelError(error, 'not-found')) return undefined;
    throw error;
  }
}

/** `carrel catalog schema`. */
export const schemaSpec: CommandSpec = {
  name: 'schema',
  summary: 'columns of a table, installed or not',
  examples: [
    'carrel catalog schema index',
    'carrel catalog schema sm_index --json',
    'carrel catalog schema clinical.nlst_canc',
  ],
  exitCodes: [0, 4],
  define(command) {
    command
      .argument('<table>', 'see carrel catalog tables')
      .addOption(new Option('--release <release>', 'release such as v24'));
  },
  async run(run, [table = ''], flags) {
    return await atDesk(run, async (desk) => {
      const catalog = await installed(desk, flags['release'] as string | undefined);
      const columns =
        (await catalog?.schema(table, { signal: run.signal })) ?? columnsOfRecord(desk.archive, table);
      const tables = await (catalog?.tables({ signal: run.signal }) ?? tablesOfRecord(desk));
      if (columns === undefined)
        throw noSuchTable(
          table,
          tables.map(({ name }) => name),
        );
      await printColumns(run, columns);
      const same = (name: string) => [table, `clinical.${table}`].includes(name.toLowerCase());
      const info = tables.find(({ name }) => same(name.toLowerCase()));
      if (info?.get !== undefined && !run.json && !run.quiet)
        await write(
          run.terminal.err,
          `${run.err.dim('note:')} ${info.name} is not installed; ${info.get} gets it, and sql when it names it\n`,
        );
      return 0;
    });
  },
};

async function printColumns(run: Run, columns: readonly ColumnInfo[]): Promise<void> {
  if (run.json) {
    await write(run.terminal.out, `${toJson(columns, 2)}\n`);
    return;
  }
  await write(
    run.terminal.out,
    `${formatTable(
      ['column', 'type', 'description'],
      columns.map(({ name, type, description, values }) => [
        name,
        type,
        values === undefined ? description : `${description} (${values.map(meaning).join('; ')})`,
      ]),
      { width: run.terminal.out.columns },
    )}\n`,
  );
}

function meaning({ code, description }: { code: string; description: string }): string {
  return description === '' || description === code ? code : `${code}: ${description}`;
}
