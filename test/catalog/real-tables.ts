/** The published tables of the public archive, for tests that hold the catalogue against them. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Version that the facts in these tests are of. */
export const VERSION = '25.0.5';

/**
 * Path of the wheel `idc-index-data`: `CARREL_TEST_WHEEL`, else a cached download, else `pip download`. Undefined with a
 * reason where none can be had.
 */
export async function realWheel(): Promise<{ path?: string; reason: string }> {
  const named = process.env['CARREL_TEST_WHEEL'];
  if (named !== undefined && named !== '') {
    return existsSync(named)
      ? { path: named, reason: '' }
      : { reason: `CARREL_TEST_WHEEL names no file: ${named}` };
  }
  const folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'carrel-tests');
  const path = join(folder, `idc_index_data-${VERSION}-py3-none-any.whl`);
  if (existsSync(path)) return { path, reason: '' };
  try {
    await mkdir(folder, { recursive: true });
    await promisify(execFile)(
      'pip',
      ['download', '--no-deps', '--quiet', '--dest', folder, `idc-index-data==${VERSION}`],
      { timeout: 170_000 },
    );
    return existsSync(path) ? { path, reason: '' } : { reason: 'pip downloaded another file' };
  } catch (error) {
    return { reason: `pip download failed: ${(error as Error).message.split('\n')[0]}` };
  }
}
