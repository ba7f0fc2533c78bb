/** `carrel catalog check`: every installed byte against its digest, and what is odd about the tables. */
import { Option } from 'commander';
import { checkCatalog, checkTablesOfOwn, findOddities, listCatalogs } from '../../catalog/index.ts';
import type { CommandSpec, Run } from '../command.ts';
import { atDesk } from '../desk.ts';
import { toJson } from '../output/json.ts';
import { formatCount, formatTable, plural } from '../output/text.ts';
import { printable, write } from '../terminal.ts';

/** `carrel catalog check`. */
export const checkSpec: CommandSpec = {
  name: 'check',
  summary: 'compare every installed byte with its digest; count what is odd about the tables',
  examples: ['carrel catalog check', 'carrel catalog check 25.0.5', 'carrel catalog check --bytes'],
  exitCodes: [0, 4, 5],
  define(command) {
    command
      .argument('[version]', 'default: all installed')
      .addOption(new Option('--bytes', 'only the bytes'));
  },
  run: check,
};

async function check(run: Run, [version]: string[], flags: Record<string, unknown>): Promise<0 | 5> {
  return await atDesk(run, async (desk) => {
    const installed = await listCatalogs({ cacheDir: desk.cacheDir, archive: desk.archive.name });
    const versions = version === undefined ? installed.map((one) => one.version) : [version];
    const results = [];
    for (const one of versions) {
      for (const result of await checkCatalog({
        cacheDir: desk.cacheDir,
        archive: desk.archive.name,
        version: one,
        signal: run.signal,
      }))
        results.push({ version: one, ...result });
    }
    const where = { cacheDir: desk.cacheDir, archive: desk.archive.name };
    if (version === undefined) {
      const own = await checkTablesOfOwn({ ...where, signal: run.signal });
      results.push(...own.map((result) => ({ version: 'your table', ...result })));
    }
    const bad = results.filter(({ ok }) => !ok);
    const oddities = [];
    for (const one of flags['bytes'] === true || bad.length > 0 ? [] : versions) {
      const found = await findOddities({
        archive: desk.archive,
        cacheDir: desk.cacheDir,
        version: one,
        signal: run.signal,
      });
      oddities.push(...found.map((oddity) => ({ version: one, ok: true, ...oddity })));
    }
    if (run.json) await write(run.terminal.out, `${toJson([...results, ...oddities], 2)}\n`);
    else {
      for (const { version: one, table, problem } of bad)
        await write(
          run.terminal.out,
          `${run.out.red('damaged')} ${one} ${table}: ${printable(problem ?? '')}\n`,
        );
      await write(
        run.terminal.out,
        `${plural(results.length - bad.length, 'file')} right, ${formatCount(bad.length)} damaged\n`,
      );
      const shown = oddities.filter(({ count }) => count !== 0);
      if (shown.length > 0)
        await write(
          run.terminal.out,
          `\n${formatTable(
            ['version', 'number', 'what is odd, and what is done about it'],
            shown.map((one) => [
              one.version,
              one.count === null ? 'unknown' : formatCount(one.count),
              `${one.message}${one.comparedWith === undefined ? '' : ` (compared with ${one.comparedWith})`}${one.count === null ? ' (another version must be installed to tell)' : ''}`,
            ]),
            { width: run.terminal.out.columns, right: [1] },
          )}\n`,
        );
      const [first] = bad;
      if (first !== undefined) {
        const next =
          first.version === 'your table'
            ? `carrel catalog add --as ${first.table} with its source again`
            : `carrel catalog remove ${first.version}, then carrel catalog update or add`;
        await write(run.terminal.err, `${run.err.dim('next:')} ${next}\n`);
      }
    }
    return bad.length === 0 ? 0 : 5;
  });
}
