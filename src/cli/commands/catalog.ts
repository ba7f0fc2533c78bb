/** `carrel catalog`: install and inspect catalogue tables. */
import { Option } from 'commander';
import { catalogVersionFor } from '../../archives/index.ts';
import { updateCatalog } from '../../catalog/index.ts';
import { type CommandSpec, collect } from '../command.ts';
import { atDesk } from '../desk.ts';
import { addSpec } from './catalog-add.ts';
import { checkSpec } from './catalog-check.ts';
import { listSpec, removeSpec } from './catalog-list.ts';
import { releasesSpec } from './catalog-releases.ts';
import { printInstalled, reporter } from './catalog-report.ts';
import { schemaSpec, tablesSpec } from './catalog-tables.ts';

/** `carrel catalog`. */
export const spec: CommandSpec = {
  name: 'catalog',
  summary: 'install and inspect catalogue tables',
  examples: [
    'carrel catalog update',
    'carrel catalog add idc_index_data-25.0.5-py3-none-any.whl',
    'carrel catalog add --as labels labels.csv',
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
        'carrel catalog update --table clinical',
      ],
      exitCodes: [0, 1, 2, 4, 5],
      define(command) {
        command
          .addOption(new Option('--release <release>', 'release such as v24'))
          .addOption(new Option('--version <version>', 'version such as 25.0.5'))
          .addOption(
            new Option(
              '--table <name>',
              'a table beside the core ones (repeatable); clinical: all clinical tables',
            ).argParser(collect),
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
            env: run.terminal.env,
            onEvent: reporter(run),
            signal: run.signal,
          });
          await printInstalled(run, installed);
          return 0;
        });
      },
    },
    addSpec,
    listSpec,
    releasesSpec,
    checkSpec,
    removeSpec,
    tablesSpec,
    schemaSpec,
  ],
};
