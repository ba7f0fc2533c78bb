/** Names that a table of the user's own may have: SQL takes them without quotation marks, and nothing else is called so. */
import type { Archive } from '../../archives/index.ts';
import { CarrelError } from '../../errors.ts';
import { listCatalogs } from '../catalogs.ts';

/** Reserved words of the engine's SQL (`duckdb_keywords()`), and the schemas and databases that there are. */
const TAKEN = new Set(
  `all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create default
   deferrable desc describe distinct do else end except false fetch for foreign from group having in initially intersect into
   lambda lateral leading limit not null offset on only or order pivot pivot_longer pivot_wider placing primary qualify
   references returning select show some summarize symmetric table then to trailing true union unique unpivot using variadic
   when where window with carrel clinical information_schema main memory published system temp`.split(/\s+/),
);

/** Throws `usage` for a name that SQL would not take or that is taken. */
export async function checkOwnName(archive: Archive, cacheDir: string, name: string): Promise<void> {
  const wrong = (message: string, next = 'choose another name') =>
    new CarrelError('usage', message, { item: name, next });
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(name)) {
    throw wrong(
      `${JSON.stringify(name.slice(0, 80))} cannot be the name of a table`,
      'letters, digits and underscores, at most 63, not beginning with a digit: my_labels',
    );
  }
  const wanted = name.toLowerCase();
  if (TAKEN.has(wanted) || /^(duckdb|pg|sqlite)_/.test(wanted))
    throw wrong(`${name} is a word of SQL`, `choose another name, such as my_${wanted}`);
  const installed = await listCatalogs({ cacheDir, archive: archive.name });
  const theirs = [
    'index',
    ...archive.catalog.tables.map((table) => table.name),
    ...installed.flatMap(({ tables }) => tables.map((table) => table.name.replace(/^clinical\./, ''))),
  ];
  if (theirs.some((table) => table.toLowerCase() === wanted))
    throw wrong(`${archive.name} has a table ${name} itself`, `choose another name, such as my_${wanted}`);
  if (installed.some(({ version }) => version.toLowerCase() === wanted))
    throw wrong(`${name} is an installed version of the catalogue`);
}
