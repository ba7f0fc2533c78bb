/** What is in the files of a table: columns, rows, whether they agree; CSV is made Parquet on the way. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CarrelError } from '../../errors.ts';
import { createEngine, literal, messageOf, type Session } from '../engine.ts';
import { checkCsv, csvError, csvSource, type Dialect, readDialect } from './csv.ts';
import type { OwnTableFile } from './table-file.ts';

/** A file to look at. `done`: a copy that is Parquet already. */
export interface InspectedInput {
  path: string;
  shown: string;
  done?: boolean | undefined;
}

/**
 * Reads the files. With `into`, CSV becomes `<into>/00000.parquet` … there. Throws `bad-input` for what is no whole Parquet
 * file, and for a line of a CSV that is not like the first.
 */
export async function describeFiles(options: {
  format: 'parquet' | 'csv';
  inputs: InspectedInput[];
  into?: string | undefined;
  signal?: AbortSignal | undefined;
}): Promise<Pick<OwnTableFile, 'union' | 'rows' | 'columns'>> {
  const { format, inputs, into, signal } = options;
  const outputs = inputs.map((input, at) =>
    into === undefined || input.done === true
      ? input.path
      : join(into, `${String(at).padStart(5, '0')}.parquet`),
  );
  const engine = await createEngine({
    files: [...new Set([...inputs.map(({ path }) => path), ...outputs])],
    signal,
  });
  try {
    return await engine.session(async (session) => {
      const readers: string[] = [];
      for (const [at, input] of inputs.entries()) {
        const output = outputs[at] ?? input.path;
        if (format === 'csv' && input.done !== true) {
          const dialect = await readDialect(input.path, input.shown);
          const source = csvSource(
            input.path,
            dialect,
            await checkCsv(session, input.path, input.shown, dialect),
          );
          if (into !== undefined) await toParquet(session, source, input, output, dialect);
          else readers.push(source);
        }
        if (into !== undefined || format === 'parquet') readers.push(`read_parquet(${literal(output)})`);
      }
      return summarise(session, readers, inputs);
    }, signal);
  } finally {
    engine.close();
  }
}

async function toParquet(
  session: Session,
  source: string,
  input: InspectedInput,
  output: string,
  dialect: Dialect,
): Promise<void> {
  try {
    await session.connection.run(
      `COPY (FROM ${source}) TO ${literal(output)} (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)`,
    );
  } catch (error) {
    await rm(output, { force: true });
    throw csvError(error, input.shown, dialect);
  }
}

async function summarise(
  session: Session,
  readers: string[],
  inputs: InspectedInput[],
): Promise<Pick<OwnTableFile, 'union' | 'rows' | 'columns'>> {
  const shapes = new Set<string>();
  let first: { name: string; type: string }[] = [];
  for (const [at, reader] of readers.entries()) {
    const columns = await describe(session, reader, inputs[at]?.shown ?? '');
    if (at === 0) first = columns;
    shapes.add(JSON.stringify(columns));
  }
  const union = shapes.size > 1;
  const all = `(FROM ${readers.join(' UNION ALL BY NAME FROM ')})`;
  const columns = union ? await describe(session, all, inputs[0]?.shown ?? '') : first;
  let rows = 0;
  for (const reader of readers) {
    const [count] = await session.rows(`SELECT count(*) AS n FROM ${reader}`);
    rows += Number(count?.['n'] ?? 0);
  }
  return { union, rows, columns };
}

async function describe(session: Session, source: string, shown: string) {
  try {
    const rows = await session.rows(`DESCRIBE FROM ${source}`);
    return rows.map((row) => ({ name: String(row['column_name']), type: String(row['column_type']) }));
  } catch (cause) {
    throw new CarrelError(
      'bad-input',
      `${shown} is no whole Parquet file: ${messageOf(cause).split('\n')[0]}`,
      {
        item: shown,
        next: 'compare it with its origin: it was cut short, or is of another kind',
        cause,
      },
    );
  }
}
