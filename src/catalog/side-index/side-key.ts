/** What a side index is of: another table, another form, another file. */
import { createHash } from 'node:crypto';
import type { ChosenTables } from '../choose-tables.ts';

/** Form of the file and of the rows in it; a new one makes old files unseen. */
const FORM = 2;

/** Tables whose bytes decide the rows. */
const TABLES = ['index', 'prior_versions_index'];

/** The key, and the name of the file. */
export function sideKey(
  chosen: ChosenTables,
  bucketColumns: readonly string[],
): { key: string; name: string } {
  const tables = chosen.content.tables
    .filter(({ name }) => TABLES.includes(name))
    .map(({ name, files, sizes, sorted }) => [name, files.map(({ sha256 }) => sha256), sizes, sorted]);
  const evidence = chosen.counterpart === undefined ? [] : [chosen.counterpart.version];
  const key = createHash('sha256')
    // What puts figures of the main table right is a part of them.
    .update(JSON.stringify([FORM, chosen.tablesRelease, bucketColumns, tables, ...evidence]))
    .digest('hex');
  return { key, name: `${SIDE_PREFIX}${key.slice(0, 16)}${SIDE_SUFFIX}` };
}

/** Beginning of the names of side indexes in the folder of a version. */
const SIDE_PREFIX = 'side-index-';
/** End of them. */
const SIDE_SUFFIX = '.carrel';

/** True for a file that is a side index, of whatever tables and form. */
export function isSideIndexName(name: string): boolean {
  return name.startsWith(SIDE_PREFIX) && name.endsWith(SIDE_SUFFIX);
}
