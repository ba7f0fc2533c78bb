/** Names that only the catalogue knows: UIDs, DOIs, collections, PatientIDs. */
import { CarrelError } from '../errors.ts';
import type { Identifier } from '../identifiers/index.ts';
import type { Wanted } from './gather.ts';
import type { KnownNames } from './known-names.ts';
import type { Cohort, CohortSeries, Question, Tools } from './question.ts';
import { requireCatalog } from './require-catalog.ts';

/**
 * The series that a name stands for.
 *
 * @throws `not-found` with the nearest real names; `ambiguous` listing the choices where the name stands for several
 *   things and neither `--as`, `--collection` nor `--all` chooses
 */
export async function lookUpName(
  wanted: Wanted,
  question: Question,
  cohort: Cohort,
  tools: Tools,
): Promise<CohortSeries[]> {
  const catalog = requireCatalog(tools);
  const name = nameOf(wanted.identifier);
  const found = await catalog.lookUp(name, { signal: tools.signal });
  const matches = narrow(found, wanted, question);
  if (matches.length === 0) {
    const suggestions = await catalog.suggest('any', name, { signal: tools.signal });
    throw new CarrelError(
      'not-found',
      `${JSON.stringify(wanted.identifier.text)} is not in the catalogue of ${tools.archive.name} ${catalog.releaseName}`,
      {
        item: wanted.identifier.text,
        next:
          found.length > 0
            ? `it is there as ${found.map(describe).join(', ')}`
            : suggestions.length > 0
              ? `did you mean ${suggestions.join(', ')}?`
              : 'carrel search --by collection_id lists the collections; an older release may hold it: --release',
      },
    );
  }
  if (matches.length > 1 && question.all !== true) throw ambiguous(name, matches);
  const [only] = matches;
  if (matches.length === 1 && only?.value !== undefined && only.value !== name) {
    cohort.notes.push({ item: name, message: `${name} → ${only.value}` });
  }
  for (const { note } of matches) if (note !== undefined) cohort.notes.push({ item: name, message: note });
  const rows = await Promise.all(matches.map((match) => match.seriesRows({ signal: tools.signal })));
  return rows.flat().map((row) => ({ crdc_series_uuid: row.crdc_series_uuid, row }));
}

/**
 * The series that a DICOM UID stands for, from what the tables answered for the whole list.
 *
 * @throws `not-found`; `ambiguous` for a UID that is a study and a series, where `--as` does not choose
 */
export async function lookUpUid(
  wanted: Wanted,
  uid: string,
  known: KnownNames,
  question: Question,
  tools: Tools,
): Promise<CohortSeries[]> {
  const catalog = requireCatalog(tools);
  const found = known.uids.get(uid) ?? [];
  const matches = narrow(found, wanted, question);
  if (matches.length === 0) {
    throw new CarrelError(
      'not-found',
      `${JSON.stringify(wanted.identifier.text)} is in no release that the tables of ${tools.archive.name} ${catalog.releaseName} know`,
      {
        item: wanted.identifier.text,
        next:
          found.length > 0
            ? `it is there as ${found.map(({ level }) => level).join(', ')}`
            : 'check it; single files are known for slides only, and only once carrel catalog update --table sm_instance_index has run; for a series that TCIA alone has: --nbia',
      },
    );
  }
  if (matches.length > 1 && question.all !== true)
    throw ambiguous(
      uid,
      matches.map((match) => ({ ...match, value: uid })),
    );
  return matches.flatMap(({ versions, crdc_instance_uuid: instance }) =>
    versions.map((uuid) => ({
      crdc_series_uuid: uuid,
      row: known.rows.get(uuid),
      instances: instance === undefined ? undefined : new Set([instance]),
    })),
  );
}

function ambiguous(name: string, matches: readonly Named[]): CarrelError {
  const levels = new Set(matches.map(({ level }) => level));
  return new CarrelError(
    'ambiguous',
    `${JSON.stringify(name)} names ${matches.length} things: ${matches.map(describe).join('; ')}`,
    {
      item: name,
      next:
        levels.size > 1
          ? `choose with --as ${[...levels].join(' or --as ')}`
          : 'choose with --collection, or take all of them with --all',
    },
  );
}

/** What is needed of a match to choose and to describe it. */
interface Named {
  level: string;
  value: string;
  collection_id: string | null;
}

/** Keeps the matches that `--as`, `--collection` and the manifest's own row leave over. */
function narrow<One extends Omit<Named, 'value'>>(
  found: readonly One[],
  wanted: Wanted,
  question: Question,
): One[] {
  const level = 'level' in wanted.identifier ? wanted.identifier.level : undefined;
  const collections = new Set([
    ...(question.selection.collection ?? []),
    ...wanted.others.flatMap((other) =>
      other.kind === 'name' && other.level === 'collection' ? [other.name] : [],
    ),
  ]);
  return found.filter(
    (match) =>
      (level === undefined || match.level === level) &&
      (collections.size === 0 ||
        match.level !== 'patient' ||
        match.collection_id === undefined ||
        match.collection_id === null ||
        collections.has(match.collection_id)),
  );
}

function describe(match: Named): string {
  return match.level === 'patient'
    ? `patient ${match.value} of ${match.collection_id}`
    : `${match.level} ${match.value}`;
}

function nameOf(identifier: Identifier): string {
  if (identifier.kind === 'dicom-uid') return identifier.uid;
  if (identifier.kind === 'doi') return identifier.doi;
  return identifier.kind === 'name' ? identifier.name : identifier.text;
}
