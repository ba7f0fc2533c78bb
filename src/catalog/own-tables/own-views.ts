/** Tables of the user's own as views of the engine, and what to say where one of them cannot be read. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CarrelError, isCarrelError } from '../../errors.ts';
import { literal, messageOf, quoted, type Session } from '../engine.ts';
import { checkCsv, csvSource, readDialect } from './csv.ts';
import { filesOfOwn, type OwnTable } from './table-file.ts';

/**
 * Makes a view of every table that can be read. One that cannot (its file is gone, a line of its CSV is wrong) is left
 * out: it must not keep anybody from asking the other tables; `ownTableError` says why when it is asked for.
 */
export async function createOwnViews(
  session: Session,
  tables: readonly OwnTable[],
  taken: readonly string[],
): Promise<void> {
  const names = new Set(taken.map((name) => name.toLowerCase()));
  for (const table of tables) {
    if (table.problem !== undefined || names.has(table.name.toLowerCase())) continue;
    const source = await sourceOf(session, table).catch(() => undefined);
    if (source === undefined) continue;
    await session.connection
      .run(`CREATE VIEW main.${quoted(table.name)} AS ${source}`)
      .catch(() => undefined);
  }
}

async function sourceOf(session: Session, table: OwnTable): Promise<string> {
  const files = filesOfOwn(table);
  if (table.format === 'parquet') {
    const list = `[${files.map(literal).join(', ')}]`;
    return `SELECT * FROM read_parquet(${list}${table.union ? ', union_by_name=true' : ''})`;
  }
  const parts: string[] = [];
  for (const path of files) {
    const dialect = await readDialect(path, path);
    parts.push(`FROM ${csvSource(path, dialect, await checkCsv(session, path, path, dialect))}`);
  }
  return parts.join(' UNION ALL BY NAME ');
}

/** Why a table of the user's own cannot be asked; undefined where there is none of that name. */
export async function ownTableError(
  session: Session,
  tables: readonly OwnTable[],
  name: string,
): Promise<CarrelError | undefined> {
  const table = tables.find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (table === undefined) return undefined;
  const next = `add it again: carrel catalog add --as ${table.name} ${table.sources.join(' ')}, or carrel catalog remove ${table.name}`;
  const failed = (code: 'verification' | 'not-found' | 'bad-input', message: string, cause?: unknown) =>
    new CarrelError(code, `your table ${table.name} cannot be read: ${message}`, {
      item: table.name,
      next,
      cause,
    });
  const problem = await ownProblem(table);
  if (problem !== undefined)
    return failed(problem.endsWith('is missing') ? 'not-found' : 'verification', problem);
  try {
    await session.rows(`DESCRIBE ${await sourceOf(session, table)}`);
  } catch (error) {
    const message = messageOf(error).split('\n')[0] ?? '';
    return failed('bad-input', isCarrelError(error) ? error.message : message, error);
  }
  return undefined;
}

/** A copy whose bytes are no longer those that were copied, named; cheap: sizes only. */
export async function ownProblem(table: OwnTable): Promise<string | undefined> {
  if (table.problem !== undefined) return table.problem;
  for (const file of table.files) {
    const path = table.linked ? file.path : join(table.folder, file.path);
    const info = await stat(path).catch(() => undefined);
    if (info === undefined) return `${path} is missing`;
    if (!table.linked && info.size !== file.size)
      return `${path} has ${info.size} bytes, ${file.size} were installed`;
  }
  return undefined;
}
