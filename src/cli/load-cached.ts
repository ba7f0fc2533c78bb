/** Loads a file that the build puts beside this one, with the bytecode that the last run left in the user's state folder. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultStateDir } from '../cohort/index.ts';
import { VERSION } from '../version.ts';
import { requireCached } from './code-cache.ts';

/** What the file exports. `NODE_DISABLE_COMPILE_CACHE`, Node's own variable, switches the bytecode off. */
export function loadCached(name: string, use: string): unknown {
  const { env } = process;
  return requireCached(fileURLToPath(new URL(name, import.meta.url)), {
    folder: env['NODE_DISABLE_COMPILE_CACHE'] ? undefined : join(defaultStateDir(env), 'bytecode'),
    use,
    version: VERSION,
  });
}
