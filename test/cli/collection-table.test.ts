import { describe, expect, test } from 'vitest';
import { collectionTable } from '../../src/cli/output/collection-table.ts';

type Result = Parameters<typeof collectionTable>[0];

/** Files as `collection/series/name`; `-` stands for none. */
function plan(...paths: string[]): Result['plan'] {
  const files = paths.map((path) => {
    const [collection = '', uuid = ''] = path.split('/');
    const series =
      collection === '-' ? undefined : { crdc_series_uuid: uuid, row: { collection_id: collection } };
    return { path, series };
  });
  return { files } as unknown as Result['plan'];
}

function transfer(
  files: [path: string, how: string, bytes: number][],
  failed: string[] = [],
): Result['transfer'] {
  return {
    files: files.map(([path, how, bytes]) => ({ path, how, bytes })),
    failed: failed.map((path) => ({ path })),
  } as unknown as Result['transfer'];
}

describe('the table of collections at the end of a run', () => {
  test('counts series, files and bytes by collection, what failed included; objects without one come last', () => {
    const table = collectionTable({
      plan: plan('nlst/b/1', 'nlst/b/2', 'nlst/c/3', 'acrin/a/1', '-/x/1'),
      transfer: transfer(
        [
          ['nlst/b/1', 'fetched', 1_500_000],
          ['nlst/c/3', 'present', 500_000],
          ['acrin/a/1', 'reused', 10],
          ['-/x/1', 'fetched', 999],
        ],
        ['nlst/b/2'],
      ),
    });
    expect(`\n${table}`).toBe(`
collection     series  files  fetched  here  failed    bytes
─────────────  ──────  ─────  ───────  ────  ──────  ───────
acrin               1      1        0     1       0     10 B
nlst                2      3        1     1       1  2.00 MB
other objects       0      1        1     0       0    999 B`);
  });

  test('is left out where there is one collection only', () => {
    expect(collectionTable({ plan: plan('nlst/b/1', 'nlst/c/2'), transfer: transfer([]) })).toBeUndefined();
  });
});
