/** The series that a command is about: named like for `get`, or selected by flags. */
import type { Catalog, SelectionOrUuids } from '../catalog/index.ts';
import { resolveCohort } from '../cohort/index.ts';
import { CarrelError } from '../errors.ts';
import type { AsKind } from '../identifiers/index.ts';
import type { Run } from './command.ts';
import type { Desk } from './desk.ts';
import { readStdin } from './read-stdin.ts';
import { isNarrowed, selectionOf } from './selection-flags.ts';
import { printable, write } from './terminal.ts';

/** The series, as the catalogue takes them, and the catalogue at the release asked for. */
export interface NamedOrSelected {
  catalog: Catalog;
  what: SelectionOrUuids;
}

/**
 * Resolves the arguments and flags of a command that only reads the catalogue.
 *
 * @throws `usage` where nothing was named, and what `resolveCohort` throws
 */
export async function namedOrSelected(
  run: Run,
  desk: Desk,
  what: readonly string[],
  flags: Record<string, unknown>,
): Promise<NamedOrSelected> {
  const selection = selectionOf(flags);
  const catalog = await desk.catalog(selection.release);
  if (what.length === 0) {
    if (!isNarrowed(selection))
      throw new CarrelError('usage', 'nothing was named', {
        next: 'name something (a UID, a collection, a lock file), or select with flags such as --collection',
      });
    return { catalog, what: selection };
  }
  const cohort = await resolveCohort(
    {
      what,
      selection,
      as: flags['as'] as AsKind | undefined,
      all: true,
      readStdin: () => readStdin(run.terminal),
    },
    await desk.tools(selection.release),
    { cwd: run.terminal.cwd },
  );
  for (const { item, error } of cohort.unresolved)
    await write(run.terminal.err, `${run.err.red('not found')} ${printable(`${item}: ${error.message}`)}\n`);
  return { catalog, what: cohort.series.map(({ crdc_series_uuid }) => crdc_series_uuid) };
}
