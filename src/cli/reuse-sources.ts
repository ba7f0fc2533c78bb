/** Where on this machine bytes may be already, as flags and settings say it. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ReuseSources } from '../cohort/index.ts';
import { CarrelError } from '../errors.ts';
import type { Run } from './command.ts';
import { listOf, textOf } from './settings.ts';

/**
 * `never`: nowhere. `auto`: in destinations that were filled before. Anything else: in these folders, and there.
 *
 * @throws `not-found` for a folder that is none, `usage` for `never` among folders
 */
export async function reuseOf(run: Run, flags: Record<string, unknown>): Promise<ReuseSources | false> {
  const words = listOf(run.settings, 'reuse').filter((word) => word !== 'auto');
  const { origin } = run.settings.reuse;
  if (words.includes('never')) {
    if (words.length === 1) return false;
    throw new CarrelError('usage', 'reuse is never, auto, or folders, not both', {
      item: origin,
      next: 'name folders with --reuse, or switch it off with --no-reuse',
    });
  }
  const folders = words.map((word) => resolve(run.terminal.cwd, word));
  for (const [at, folder] of folders.entries()) {
    const there = await stat(folder).catch(() => undefined);
    if (there?.isDirectory() === true) continue;
    throw new CarrelError('not-found', `${words[at]} is no folder`, {
      item: words[at],
      next: `${origin} takes folders that hold files of the archive`,
    });
  }
  return {
    folders,
    stateDir: resolve(run.terminal.cwd, textOf(run.settings, 'state_dir')),
    hardLinks: flags['reuseLinks'] === true,
  };
}
