import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseArchive } from '../../src/archives/index.ts';
import { type Catalog, openCatalog } from '../../src/catalog/index.ts';
import { getPlanned, planCohort, type Question, resolveCohort } from '../../src/cohort/index.ts';
import { shellWords } from '../../src/manifests/index.ts';
import { createOpenStore, type StoreOpener } from '../../src/stores/index.ts';
import { openSampleDesk, type SampleDesk } from './run-main.ts';

const page = readFileSync('docs/from-idc-index.md', 'utf8');
/** Cells of the page's tables. */
const cells = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| idc') && !line.startsWith('| `idc` |'))
  .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')));
const code = (cell: string | undefined) => /^`(.+)`$/.exec(cell ?? '')?.[1] ?? '';
const commands = [
  ...cells.map(([, command]) => code(command)),
  ...(/```bash\n([\s\S]*?)```/.exec(page)?.[1]?.trim().split('\n') ?? []),
];
const calls = cells.filter((row) => row.length === 3).map(([, , call]) => code(call));

let desk: SampleDesk;
let stores: StoreOpener;
let catalog: Catalog;
let get: (asked: Partial<Question>) => Promise<unknown>;
beforeAll(async () => {
  desk = await openSampleDesk();
  const update =
    'catalog update -q --table sm_instance_index --table clinical_index --table sample_torso_clinical';
  expect(await desk.run(update.split(' '))).toMatchObject({ code: 0 });
  const record: unknown = JSON.parse(readFileSync(desk.archivePath, 'utf8'));
  const archive = parseArchive(record, { origin: desk.archivePath, base: desk.archivePath });
  const cacheDir = join(desk.folder, 'cache');
  stores = createOpenStore();
  catalog = await openCatalog({ archive, cacheDir });
  const tools = { archive, catalog, openStore: stores.openStore, http: stores.pool, from: 'disk' };
  get = async (asked) => {
    const question = { what: [], selection: {}, ...asked };
    const cohort = await resolveCohort(question, tools, { cwd: desk.folder });
    const options = { directory: join(desk.folder, 'library') };
    const { transfer } = await getPlanned(await planCohort(cohort, tools, options), tools, options);
    expect(transfer.failed).toEqual([]);
    expect(transfer.fetched + transfer.present).toBeGreaterThan(0);
    return transfer;
  };
});
afterAll(async () => {
  catalog?.close();
  await stores?.close();
  await desk.remove();
});

describe('the page for users of idc-index', () => {
  test('names the methods and commands of idc-index', () => {
    for (const name of [
      'download_from_selection',
      'download_from_manifest',
      'sql_query',
      'get_viewer_URL',
      'fetch_index',
      'idc download ',
    ])
      expect(page).toContain(name);
    expect([commands.length, calls.length]).toEqual([40, 33]);
  });

  test.each(commands)('%s', async (command) => {
    const parsed = shellWords(command);
    const [program, ...args] = 'words' in parsed ? parsed.words : [];
    expect(program).toBe('carrel');
    const { code: exit, stdout, stderr } = await desk.run(args);
    expect({ exit, stderr: exit === 0 ? '' : stderr }).toEqual({ exit: 0, stderr: '' });
    expect(stdout + stderr).not.toBe('');
  });

  test.each(calls)('%s', async (call) => {
    expect(call).toMatch(/catalog\.|get\(/);
    // oxlint-disable-next-line typescript/no-implied-eval -- the page's own lines are what is to be run
    const run = new Function('catalog', 'get', `return (async () => (${call}))()`) as (
      ...parts: unknown[]
    ) => Promise<unknown>;
    const answer = await run(catalog, get);
    expect(answer).toBeTruthy();
    if (typeof answer === 'object' && answer !== null && 'cancel' in answer)
      (answer as { cancel(): void }).cancel();
  });
});
