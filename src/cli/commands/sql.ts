/** `carrel sql`: one reading statement over every table. */

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Option } from 'commander';
import { CarrelError } from '../../errors.ts';
import type { CommandSpec } from '../command.ts';
import { atDesk } from '../desk.ts';
import { withBinaryDestination, withDestination } from '../output/destination.ts';
import { ROW_FORMATS, rowFormat, writeRows } from '../output/rows.ts';
import { formatCount } from '../output/text.ts';
import { readStdin } from '../read-stdin.ts';
import { addEngineFlags, bigQueryOf, printPlan, tellUsage } from '../search/engine.ts';
import { tellWritten } from '../search/search.ts';
import { count } from '../selection-flags.ts';
import { write } from '../terminal.ts';

/** `carrel sql`. */
export const spec: CommandSpec = {
  name: 'sql',
  summary: 'read-only SQL over every table',
  examples: [
    'carrel sql "SELECT Modality, count(*) FROM index GROUP BY ALL ORDER BY 2 DESC"',
    'carrel sql "SELECT l.* FROM index i JOIN labels l USING (SeriesInstanceUID)"',
    'carrel sql -f query.sql --format parquet -o answer.parquet',
    'carrel sql --explain "SELECT count(*) FROM index WHERE Modality = \'CT\'"',
    'carrel sql "SELECT i.collection_id, c.cancer_types FROM index i JOIN collections_index c USING (collection_id) LIMIT 5" --json',
    'carrel sql --engine bigquery --project my-project --dry-run "SELECT Modality, COUNT(*) AS n FROM index GROUP BY Modality"',
  ],
  exitCodes: [0, 1, 2, 4, 8],
  define(command) {
    addEngineFlags(command)
      .argument('[statement]', 'one SELECT statement, or - for stdin')
      .addOption(new Option('-f, --file <file>', 'read the statement from a file'))
      .addOption(new Option('--release <release>', 'tables of a release'))
      .addOption(new Option('--limit <n>', 'stop after n rows').argParser(count))
      .addOption(new Option('--timeout <seconds>', 'give up after so many seconds').argParser(count))
      .addOption(new Option('--memory <size>', 'memory limit, such as 2GB'))
      .addOption(new Option('--no-fetch', 'do not fetch a table that is named and not installed'))
      .addOption(new Option('--explain', 'show how the engine would answer, without running it'))
      .addOption(new Option('--format <format>', [...ROW_FORMATS, 'parquet'].join(', ')))
      .addOption(new Option('-o, --output <file>', 'write the answer to a file'));
  },
  async run(run, [statement], flags) {
    const file = flags['file'];
    if ((statement === undefined) === (file === undefined)) {
      throw new CarrelError('usage', 'give one statement, or a file with -f', {
        next: 'carrel sql "SELECT count(*) FROM index"',
      });
    }
    const sql =
      typeof file === 'string'
        ? await readFile(resolve(run.terminal.cwd, file), 'utf8').catch((cause: unknown) => {
            throw new CarrelError('not-found', `cannot read ${file}`, { item: file, cause });
          })
        : statement === '-'
          ? new TextDecoder().decode(await readStdin(run.terminal))
          : (statement ?? '');
    const explain = flags['explain'] === true;
    const parquet = flags['format'] === 'parquet' && !run.json;
    if (parquet && explain)
      throw new CarrelError('usage', 'a plan cannot be written as Parquet', { next: 'leave out --format' });
    const format = parquet ? 'table' : rowFormat(flags['format'], run.json);
    const output = flags['output'] as string | undefined;
    return await atDesk(run, async (desk) => {
      const release = flags['release'] as string | undefined;
      const bigquery = bigQueryOf(desk.archive, flags, release);
      const catalog = bigquery ?? (await desk.catalog(release));
      if (!run.quiet)
        for (const note of catalog.notes) await write(run.terminal.err, `${run.err.dim('note:')} ${note}\n`);
      if (bigquery !== undefined && flags['dryRun'] === true) {
        await printPlan(
          run,
          bigquery,
          await bigquery.plan({ kind: 'sql', sql }, { signal: run.signal }),
          output,
        );
        return 0;
      }
      const timeout = flags['timeout'] as number | undefined;
      const limit = flags['limit'] as number | undefined;
      const options = {
        signal: run.signal,
        timeoutMs: timeout === undefined ? undefined : timeout * 1000,
        memoryLimit: flags['memory'] as string | undefined,
      };
      if (parquet) {
        const { rows } = await withBinaryDestination(run.terminal, output, (path) =>
          catalog.exportParquet({ sql }, path, { ...options, maxRows: limit }),
        );
        await tellWritten(run, rows, output);
        return 0;
      }
      const result = await catalog.query(sql, { ...options, maxRows: limit, explain });
      if (explain && flags['format'] === undefined && !run.json) {
        await withDestination(run.terminal, output, async (terminal) => {
          for await (const piece of result.rows)
            for (const [, plan] of piece) await write(terminal.out, `${String(plan).trimEnd()}\n`);
        });
        return 0;
      }
      const numeric = result.columns.flatMap(({ type }, index) =>
        /INT|DOUBLE|FLOAT|DECIMAL/.test(type) && !type.endsWith('[]') ? [index] : [],
      );
      const answer = { columns: result.columns.map(({ name }) => name), numeric, rows: result.rows };
      const rows = await withDestination(run.terminal, output, (terminal) =>
        writeRows(terminal, answer, format),
      );
      await tellWritten(run, rows, output);
      if (bigquery !== undefined) await tellUsage(run, bigquery);
      if (result.truncated() && !run.quiet)
        await write(run.terminal.err, `cut after ${formatCount(rows)} rows (--limit)\n`);
      return 0;
    });
  },
};
