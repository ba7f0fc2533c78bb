/** Making the side index of a version that is installed. */
import type { Archive } from '../archives/index.ts';
import { chooseTables } from './choose-tables.ts';
import { prepareWords } from './completion/write-words.ts';
import { prepareSideIndex } from './side-index/prepare.ts';

/** Options of `prepareCatalog`. */
export interface PrepareOptions {
  archive: Archive;
  cacheDir: string;
  /** Default: the newest one. */
  version?: string | undefined;
  /** Makes it again where there is one, which repairs a damaged one. */
  again?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Makes what look-ups of single identifiers are answered from without the engine, where it is missing; installing does it
 * too, and the words for completion with it. The answer is the path of the index, undefined where such tables have none.
 * Throws `not-found`, `verification`, and what the disk throws.
 */
export async function prepareCatalog(options: PrepareOptions): Promise<string | undefined> {
  const [chosen] = await chooseTables(options);
  if (chosen === undefined) return undefined;
  await prepareWords({ ...options, chosen });
  return prepareSideIndex({ ...options, chosen });
}
