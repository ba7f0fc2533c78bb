/** `--engine bigquery` and what belongs to it: on `search` and `sql`. */
import { type Command, Option } from 'commander';
import type { Archive } from '../../archives/index.ts';
import { type BigQueryCatalog, openBigQueryCatalog, type StatementPlan } from '../../catalog/index.ts';
import { CarrelError } from '../../errors.ts';
import type { Run } from '../command.ts';
import { byteAmount } from '../numbers.ts';
import { withDestination } from '../output/destination.ts';
import { toJson } from '../output/json.ts';
import { formatBytes, formatCount } from '../output/text.ts';
import { write } from '../terminal.ts';

/** Adds the flags. */
export function addEngineFlags(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--engine <engine>',
        "duckdb (installed tables, default) or bigquery (the archive's data set)",
      ).choices(['duckdb', 'bigquery']),
    )
    .addOption(
      new Option('--project <id>', 'Google Cloud project that runs and pays for the query (bigquery)'),
    )
    .addOption(
      new Option('--max-bytes <size>', 'refuse what would be billed for more, such as 50GB (bigquery)'),
    )
    .addOption(new Option('--dry-run', 'print the statement and what it would read, run nothing (bigquery)'));
}

/** The catalogue over BigQuery where the flags ask for it. Throws `usage` for its flags without it. */
export function bigQueryOf(
  archive: Archive,
  flags: Record<string, unknown>,
  release: string | undefined,
): BigQueryCatalog | undefined {
  if (flags['engine'] !== 'bigquery') {
    const own = [
      ['project', '--project'],
      ['maxBytes', '--max-bytes'],
      ['dryRun', '--dry-run'],
    ] as const;
    const lost = own.find(([name]) => flags[name] !== undefined)?.[1];
    if (lost === undefined) return undefined;
    throw new CarrelError('usage', `${lost} is for BigQuery`, {
      item: lost,
      next: 'add --engine bigquery, or leave it out',
    });
  }
  if (flags['format'] === 'parquet') {
    throw new CarrelError('usage', 'Parquet is written from installed tables only', {
      next: 'take --format csv or jsonl, or leave out --engine bigquery',
    });
  }
  const maxBytes = flags['maxBytes'] as string | undefined;
  return openBigQueryCatalog({
    archive,
    release,
    project: flags['project'] as string | undefined,
    maxBytes: maxBytes === undefined ? undefined : byteAmount(maxBytes),
  });
}

/** Says on stderr how much BigQuery has read for whom. Nothing with `--quiet`. */
export async function tellUsage(run: Run, catalog: BigQueryCatalog): Promise<void> {
  if (run.quiet) return;
  const { bytes, project } = await catalog.usage();
  await write(
    run.terminal.err,
    `${run.err.dim('note:')} BigQuery processed ${formatBytes(bytes)} in the project ${project}${bytes === 0 ? ' (answered from its cache)' : ''}\n`,
  );
}

/** Prints statements on stdout, and what they would read on stderr; all of it on stdout as JSON. */
export async function printPlan(
  run: Run,
  catalog: BigQueryCatalog,
  plans: readonly StatementPlan[],
  output: string | undefined,
): Promise<void> {
  await withDestination(run.terminal, output, async (terminal) => {
    if (run.json) {
      const statements = plans.map(({ purpose, sql, bytes, unknown }) => ({
        purpose,
        sql,
        bytes,
        ...(unknown === undefined ? {} : { unknown: unknown.message, next: unknown.next }),
      }));
      const head = { archive: catalog.archive.name, release: catalog.releaseName, engine: 'bigquery' };
      await write(terminal.out, `${toJson({ ...head, statements })}\n`);
      return;
    }
    for (const [at, { purpose, sql }] of plans.entries())
      await write(terminal.out, `-- ${at + 1}: ${purpose}\n${sql.trimEnd().replace(/;$/, '')};\n`);
  });
  if (run.json || run.quiet) return;
  const unknown = plans.find((plan) => plan.unknown !== undefined)?.unknown;
  if (unknown !== undefined) {
    const next = unknown.next === undefined ? '' : ` (${unknown.next})`;
    await write(
      run.terminal.err,
      `nothing was run; how much would be read is not known: ${unknown.message}${next}\n`,
    );
    return;
  }
  const total = plans.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
  await write(
    run.terminal.err,
    `nothing was run; BigQuery would process ${formatBytes(total)} (${formatCount(total)} bytes)\n`,
  );
}
