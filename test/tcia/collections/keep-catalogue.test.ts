import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  ageText,
  cataloguePath,
  type OpenCatalogueOptions,
  openCatalogue,
} from '../../../src/tcia/collections/keep-catalogue.ts';
import { type CollectionRig, startCollections } from '../server/collection-rig.ts';
import { PASSCODE } from '../server/fixtures-collections.ts';

const HOUR = 60 * 60 * 1000;
let rig: CollectionRig;
let cacheDir: string;
beforeEach(async () => {
  rig = await startCollections();
  cacheDir = await mkdtemp(join(tmpdir(), 'carrel-tcia-'));
});
afterEach(async () => {
  await rig.close();
  await rm(cacheDir, { recursive: true, force: true });
});

const open = async (more: Partial<OpenCatalogueOptions> = {}) =>
  await openCatalogue({ ...rig.ask, cacheDir, servers: rig.servers, ...more });
const later = (hours: number) => () => new Date(Date.now() + hours * HOUR);
const asked = () => rig.wordpress.requests.splice(0).length;
const path = () => cataloguePath(cacheDir, rig.servers.wordpress);

describe('the catalogue of TCIA on disk', () => {
  test('is fetched where there is none, and answers without a request for a day', async () => {
    const first = await open();
    expect(first).toMatchObject({ fresh: true, ageMs: 0, notes: [], path: path() });
    expect(asked()).toBeGreaterThan(0);
    const second = await open({ now: later(23) });
    expect(second).toMatchObject({ fresh: false, notes: [] });
    expect(second.catalogue).toEqual(first.catalogue);
    expect(asked()).toBe(0);
  });

  test('is fetched again after a day, or when told to', async () => {
    await open();
    rig.wordpress.world.collections.pop();
    rig.wordpress.world.collections.pop();
    expect((await open({ now: later(25) })).fresh).toBe(true);
    expect((await open()).catalogue.collections.map(({ name }) => name)).not.toContain('Sample-Torso');
    asked();
    expect((await open({ refresh: 'always' })).fresh).toBe(true);
    expect(asked()).toBeGreaterThan(0);
  });

  test('is for its owner only: it holds passcodes', async () => {
    await open();
    const text = await readFile(path(), 'utf8');
    expect(Buffer.from(/context=([\w=]+)/.exec(text)?.[1] ?? '', 'base64').toString()).toContain(PASSCODE);
    if (process.platform !== 'win32') expect((await stat(path())).mode & 0o077).toBe(0);
  });

  test('stays as it was where a refresh fails half way, and says how old it is', async () => {
    const { catalogue } = await open();
    rig.wordpress.faults.push({ path: /\/versions\//, kind: 'maintenance' });
    const old = await open({ now: later(50) });
    expect(old.fresh).toBe(false);
    expect(old.catalogue).toEqual(catalogue);
    expect(old.notes.join()).toMatch(/^2 days old, for it could not be refreshed: .*JSON/);
    await expect(open({ refresh: 'always' })).rejects.toMatchObject({ code: 'network' });
    expect((await open()).catalogue).toEqual(catalogue);
    expect(await readdir(dirname(path()))).toEqual(['collections.json']);
  });

  test('without a connection is tried once a day by itself, not with every command', async () => {
    await open();
    rig.wordpress.faults.push({ path: /./, kind: 'drop' });
    const tried = await open({ now: later(50) });
    expect(tried.notes.join()).toContain('could not be refreshed');
    expect((await open({ now: later(51) })).notes.join()).toContain('tries again');
    expect((await open({ now: later(75) })).notes.join()).toContain('could not be refreshed');
  });

  test('a refresh that is interrupted leaves the old one', async () => {
    const { catalogue } = await open();
    const stop = new AbortController();
    const work = open({ refresh: 'always', signal: stop.signal, onList: () => stop.abort() });
    await expect(work).rejects.toMatchObject({ code: 'interrupted' });
    expect((await open({ refresh: 'never' })).catalogue).toEqual(catalogue);
  });

  test('may be left as it is: never fetched, not even where there is none', async () => {
    await expect(open({ refresh: 'never' })).rejects.toMatchObject({
      code: 'not-found',
      next: expect.stringContaining('--refresh') as string,
    });
    expect(asked()).toBe(0);
  });

  test.each([
    ['cut short', async () => await writeFile(path(), (await readFile(path(), 'utf8')).slice(0, 500))],
    [
      'of another version',
      async () =>
        await writeFile(path(), (await readFile(path(), 'utf8')).replace('collections-1', 'collections-0')),
    ],
    [
      'of another shape',
      async () =>
        await writeFile(path(), (await readFile(path(), 'utf8')).replace('"kind":"faspex"', '"kind":"fax"')),
    ],
  ])('that was %s is fetched anew, with a note', async (_, damage) => {
    const { catalogue } = await open();
    await damage();
    const again = await open();
    expect(again.fresh).toBe(true);
    expect(again.notes.join()).toContain('could not be used');
    expect(again.catalogue.collections).toEqual(catalogue.collections);
  });

  test('written with a clock that runs ahead does not hold for ever', async () => {
    await open({ now: later(1000) });
    expect((await open()).fresh).toBe(true);
  });

  test('of one server does not answer for another', async () => {
    await open();
    const other = await startCollections();
    try {
      expect((await open({ servers: other.servers })).fresh).toBe(true);
    } finally {
      await other.close();
    }
    expect((await open()).fresh).toBe(false);
  });

  test('parts that a killed run left are removed, others stay', async () => {
    await open();
    const [old, young] = ['.collections.json.1-a.part', '.collections.json.2-b.part'].map((name) =>
      join(dirname(path()), name),
    );
    for (const part of [old, young]) await writeFile(part ?? '', 'x');
    const before = new Date(Date.now() - 2 * HOUR);
    await utimes(old ?? '', before, before);
    await open({ refresh: 'always' });
    expect((await readdir(dirname(path()))).sort()).toEqual([
      '.collections.json.2-b.part',
      'collections.json',
    ]);
  });

  test.each([
    [30_000, 'less than a minute'],
    [60_000, '1 minute'],
    [3 * HOUR, '3 hours'],
    [72 * HOUR, '3 days'],
  ])('%i ms are %s', (ms, text) => expect(ageText(ms)).toBe(text));
});
