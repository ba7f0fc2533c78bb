import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, expectTypeOf, test, vi } from 'vitest';
import { settle } from '../../src/cli/settings.ts';
import { defaultCacheDir } from '../../src/cohort/index.ts';
import {
  type ArchiveEvent,
  isCarrelError,
  type OpenArchive,
  openArchive,
  parseArchive,
  type SeriesRowOf,
  type SqlAnswer,
} from '../../src/index.ts';
import { ensureSample, SAMPLE_VERSION, sampleFacts } from '../../src/sample/index.ts';

let folder: string;
let archivePath: string;
let archive: OpenArchive;
const facts = sampleFacts();

beforeAll(async () => {
  const sample = await ensureSample({ dir: join(tmpdir(), `carrel-test-sample-${SAMPLE_VERSION}`) });
  archivePath = sample.archivePath;
  folder = await mkdtemp(join(tmpdir(), 'carrel-archive-'));
  archive = await openArchive(archivePath, { cacheDir: join(folder, 'cache'), cwd: folder });
  await archive.catalog.update();
});
afterAll(async () => {
  await archive?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Another one over the same tables. */
const another = (options: Parameters<typeof openArchive>[1] = {}) =>
  openArchive(archivePath, { cacheDir: join(folder, 'cache'), cwd: folder, ...options });

/** The code of the error that something ends with. */
async function codeOf(work: PromiseLike<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (isCarrelError(error)) return error.code;
    throw error;
  }
  throw new Error('it did not fail');
}

/** Reads to the end. */
async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe('opening', () => {
  test('takes a name, a path, a record', async () => {
    const idc = await openArchive('idc', { cacheDir: join(folder, 'none') });
    expect(idc.record.name).toBe('idc');
    await idc.close();
    const record: unknown = JSON.parse(await readFile(archivePath, 'utf8'));
    const own = await openArchive(parseArchive(record, { origin: archivePath, base: archivePath }), {
      cacheDir: join(folder, 'cache'),
    });
    expect((await own.catalog.search().count()).series).toBe((await archive.catalog.search().count()).series);
    await own.close();
  });

  test('says what is wrong with what it was given', async () => {
    expect(await codeOf(openArchive('no-such-archive'))).toBe('not-found');
    expect(await codeOf(openArchive(archivePath, { mirrors: { nowhere: 'http://127.0.0.1:1' } }))).toBe(
      'usage',
    );
  });

  test('without tables, only what needs them fails, and it tells how to get them', async () => {
    const bare = await openArchive(archivePath, { cacheDir: join(folder, 'none') });
    expect(await codeOf(bare.catalog.search().count())).toBe('not-found');
    const uuid = facts.removed.versions[0]?.uuid ?? '';
    expect((await bare.resolve(uuid)).series).toHaveLength(1);
    // Tables that come later are seen.
    await bare.catalog.update();
    expect((await bare.catalog.search().count()).series).toBeGreaterThan(0);
    await bare.close();
  });

  test('is closed once and for all, and says so', async () => {
    const one = await another();
    await one.catalog.search().count();
    await one[Symbol.asyncDispose]();
    await one.close();
    expect(await codeOf(one.catalog.search().count())).toBe('usage');
    expect(await codeOf(one.get('sample_pet', { to: 'never' }))).toBe('usage');
    expect(() => one.list('s3://sample-open-data/')).toThrow('closed');
  });

  test('looks for catalogues where the command does', () => {
    const env = { CARREL_CACHE_DIR: '/somewhere' };
    for (const given of [env, {}]) {
      const { cache_dir } = settle({ flags: {}, env: given, cwd: folder, useFiles: false });
      expect(defaultCacheDir(given)).toBe(cache_dir.value);
    }
  });

  test('leaves nothing behind that keeps a process alive, and prints nothing', async () => {
    const dist = pathToFileURL(join(process.cwd(), 'src/index.ts')).href;
    const program = `
      import { openArchive } from ${JSON.stringify(dist)};
      const archive = await openArchive(${JSON.stringify(archivePath)}, { cacheDir: ${JSON.stringify(join(folder, 'cache'))} });
      for await (const _ of archive.catalog.search({ collection: ['sample_torso'] })) break;
      await archive.catalog.history('sample_torso');
      (await archive.catalog.diff('v2', 'v3')).close();
      await archive.get('sample_pet', { to: ${JSON.stringify(join(folder, 'silent'))} });
      await archive.close();`;
    const tsx = pathToFileURL(join(process.cwd(), 'node_modules/tsx/dist/loader.mjs')).href;
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ['--import', tsx, '--input-type=module', '-e', program],
      { timeout: 60_000 },
    );
    expect([stdout, stderr]).toEqual(['', '']);
  });
});

