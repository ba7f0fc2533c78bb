/**
 * Names to series: uuids in one look-up, everything else one by one; what the tables do not know is looked for in
 * the buckets or asked of the archive's DRS host.
 */
import type { SeriesRow } from '../catalog/index.ts';
import { CarrelError, isCarrelError } from '../errors.ts';
import type { CrdcUuid, Identifier } from '../identifiers/index.ts';
import { bucketClassFor } from '../locations/index.ts';
import { addCompound, addDrs, addUrl, addUuid } from './add-located.ts';
import type { Gathered, Wanted } from './gather.ts';
import { lookUpName } from './look-up-name.ts';
import type { Cohort, Question, Tools } from './question.ts';

/** Resolves everything that was gathered into `cohort`; what leads nowhere goes to `cohort.unresolved`. */
export async function resolveNames(
  cohort: Cohort,
  gathered: Gathered,
  question: Question,
  tools: Tools,
): Promise<void> {
  const rows = await knownRows(gathered.wanted, tools);
  for (const wanted of gathered.wanted) {
    try {
      await resolveOne(cohort, wanted, rows, question, tools);
    } catch (error) {
      if (!isCarrelError(error) || error.code === 'interrupted') throw error;
      cohort.unresolved.push({ item: wanted.identifier.text, origin: wanted.origin, error });
    }
  }
  for (const { json, origin } of gathered.compounds) {
    try {
      await addCompound(cohort, { json, origin }, tools);
    } catch (error) {
      if (!isCarrelError(error) || error.code === 'interrupted') throw error;
      cohort.unresolved.push({ item: origin, origin, error });
    }
  }
}

/** All uuids of the list that the tables know as series, in one question. */
async function knownRows(wanted: readonly Wanted[], tools: Tools): Promise<Map<string, SeriesRow>> {
  const uuids = new Set<string>();
  for (const { identifier, others } of wanted) {
    for (const one of [identifier, ...others]) {
      for (const uuid of uuidsIn(one)) uuids.add(uuid);
    }
  }
  if (uuids.size === 0 || tools.catalog === undefined) return new Map();
  return await tools.catalog.seriesByUuid([...uuids], { signal: tools.signal });
}

function uuidsIn(identifier: Identifier): CrdcUuid[] {
  switch (identifier.kind) {
    case 'crdc-uuid':
    case 'guid':
      return [identifier.uuid];
    case 'drs':
    case 'drs-url':
      return identifier.uuid === undefined ? [] : [identifier.uuid];
    case 'object-url':
    case 'compound-object':
      return identifier.seriesUuid === undefined ? [] : [identifier.seriesUuid];
    default:
      return [];
  }
}

async function resolveOne(
  cohort: Cohort,
  wanted: Wanted,
  rows: ReadonlyMap<string, SeriesRow>,
  question: Question,
  tools: Tools,
): Promise<void> {
  const { identifier } = wanted;
  switch (identifier.kind) {
    case 'crdc-uuid':
    case 'guid': {
      const row = rows.get(identifier.uuid);
      if (row !== undefined) cohort.series.push({ crdc_series_uuid: row.crdc_series_uuid, row });
      else await addUuid(cohort, identifier.uuid, tools);
      return;
    }
    case 'drs':
    case 'drs-url': {
      const row = identifier.uuid === undefined ? undefined : rows.get(identifier.uuid);
      // A host of its own (`drs://host/…`) that is not the archive's is asked; the archive's own uuids need no host.
      if (row !== undefined) cohort.series.push({ crdc_series_uuid: row.crdc_series_uuid, row });
      else await addDrs(cohort, identifier, tools);
      return;
    }
    case 'object-url': {
      const row = identifier.seriesUuid === undefined ? undefined : rows.get(identifier.seriesUuid);
      const ours = bucketClassFor(tools.archive, identifier.bucket) !== undefined;
      if (row !== undefined && ours && identifier.layout === 'hierarchical') {
        const instances =
          identifier.form === 'object' && identifier.instanceUuid !== undefined
            ? new Set<string>([identifier.instanceUuid])
            : undefined;
        // A wildcard inside the folder (`…/<uuid>/0*.dcm`) is more than a uuid: only the bucket can answer it.
        if (identifier.form !== 'wildcard' || identifier.key.endsWith('/*')) {
          cohort.series.push({ crdc_series_uuid: row.crdc_series_uuid, row, instances });
          return;
        }
      }
      try {
        await addUrl(
          cohort,
          identifier,
          { endpoint: question.endpoint, endpointHint: wanted.endpointHint },
          tools,
        );
      } catch (error) {
        if (row === undefined || !isCarrelError(error, 'not-found', 'permission', 'network')) throw error;
        throw new CarrelError(error.code, error.message, {
          item: identifier.text,
          next: `the catalogue knows this series in ${Object.values(row.buckets)[0] ?? 'the archive'}; carrel get ${row.crdc_series_uuid}`,
          cause: error,
        });
      }
      return;
    }
    case 'compound-object':
      await addCompound(cohort, { identifier, origin: wanted.origin }, tools);
      return;
    case 'faspex-link':
      throw new CarrelError(
        'unsupported',
        'Aspera packages of The Cancer Imaging Archive cannot be fetched yet',
        {
          item: 'a Faspex link',
          next: 'fetch the package with IBM Aspera, or look for the same images in the catalogue: carrel search --collection …',
        },
      );
    case 'dicom-uid':
    case 'doi':
    case 'name':
      cohort.series.push(...(await lookUpName(wanted, question, cohort, tools)));
      return;
    case 'path':
    case 'stdin':
      throw new CarrelError('bad-input', 'a manifest cannot name another file', { item: identifier.text });
  }
}
