/** `carrel catalog list` and `carrel catalog remove`: installed versions, and tables of the user's own. */
import {
  listCatalogs,
  listTablesOfOwn,
  type OwnTableInfo,
  removeCatalog,
  removeTable,
} from '../../catalog/index.ts';
import type { CommandSpec, Run } from '../command.ts';
import { atDesk } from '../desk.ts';
import { toJson } from '../output/json.ts';
import { formatBytes, formatCount, formatTable } from '../output/text.ts';
import { write } from '../terminal.ts';

/** `carrel catalog list`. */
export const listSpec: CommandSpec = {
  name: 'list',
  summary: 'installed versions, and tables of your own',
  examples: ['carrel catalog list'],
  exitCodes: [0],
  define() {},
  async run(run) {
    return await atDesk(run, async (desk) => {
      const where = { cacheDir: desk.cacheDir, archive: desk.archive.name };
      const [installed, own] = [await listCatalogs(where), await listTablesOfOwn(where)];
      if (run.json) {
        await write(run.terminal.out, `${toJson([...installed, ...own], 2)}\n`);
        return 0;
      }
      if (installed.length === 0)
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
      if (own.length > 0) await listOwn(run, own, installed.length > 0);
      return 0;
    });
  },
};

async function listOwn(run: Run, own: readonly OwnTableInfo[], after: boolean): Promise<void> {
  const rows = own.map(({ table, rows: count, columns, bytes, sources, linked, problem }) => [
    table,
    count === null ? '' : formatCount(count),
    columns.length,
    formatBytes(bytes),
    problem ?? `${linked ? 'link to ' : ''}${sources.join(', ')}`,
  ]);
  await write(
    run.terminal.out,
    `${after ? '\n' : ''}${formatTable(['your table', 'rows', 'columns', 'size', 'from'], rows, { width: run.terminal.out.columns, right: [1, 2, 3] })}\n`,
  );
}

/** `carrel catalog remove`. */
export const removeSpec: CommandSpec = {
  name: 'remove',
  summary: 'remove an installed version, or a table of your own',
  examples: ['carrel catalog remove 24.2.2', 'carrel catalog remove labels'],
  exitCodes: [0, 4],
  define(command) {
    command.argument('<name>', 'a version or a table of your own; see carrel catalog list');
  },
  async run(run, [name = '']) {
    return await atDesk(run, async (desk) => {
      const where = { cacheDir: desk.cacheDir, archive: desk.archive.name };
      const own = (await listTablesOfOwn(where)).find(
        ({ table }) => table.toLowerCase() === name.toLowerCase(),
      );
      const removed =
        own === undefined
          ? await removeCatalog({ ...where, version: name })
          : await removeTable({ ...where, name });
      const what = own === undefined ? `${desk.archive.name} ${name}` : `table ${own.table}`;
      const size = own?.linked === true ? 'the linked file stays' : formatBytes(removed.bytes);
      await write(run.terminal.out, run.json ? `${toJson(removed)}\n` : `removed ${what}, ${size}\n`);
      return 0;
    });
  },
};