describe('search', () => {
  test('is iterated row by row, in pieces, or taken as a whole, with the same rows', async () => {
    const search = archive.catalog.search({ collection: ['sample_torso'] });
    const rows = await all(search);
    expect(rows.length).toBeGreaterThan(3);
    expect(rows.every((row) => row.collection_id === 'sample_torso')).toBe(true);
    expect(await search.toArray()).toEqual(rows);
    expect((await all(search.pieces())).flat()).toEqual(rows);
    expect((await search.count()).series).toBe(rows.length);
  });

  test('reads the columns that were asked for, and its type says which', async () => {
    const search = archive.catalog.search({ limit: 1 }, { columns: ['PatientAge', 'SeriesDate'] });
    const [row] = await search.toArray();
    expect(Object.keys(row?.columns ?? {}).sort()).toEqual(['PatientAge', 'SeriesDate']);
    expectTypeOf(search).toExtend<AsyncIterable<SeriesRowOf<'PatientAge' | 'SeriesDate'>>>();
    expect(await codeOf(archive.catalog.search({}, { columns: ['PatientAeg'] }).toArray())).toBe('usage');
  });

  test('counts by columns, licences, citations, Parquet', async () => {
    const search = archive.catalog.search({ collection: ['sample_torso', 'sample_pet'] });
    const groups = await search.groupBy(['collection_id', 'Modality'], { sums: ['instanceCount'] });
    expectTypeOf(groups[0]?.values).toEqualTypeOf<
      Record<'collection_id' | 'Modality', unknown> | undefined
    >();
    expect(groups.reduce((sum, { series }) => sum + series, 0)).toBe((await search.count()).series);
    expect((await search.licenses())[0]?.series).toBeGreaterThan(0);
    expect((await search.citations()).format('bibtex')).toContain('@');
    const { rows, path } = await search.writeParquet(join(folder, 'search.parquet'));
    expect([rows, path]).toEqual([(await search.count()).series, join(folder, 'search.parquet')]);
  });

  test('an unknown value is a note, or an error where that is wanted', async () => {
    const misspelt = { collection: ['sample_torsa', 'sample_pet'] };
    const notes = await archive.catalog.search(misspelt).notes();
    expect(notes.find(({ unknown }) => unknown)?.suggestions).toContain('sample_torso');
    expect((await archive.catalog.search(misspelt).toArray()).length).toBeGreaterThan(0);
    expect(await codeOf(archive.catalog.search(misspelt, { strict: true }).toArray())).toBe('not-found');
  });

  test('stops when it is told to, and the engine can be asked again', async () => {
    const one = await another();
    const stop = new AbortController();
    let seen = 0;
    const reading = (async () => {
      for await (const _ of one.catalog.search({}, { signal: stop.signal })) {
        seen += 1;
        stop.abort();
      }
    })();
    // The rest of the piece that was handed out already may still come; a new piece may not.
    const ended = await codeOf(reading).catch((error: unknown) => String(error));
    expect(['interrupted', 'Error: it did not fail']).toContain(ended);
    expect(seen).toBeGreaterThan(0);
    expect(await codeOf(one.catalog.search({}, { signal: stop.signal }).toArray())).toBe('interrupted');
    expect((await one.catalog.search().count()).series).toBeGreaterThan(0);
    await one.close();
  });

  test('an abort in the middle of millions of rows ends them at once', async () => {
    const one = await another();
    const stop = new AbortController();
    let seen = 0;
    const rows = one.catalog.sql('SELECT range AS n FROM range(1000000000)', { signal: stop.signal });
    const reading = (async () => {
      for await (const { n } of rows) {
        seen = Number(n);
        if (seen === 5000) stop.abort();
      }
    })();
    expect(await codeOf(reading)).toBe('interrupted');
    expect(seen).toBeLessThan(20_000);
    await one.close();
  });

  test('closing the archive, or its own signal, ends what is being read', async () => {
    for (const how of ['close', 'signal'] as const) {
      const stop = new AbortController();
      const one = await another({ signal: stop.signal });
      const engine = await one.catalog.open();
      const reading = (async () => {
        for await (const { n } of one.catalog.sql('SELECT range AS n FROM range(1000000000)')) {
          if (n !== 3000) continue;
          if (how === 'close') void one.close();
          else stop.abort();
        }
      })();
      expect(await codeOf(reading)).toBe(how === 'close' ? 'usage' : 'interrupted');
      await one.close();
      // The engine is gone with it.
      await expect(engine.query('SELECT 1')).rejects.toThrow('closed');
    }
  });

  test('leaving a loop gives the connection back', async () => {
    const closed = vi.fn();
    const one = await another();
    const engine = await one.catalog.open();
    const selectStream = engine.selectStream.bind(engine);
    vi.spyOn(engine, 'selectStream').mockImplementation(async (...asked) => {
      const answer = await selectStream(...asked);
      const rows = async function* () {
        try {
          yield* answer.rows;
        } finally {
          closed();
        }
      };
      return { ...answer, rows: rows() };
    });
    for await (const _ of one.catalog.search()) break;
    expect(closed).toHaveBeenCalledOnce();
    await one.close();
  });
});

