import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeParquet } from '../../src/catalog/index.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carrel-parquet-'));
});
afterEach(async () => await rm(folder, { recursive: true, force: true }));

const COLUMNS = [
  { name: 'path', type: 'VARCHAR' },
  { name: 'a "quoted" name', type: 'BIGINT' },
  { name: 'link', type: 'BOOLEAN' },
] as const;

async function read(path: string): Promise<unknown[][]> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(`SELECT * FROM '${path}'`)).getRows();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

describe('rows in memory as Parquet', () => {
  test('keep their types, their order and what is not known', async () => {
    const path = join(folder, 'x.parquet');
    const rows = [
      ['é 漢\n"quoted"', Number.MAX_SAFE_INTEGER, true],
      [null, undefined, false],
      ['', 0, null],
    ];
    expect(await writeParquet(COLUMNS, rows, path)).toBe(3);
    expect(await read(path)).toEqual([
      ['é 漢\n"quoted"', BigInt(Number.MAX_SAFE_INTEGER), true],
      [null, null, false],
      ['', 0n, null],
    ]);
    expect(await readdir(folder)).toEqual(['x.parquet']);
  });

  test('no rows are a file with columns', async () => {
    const path = join(folder, 'none.parquet');
    expect(await writeParquet(COLUMNS, [], path)).toBe(0);
    expect(await read(path)).toEqual([]);
  });

  test('a folder that is not there is named, and nothing is left behind', async () => {
    const path = join(folder, 'lost', 'x.parquet');
    await expect(writeParquet(COLUMNS, [], path)).rejects.toMatchObject({
      code: 'permission',
      message: expect.stringContaining(`cannot write ${path}`) as string,
    });
    expect(await readdir(folder)).toEqual([]);
  });

  test('an abort leaves nothing behind', async () => {
    const stop = new AbortController();
    const rows = (function* () {
      yield ['a', 1, true];
      stop.abort();
      yield ['b', 2, true];
    })();
    await expect(writeParquet(COLUMNS, rows, join(folder, 'x.parquet'), stop.signal)).rejects.toThrow();
    expect(await readdir(folder)).toEqual([]);
  });
});
