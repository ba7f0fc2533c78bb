/** Selections as SQL over the tiny tables, without a catalogue around them. */
import { join } from 'node:path';
import { createEngine } from '../../src/catalog/engine.ts';
import type { OpenTables } from '../../src/catalog/open-tables.ts';
import { createRelations, type Relations } from '../../src/catalog/relations.ts';
import type { Selection } from '../../src/catalog/rows.ts';
import { type CompiledSelection, compileSelection } from '../../src/catalog/selection.ts';
import { tinyArchive, writeTinyTables } from './tiny-tables.ts';

/** Opens the tiny tables of v5 in an engine of their own. */
export async function catalogOf(
  folder: string,
): Promise<{ compile: (selection: Selection) => Promise<CompiledSelection>; close: () => void }> {
  await writeTinyTables(folder);
  const names = ['index', 'prior_versions_index', 'collections_index', 'analysis_results_index'];
  const tables = names.map((name) => ({
    name,
    files: [join(folder, name === 'index' ? 'idc_index.parquet' : `${name}.parquet`)],
    sizes: 'exact' as const,
  }));
  let relations: Relations | undefined;
  const engine = await createEngine({
    files: tables.flatMap(({ files }) => files),
    setup: async (session) => {
      relations = await createRelations(session, {
        tables,
        release: 5,
        tablesRelease: 5,
        bucketColumns: ['aws_bucket', 'gcs_bucket'],
      });
    },
  });
  const open = {
    archive: tinyArchive(),
    content: { tables, schemas: {} },
    release: 5,
    tablesRelease: 5,
    derived: false,
    releaseAsked: false,
    sorted: true,
    engine,
    relations,
  } as unknown as OpenTables;
  return {
    compile: (selection) => engine.session((session) => compileSelection(session, open, selection)),
    close: () => engine.close(),
  };
}