describe('sql', () => {
  test('gives rows by name, the types of the columns, the first row', async () => {
    const answer = archive.catalog.sql(
      'SELECT Modality, count(*) AS n FROM index GROUP BY 1 ORDER BY n DESC',
    );
    expect(await answer.columns()).toEqual([
      { name: 'Modality', type: 'VARCHAR' },
      { name: 'n', type: 'BIGINT' },
    ]);
    const rows = await answer.toArray();
    expect(await answer.first()).toEqual(rows[0]);
    expect(rows.reduce((sum, { n }) => sum + Number(n), 0)).toBe(
      (await archive.catalog.search().count()).series,
    );
  });

  test('binds the values of a template and pastes none', async () => {
    const name = "TORSO'; DROP TABLE index; --";
    expect(await archive.catalog.sql`SELECT ${name} AS name, ${2} + 1 AS three`.toArray()).toEqual([
      { name, three: 3 },
    ]);
    const collection = 'sample_torso';
    const answer = archive.catalog.sql`
      SELECT count(*) AS n FROM index WHERE collection_id = ${collection} OR list_contains(${['sample_pet']}, collection_id)`;
    const { series } = await archive.catalog.search({ collection: ['sample_torso', 'sample_pet'] }).count();
    expect(await answer.first()).toEqual({ n: series });
    expect(await codeOf(archive.catalog.sql('SELECT $1').toArray())).toBe('sql');
    expect(await codeOf(archive.catalog.sql`DELETE FROM index WHERE PatientID = ${name}`.toArray())).toBe(
      'sql',
    );
  });

  test('whole numbers beyond 2^53 are text, all others numbers', async () => {
    expect(
      await archive.catalog
        .sql('SELECT 9007199254740991 AS safe, 9007199254740993 AS beyond, 1.5 AS half')
        .first(),
    ).toEqual({ safe: 9007199254740991, beyond: '9007199254740993', half: 1.5 });
  });

  test('two columns of one name are both there', async () => {
    expect(await archive.catalog.sql('SELECT 1 AS n, 2 AS n').first()).toEqual({ n: 1, n_2: 2 });
  });

  test('a schema types the rows, and names the row that does not fit', async () => {
    const schema = v.object({ Modality: v.string(), n: v.number() });
    const answer = archive.catalog.sql('SELECT Modality, count(*) AS n FROM index GROUP BY 1').as(schema);
    expectTypeOf(answer).toEqualTypeOf<SqlAnswer<{ Modality: string; n: number }>>();
    expect((await answer.first())?.n).toBeGreaterThan(0);
    const wrong = archive.catalog.sql('SELECT unnest([1, 2, NULL]) AS n').as(v.object({ n: v.number() }));
    await expect(wrong.toArray()).rejects.toThrow(/^row 3 of the answer does not fit the schema: n: /);
    expect(await codeOf(wrong.toArray())).toBe('bad-input');
  });
});

describe('names and releases', () => {
  test('show describes what a name stands for, and knows near ones', async () => {
    const [found] = await archive.catalog.show('sample_torso');
    expect(found).toMatchObject({ level: 'collection', value: 'sample_torso', current: true });
    await expect(archive.catalog.show('sample_torsa')).rejects.toMatchObject({
      code: 'not-found',
      next: expect.stringContaining('sample_torso') as unknown,
    });
  });

  test('history, diff and a snapshot tell the same of a corrected series', async () => {
    await archive.catalog.update({ version: '1.0.0' }).catch(() => undefined);
    const history = await archive.catalog.history(facts.corrected.seriesInstanceUid);
    expect(history.level).toBe('series');
    const diff = await archive.catalog.diff('v1', 'v2');
    const revised = await all(diff.rows({ changes: ['revised'] }));
    expect(revised.length).toBe(diff.changes.revised.series);
    const one = revised.find((row) => row.SeriesInstanceUID === facts.corrected.seriesInstanceUid);
    expect([one?.uuid_before, one?.uuid_after]).toEqual(facts.corrected.versions.map(({ uuid }) => uuid));
    diff.close();
    const before = await archive.catalog
      .snapshot('v1')
      .search({ series: [facts.corrected.seriesInstanceUid] })
      .toArray();
    expect(before.map((row) => row.crdc_series_uuid)).toEqual([one?.uuid_before]);
    expect(await codeOf(archive.catalog.diff('v1', 'no-such-side'))).toBe('not-found');
  });

  test('datasets, releases, tables and columns', async () => {
    expect((await archive.catalog.datasets(['torso'])).datasets[0]?.id).toBe('sample_torso');
    expect((await archive.catalog.releases())[0]?.newest).toBe(true);
    expect((await archive.catalog.tables()).some(({ name }) => name === 'index')).toBe(true);
    expect((await archive.catalog.columns()).some(({ name }) => name === 'Modality')).toBe(true);
    expect((await archive.catalog.installed()).length).toBeGreaterThan(0);
  });
});

