/** Names that only the catalogue knows: UIDs, DOIs, collections, PatientIDs. */
import type { Match } from '../catalog/index.ts';
import { CarrelError } from '../errors.ts';
import type { Identifier } from '../identifiers/index.ts';
import type { Wanted } from './gather.ts';
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
  if (matches.length > 1 && question.all !== true) {
    const levels = new Set(matches.map(({ level }) => level));
    throw new CarrelError(
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
  const [only] = matches;
  if (matches.length === 1 && only?.value !== undefined && only.value !== name) {
    cohort.notes.push({ item: name, message: `${name} → ${only.value}` });
  }
  const series = await Promise.all(
    matches.map(async (match): Promise<CohortSeries[]> => {
      const rows = await match.seriesRows({ signal: tools.signal });
      const instance =
        match.level === 'instance'
          ? await catalog.instanceLookup(match.value, { signal: tools.signal })
          : undefined;
      const instances =
        typeof instance?.crdc_instance_uuid === 'string' ? new Set([instance.crdc_instance_uuid]) : undefined;
      return rows.map((row) => ({ crdc_series_uuid: row.crdc_series_uuid, row, instances }));
    }),
  );
  return series.flat();
}

/** Keeps the matches that `--as`, `--collection` and the manifest's own row leave over. */
function narrow(found: readonly Match[], wanted: Wanted, question: Question): Match[] {
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

function describe(match: Match): string {
  return match.level === 'patient'
    ? `patient ${match.value} of ${match.collection_id}`
    : `${match.level} ${match.value}`;
}

function nameOf(identifier: Identifier): string {
  if (identifier.kind === 'dicom-uid') return identifier.uid;
  if (identifier.kind === 'doi') return identifier.doi;
  return identifier.kind === 'name' ? identifier.name : identifier.text;
}
