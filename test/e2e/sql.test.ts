/** `carrel sql` answers everything that can be asked of the tables, and changes nothing. */
import { existsSync } from 'node:fs';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { errorOf, openReadingRoom, type ReadingRoom } from './carrel.ts';

let room: ReadingRoom;
beforeAll(async () => {
  room = await openReadingRoom();
});
afterAll(async () => await room?.close());

/** Names, sizes and times of everything in the cache. */
async function cacheState(): Promise<string[]> {
  const cache = join(room.folder, 'cache');
  const entries = await readdir(cache, { recursive: true });
  const lines = entries.map(async (name) => {
    const { size, mtimeMs } = await stat(join(cache, name));
    return `${name} ${size} ${mtimeMs}`;
  });
  return (await Promise.all(lines)).sort();
}

describe('a SELECT', () => {
  test('joins tables, in JSON', async () => {
    const result = await room.run([
      'sql',
      'SELECT i.collection_id, count(*) AS series, any_value(c.collection_name) AS name FROM index i JOIN collections_index c USING (collection_id) GROUP BY 1 ORDER BY 1',
      '--json',
    ]);
    expect(result, result.stderr).toMatchObject({ code: 0 });
    const rows = JSON.parse(result.stdout) as { collection_id: string; series: number }[];
    const known = new Map<string, number>();
    for (const { collectionId, versions } of room.facts.series) {
      if (versions.some(({ to }) => to === 3)) known.set(collectionId, (known.get(collectionId) ?? 0) + 1);
    }
    expect(new Map(rows.map((row) => [row.collection_id, row.series]))).toEqual(known);
    expect(Object.keys(rows[0] ?? {})).toEqual(['collection_id', 'series', 'name']);
  });

  test('comes from a file or from stdin, as CSV', async () => {
    const sql = 'SELECT DISTINCT Modality FROM index ORDER BY 1';
    const file = join(room.folder, 'query.sql');
    await writeFile(file, `-- every kind of image\n${sql};\n`);
    const wanted = [...new Set(room.facts.series.map(({ modality }) => modality))].sort();
    for (const result of [
      await room.run(['sql', '-f', file, '--format', 'csv']),
      await room.run(['sql', '-', '--format', 'csv'], { stdin: sql }),
    ]) {
      expect(result, result.stderr).toMatchObject({ code: 0 });
      expect(result.stdout.trim().split('\n')).toEqual(['Modality', ...wanted]);
    }
  });

  test('keeps control bytes of published values out of a table', async () => {
    const sql = `SELECT SeriesDescription FROM index WHERE SeriesInstanceUID = '${room.facts.controlBytes.seriesInstanceUid}'`;
    const { stdout } = await room.run(['sql', sql]);
    expect(stdout).not.toMatch(/[\u0000-\u0008\u000b-\u001f]/);
    expect(stdout).toContain('\\x00');
  });
});

describe('anything else', () => {
  test.each([
    'DROP TABLE index',
    'DELETE FROM index',
    'CREATE TABLE mine AS SELECT 1',
    'INSERT INTO index SELECT * FROM index',
    "ATTACH 'other.duckdb'",
    "COPY index TO 'stolen.csv'",
    "COPY (SELECT 1) TO 'stolen.csv'",
    "EXPORT DATABASE 'stolen'",
    "SELECT * FROM read_text('/etc/hostname')",
    "SELECT * FROM read_csv('/etc/hostname')",
    "SELECT * FROM '/etc/hostname'",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM read_parquet('http://127.0.0.1:1/x.parquet')",
    'PRAGMA database_list',
    'SET threads = 1',
    'INSTALL httpfs',
    'LOAD httpfs',
    'SELECT 1; SELECT 2',
    'SELECT 1; DROP TABLE index',
    'SELECT',
    '',
  ])('is refused: %s', async (sql) => {
    const desk = await room.newFolder();
    const before = await cacheState();
    const result = await room.run(['sql', sql, '--json'], { cwd: desk });
    expect(result.code).toBe(2);
    expect(result.stdout).toBe('');
    expect(errorOf(result)).toMatchObject({ type: 'error', exit: 2 });
    expect(String(errorOf(result)['next'])).not.toBe('');
    expect(await readdir(desk)).toEqual([]);
    expect(await cacheState()).toEqual(before);
  });

  test('a column or table that is misspelt is answered with what there is', async () => {
    const column = await room.run(['sql', 'SELECT Modalty FROM index']);
    expect(column.code).toBe(2);
    expect(column.stderr).toContain('Modality');
    const table = await room.run(['sql', 'SELECT * FROM indexx']);
    expect(table.code).toBe(2);
    expect(table.stderr).toContain('carrel catalog tables');
  });

  test('a condition of --where cannot break out of its place', async () => {
    const result = await room.run(['search', '--where', '1=1); DROP TABLE index; --', '--count']);
    expect(result.code).toBe(2);
    expect(await room.run(['search', '--count'])).toMatchObject({ code: 0 });
    expect(existsSync(join(room.folder, 'stolen.csv'))).toBe(false);
  });
});