describe('files', () => {
  test('get takes names, rows, a selection or a plan, tells what happens, and verifies', async () => {
    const events: ArchiveEvent['type'][] = [];
    const first = await archive.get('sample_pet', { to: 'pet', onEvent: ({ type }) => events.push(type) });
    expect(first.complete).toBe(true);
    expect(first.transfer.fetched).toBeGreaterThan(0);
    expect(events.slice(0, 1)).toEqual(['resolved']);
    expect(events).toEqual(expect.arrayContaining(['located', 'planned', 'plan', 'file']));

    const rows = await archive.catalog.search({ collection: ['sample_pet'] }).toArray();
    const again = await archive.get(rows, { to: 'pet' });
    expect([again.transfer.fetched, again.transfer.present]).toEqual([0, first.transfer.fetched]);

    const plan = await archive.plan({ collection: ['sample_pet'] }, { layout: 'flat/{file}' });
    expect(plan.bytes).toBe(first.plan.bytes);
    const flat = await archive.get(plan, { to: 'other' });
    expect(flat.transfer.files.every(({ path }) => path.startsWith('flat/'))).toBe(true);

    const report = await archive.verify('pet');
    expect([report.good, report.ok.length]).toEqual([true, first.transfer.fetched]);
  });

  test('repair brings back what is missing or wrong, and asks for nothing where all is right', async () => {
    const { lock } = await archive.get({ collection: ['sample_pet'], limit: 2 }, { to: 'broken' });
    const [one, other] = lock.series.flatMap(({ files }) => files);
    await rm(join(folder, 'broken', one?.path ?? ''));
    await writeFile(join(folder, 'broken', other?.path ?? ''), 'damaged');
    expect(await archive.verify('broken')).toMatchObject({
      good: false,
      missing: [one?.path],
      mismatched: [{ path: other?.path }],
    });
    expect(await archive.repair('broken')).toMatchObject({
      good: true,
      missing: [],
      mismatched: [],
      gone: [],
    });
    expect((await archive.repair('broken')).good).toBe(true);
  });

  test('names and a selection must both hold', async () => {
    const cohort = await archive.resolve('sample_torso', { selection: { modality: ['CT'], limit: 1 } });
    expect(cohort.series.map(({ row }) => row?.Modality)).toEqual(['CT']);
  });

  test('what could not be found makes a result incomplete', async () => {
    const { complete, plan } = await archive.get(['sample_pet', 'sample_nothing'], { to: 'pet' });
    expect([complete, plan.cohort.unresolved.map(({ item }) => item)]).toEqual([false, ['sample_nothing']]);
  });

  test('a lock file pins, is one side of a diff, and is fetched again', async () => {
    const { lock, lockPath } = await archive.lock({ collection: ['sample_pet'] }, { to: 'pet.lock.json' });
    expect(JSON.parse(await readFile(lockPath ?? '', 'utf8'))).toMatchObject({ release: lock.release });
    const diff = await archive.catalog.diff(lock, 'current');
    expect(diff.changes.unchanged.series).toBe(lock.series.length);
    diff.close();
    expect((await archive.get('pet.lock.json', { to: 'from-lock' })).complete).toBe(true);
  });

  test('objects are listed, located, and read with proof', async () => {
    const [page] = await all(archive.list(`s3://${facts.removed.bucket}/`));
    expect(page?.prefixes.length).toBeGreaterThan(0);
    const files = await all(archive.list(`s3://${facts.removed.bucket}/${page?.prefixes[0]}`));
    const object = files[0]?.objects[0];
    const url = `s3://${facts.removed.bucket}/${object?.key}`;
    const bytes = await archive.read(url);
    expect(bytes.length).toBe(object?.size);
    expect(Buffer.concat(await all(archive.stream(url))).equals(bytes)).toBe(true);
    expect((await archive.locate(url)).key).toBe(object?.key);
    expect(await codeOf(archive.read(url, { limit: 3 }))).toBe('unsafe');
    expect(await codeOf(all(archive.list(`s3://${facts.removed.bucket}/no/such/folder/`)))).toBe('not-found');
    for await (const _ of archive.stream(url)) break;
  });
});
