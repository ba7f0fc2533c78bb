/** Which tables are to be fetched, from the names that somebody gave. */
import type { CatalogTable as Table } from '../archives/index.ts';
import { CarrelError } from '../errors.ts';
import { CLINICAL } from './clinical.ts';
import { type ClinicalOptions, listClinical } from './update-clinical.ts';

/** A name that means a table of the record: exactly, or without `clinical.` before it. */
function inRecord(tables: Table[], name: string): Table | undefined {
  const short = name.startsWith(CLINICAL) ? name.slice(CLINICAL.length) : name;
  return tables.find((candidate) => candidate.name === name) ?? tables.find((other) => other.name === short);
}

/** Names of clinical tables that have folders of their own, without `clinical.`. */
export async function wantedClinical(
  options: ClinicalOptions & { tables?: string[] | undefined },
  version: string,
): Promise<string[]> {
  const { tables, clinical } = options.archive.catalog;
  const names: string[] = [];
  for (const name of options.tables ?? []) {
    if (name === 'clinical' && clinical !== undefined) names.push(...(await listClinical(options, version)));
    else if (name.startsWith(CLINICAL) && inRecord(tables, name) === undefined)
      names.push(name.slice(CLINICAL.length));
  }
  const wrong = names.find((name) => !/^[A-Za-z_][A-Za-z0-9_]{0,120}$/.test(name));
  if (wrong === undefined) return [...new Set(names)];
  throw new CarrelError('usage', `not the name of a table: ${JSON.stringify(wrong.slice(0, 80))}`, {
    item: wrong.slice(0, 80),
    next: 'carrel catalog tables lists all',
  });
}

/** Tables of the record to fetch: those named and the main one, or the core ones. Throws `not-found` with the nearest names. */
export function wantedTables(options: ClinicalOptions & { tables?: string[] | undefined }): Table[] {
  const { tables, clinical } = options.archive.catalog;
  if (options.tables === undefined) return tables.filter(({ core }) => core);
  const found = options.tables.flatMap((name) => {
    const table = inRecord(tables, name);
    if (table !== undefined) return [table];
    // What all clinical tables mean is said by their dictionary.
    if (clinical !== undefined && (name === 'clinical' || name.startsWith(CLINICAL)))
      return tables.filter((other) => other.name === 'clinical_index');
    const near = tables
      .map((candidate) => candidate.name)
      .filter((other) => other.includes(name) || name.includes(other));
    throw new CarrelError('not-found', `${options.archive.name} has no table ${name}`, {
      item: name,
      next:
        near.length > 0
          ? `did you mean ${near.join(', ')}?`
          : `tables: ${tables.map((table_) => table_.name).join(', ')}`,
    });
  });
  const main = tables.find(({ name }) => name === 'index');
  return main === undefined || found.includes(main) ? found : [main, ...found];
}
