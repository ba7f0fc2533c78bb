import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ArchiveGetResult, type OpenArchive, openArchive } from '../../src/cohort/index.ts';
import { shellWords } from '../../src/manifests/index.ts';
import { openSampleDesk, type SampleDesk } from './run-main.ts';

const page = readFileSync('docs/from-idc-index.md', 'utf8');
/** Cells of the page's tables. */
const cells = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| idc') && !line.startsWith('| `idc` |'))
  .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')));
const code = (cell: string | undefined) => /^`(.+)`$/.exec(cell ?? '')?.[1] ?? '';
const commands = cells.map(([, command]) => code(command));
const calls = cells.filter((row) => row.length === 3).map(([, , call]) => code(call));

/** Public methods of `IDCClient` in idc-index 0.13.4. */
const METHODS =
  `client refresh_indices_overview get_index_schema get_idc_version fetch_index get_clinical_table
  get_collections get_series_size get_patients get_dicom_studies get_dicom_series get_series_file_URLs
  get_instance_file_URL get_viewer_URL download_from_manifest citations_from_manifest citations_from_selection
  download_from_selection download_dicom_instance download_dicom_series download_dicom_studies download_dicom_patients
  download_collection download_analysis_result sql_query`.split(/\s+/);
/** Its commands. */
const IDC_COMMANDS = ['download', 'download-from-selection', 'download-from-manifest'];

let desk: SampleDesk;
let archive: OpenArchive;
beforeAll(async () => {
  desk = await openSampleDesk();
  const update =
    'catalog update -q --table sm_instance_index --table clinical_index --table sample_torso_clinical';
  expect(await desk.run(update.split(' '))).toMatchObject({ code: 0 });
  archive = await openArchive(desk.archivePath, { cacheDir: join(desk.folder, 'cache'), cwd: desk.folder });
});
afterAll(async () => {
  await archive?.close();
  await desk.remove();
});

describe('the page for users of idc-index', () => {
  test.each(METHODS)('has a row for %s()', (method) => {
    expect(cells.some(([theirs]) => theirs?.includes(`${method}(`))).toBe(true);
  });

  test.each(IDC_COMMANDS)('has a row for idc %s', (command) => {
    expect(cells.some(([theirs]) => theirs?.startsWith(`\`idc ${command} `))).toBe(true);
  });

  test('has a command and a call in every row', () => {
    expect([METHODS.length, commands.length, calls.length]).toEqual([25, 37, 34]);
    expect([...commands, ...calls].filter((one) => one === '')).toEqual([]);
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
    expect(call).toMatch(/archive\./);
    // oxlint-disable-next-line typescript/no-implied-eval -- the page's own lines are what is to be run
    const run = new Function('archive', `return (async () => (${call}))()`) as (
      archive: OpenArchive,
    ) => Promise<unknown>;
    const answer = await run(archive);
    expect(answer).toBeTruthy();
    if (typeof answer === 'object' && answer !== null && 'complete' in answer) {
      const { complete, transfer } = answer as ArchiveGetResult;
      expect([complete, transfer.failed]).toEqual([true, []]);
    }
  });
});
