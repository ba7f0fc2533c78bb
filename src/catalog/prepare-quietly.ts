/** The side index after an installation: welcome, not needed. */
import type { Archive } from '../archives/index.ts';
import { isCarrelError } from '../errors.ts';
import type { CatalogEvent } from './catalogs.ts';
import { prepareCatalog } from './prepare-catalog.ts';

/**
 * Makes the side index, which look-ups are fast with and right without: that it cannot be made (no space, tables of
 * another kind) is no failure of the installation.
 */
export async function prepareQuietly(
  options: {
    archive: Archive;
    cacheDir: string;
    onEvent?: ((event: CatalogEvent) => void) | undefined;
    signal?: AbortSignal | undefined;
  },
  version: string,
): Promise<void> {
  const { archive, cacheDir, signal } = options;
  try {
    await prepareCatalog({ archive, cacheDir, version, signal });
  } catch (error) {
    if (isCarrelError(error, 'interrupted') || signal?.aborted === true) throw error;
    const message = `look-ups will be slower: the side index could not be made (${error instanceof Error ? error.message : String(error)})`;
    options.onEvent?.({ type: 'note', message });
  }
}
