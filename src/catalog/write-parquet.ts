/** Rows that are in memory as a Parquet file: listings that no table holds. */
import { randomUUID } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { CarrelError } from '../errors.ts';
import { createEngine, literal, messageOf, quoted } from './engine.ts';

/** A column: `BIGINT` takes whole numbers; `undefined` and `null` are no value in any of them. */
export interface ParquetColumn {
  name: string;
  type: 'VARCHAR' | 'BIGINT' | 'BOOLEAN';
}

/**
 * Writes the file, which appears under its name when it is whole. The answer is the number of rows.
 *
 * @throws CarrelError `permission` where it cannot be written, `no-space`, `interrupted`
 */
export async function writeParquet(
  columns: readonly ParquetColumn[],
  rows: Iterable<readonly unknown[]>,
  path: string,
  signal?: AbortSignal,
): Promise<number> {
  const target = resolve(path);
  const part = join(dirname(target), `.${basename(target).slice(0, 100)}.${randomUUID()}.part`);
  const engine = await createEngine({ files: [part], signal });
  try {
    const count = await engine.session(async ({ connection }) => {
      const list = columns.map(({ name, type }) => `${quoted(name)} ${type}`).join(', ');
      await connection.run(`CREATE TABLE carrel_rows (${list})`);
      const appender = await connection.createAppender('carrel_rows');
      let appended = 0;
      for (const row of rows) {
        signal?.throwIfAborted();
        for (const [at, { type }] of columns.entries()) {
          const value = row[at];
          if (value === undefined || value === null) appender.appendNull();
          else if (type === 'BIGINT') appender.appendBigInt(BigInt(Number(value)));
          else if (type === 'BOOLEAN') appender.appendBoolean(value === true);
          else appender.appendVarchar(String(value));
        }
        appender.endRow();
        appended += 1;
      }
      appender.closeSync();
      await connection.run(
        `COPY carrel_rows TO ${literal(part)} (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)`,
      );
      return appended;
    }, signal);
    await rename(part, target);
    return count;
  } catch (error) {
    const message = messageOf(error);
    const code = (error as NodeJS.ErrnoException).code;
    if (!message.startsWith('IO Error') && typeof code !== 'string') throw error;
    if (error instanceof CarrelError) throw error;
    const full = /No space left|Disk quota/i.test(message);
    const reason = /"(?:[^"]*\.part)": (.*)$/m.exec(message)?.[1] ?? code ?? message;
    throw new CarrelError(full ? 'no-space' : 'permission', `cannot write ${target}: ${reason}`, {
      item: target,
      next: full
        ? 'make room, or name a file elsewhere'
        : 'name a file in a folder that exists and that you may write to',
      cause: error,
    });
  } finally {
    engine.close();
    await rm(part, { force: true });
  }
}
