/** The tables `collections_index`, `analysis_results_index` and `version_metadata_index`. */
import { RELEASE_DATES } from '../model/release-dates.ts';
import { RELEASES, type Release, type SampleModel, type Source } from '../model/types.ts';
import { heldBy, type SeriesVersion } from '../releases/series-version.ts';
import type { Columns, Row } from './parquet.ts';

const LICENSE = { license_url: 'VARCHAR', license_long_name: 'VARCHAR', license_short_name: 'VARCHAR' };

const PROVENANCE = {
  data_contributor: 'VARCHAR',
  source_data_provider: 'VARCHAR',
  deidentification_party: 'VARCHAR',
  dicom_conversion_by: 'VARCHAR',
};

/** Columns of `collections_index`. */
export const COLLECTIONS_COLUMNS: Columns = {
  collection_name: 'text',
  collection_id: 'text',
  cancer_types: 'text',
  tumor_locations: 'text',
  subjects: 'integer',
  species: 'text',
  sources: {
    nested: JSON.stringify([
      {
        source_id: 'VARCHAR',
        source_title: 'VARCHAR',
        source_type: 'VARCHAR',
        source_doi: 'VARCHAR',
        source_url: 'VARCHAR',
        modalities: 'VARCHAR',
        license: LICENSE,
        citation: 'VARCHAR',
        provenance: PROVENANCE,
        Access: 'VARCHAR',
        ImageTypes: 'VARCHAR',
      },
    ]),
  },
  supporting_data: 'text',
  program_id: 'text',
  status: 'text',
  updated: 'text',
  description: 'text',
};

/** Columns of `analysis_results_index`. */
export const ANALYSIS_RESULTS_COLUMNS: Columns = {
  analysis_result_id: 'text',
  analysis_result_title: 'text',
  source_DOI: 'text',
  source_url: 'text',
  subjects: 'integer',
  collections: 'text',
  modalities: 'text',
  updated: 'text',
  license_url: 'text',
  license_long_name: 'text',
  license_short_name: 'text',
  description: 'text',
  citation: 'text',
  provenance: { nested: JSON.stringify(PROVENANCE) },
};

/** Columns of `version_metadata_index`. */
export const VERSION_METADATA_COLUMNS: Columns = { idc_version: 'integer', version_timestamp: 'text' };

/** Collections that `release` holds; those derived data sets that touch one are among its sources. */
export function collectionRows(model: SampleModel, release: Release, items: readonly SeriesVersion[]): Row[] {
  const held = heldBy(release, items);
  return model.collections
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map((collection): Row | undefined => {
      const own = held.filter(({ context }) => context.patient.collection.id === collection.id);
      if (own.length === 0) return undefined;
      const derived = model.analysisResults.filter((result) =>
        own.some(({ context }) => context.series.analysisResult?.id === result.id),
      );
      return {
        collection_name: collection.name,
        collection_id: collection.id,
        cancer_types: collection.cancerTypes,
        tumor_locations: collection.tumorLocations,
        subjects: countPatients(own),
        species: collection.species,
        sources: [
          sourceStruct(collection.id, collection.source, release),
          ...derived.map((result) => sourceStruct(result.id, result.source, release)),
        ],
        supporting_data: collection.supportingData,
        program_id: collection.programId,
        status: collection.status,
        updated: collection.updated,
        description: collection.description,
      };
    })
    .filter((row) => row !== undefined);
}

function sourceStruct(id: string, source: Source, release: Release): object {
  return {
    source_id: id,
    source_title: source.title,
    source_type: source.type,
    source_doi: source.doi,
    source_url: `https://doi.org/${source.doi}`,
    modalities: source.modalities,
    license: source.license[release],
    citation: source.citation,
    provenance: source.provenance,
    Access: 'Public',
    ImageTypes: source.modalities,
  };
}

/** Derived data sets that `release` holds. */
export function analysisResultRows(
  model: SampleModel,
  release: Release,
  items: readonly SeriesVersion[],
): Row[] {
  return model.analysisResults.flatMap((result): Row[] => {
    const own = heldBy(release, items).filter(
      ({ context }) => context.series.analysisResult?.id === result.id,
    );
    if (own.length === 0) return [];
    const collections = [...new Set(own.map(({ context }) => context.patient.collection.id))].sort();
    return [
      {
        analysis_result_id: result.id,
        analysis_result_title: result.source.title,
        source_DOI: result.source.doi,
        source_url: `https://doi.org/${result.source.doi}`,
        subjects: countPatients(own),
        collections: collections.join(', '),
        modalities: result.source.modalities,
        updated: result.updated,
        ...result.source.license[release],
        description: result.description,
        citation: result.source.citation,
        provenance: [result.source.provenance],
      },
    ];
  });
}

/** All releases up to this one with their days. */
export function versionMetadataRows(release: Release): Row[] {
  return RELEASES.filter((candidate) => candidate <= release).map((candidate) => ({
    idc_version: candidate,
    version_timestamp: RELEASE_DATES[candidate],
  }));
}

/** Distinct PatientIDs, as the real tables count subjects. */
function countPatients(items: readonly SeriesVersion[]): number {
  return new Set(items.map(({ context }) => context.patient.id)).size;
}
