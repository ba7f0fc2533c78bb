/** Collections and derived data sets of the sample, with the texts that their tables publish. */
import { LICENSE_HISTORIES } from './licenses.ts';
import type { AnalysisResult, Collection, Source } from './types.ts';

const PROVENANCE: Source['provenance'] = {
  data_contributor: 'CARREL',
  source_data_provider: 'CARREL',
  deidentification_party: 'NOT_APPLICABLE',
  dicom_conversion_by: 'CARREL',
};

/** DOI prefix 10.5072 is reserved for tests by DataCite; nothing under it resolves. */
function source(
  doi: string,
  title: string,
  modalities: string,
  license: Source['license'],
  bucketClass: string,
): Source {
  return {
    doi: `10.5072/${doi}`,
    title,
    type: 'original_data',
    modalities,
    citation:
      `Carrel, A., Müller, J., &amp; D'Angelo, P. (2024). <i>${title}</i> (Version 1) [Data set].\n` +
      `Carrel sample archive. https://doi.org/10.5072/${doi.toUpperCase()}`,
    license,
    bucketClass,
    provenance: PROVENANCE,
  };
}

const COMMON = { species: 'Human', programId: 'sample', status: 'Complete', updated: '2026-03-02' } as const;

/** CT of the trunk with structures, reports and segmentations. */
export const TORSO: Collection = {
  ...COMMON,
  name: 'Sample-Torso',
  id: 'sample_torso',
  cancerTypes: 'Non-small Cell Lung Cancer, Hepatocellular Carcinoma',
  tumorLocations: 'Lung, Liver',
  source: source(
    'sample.torso',
    'Synthetic CT of the chest and abdomen with outlined organs and lesions',
    'CT, RTSTRUCT, SR',
    LICENSE_HISTORIES.by3ThenBy4,
    'open',
  ),
  supportingData: 'Clinical, Image Analyses',
  description:
    'Computed tomography of a mathematical torso in which lungs, liver, spine and a lesion are ellipsoids of known\n' +
    'size. Organs were outlined as structure sets and measured in structured reports.\n' +
    'No person was scanned for this collection.',
};

/** MR of the head, kept apart because it may show a face. */
export const BRAIN: Collection = {
  ...COMMON,
  name: 'Sample-Brain',
  id: 'sample_brain',
  cancerTypes: 'Glioblastoma',
  tumorLocations: 'Brain',
  source: source(
    'sample.brain',
    'Synthetic multi-sequence MR of the head',
    'MR',
    LICENSE_HISTORIES.by4,
    'head-scans',
  ),
  supportingData: 'Clinical',
  description:
    'T1, T2 and FLAIR images of a mathematical head with an enhancing lesion.\nNo person was scanned.',
};

/** Combined PET and CT. */
export const PET: Collection = {
  ...COMMON,
  name: 'Sample-PET',
  id: 'sample_pet',
  cancerTypes: 'Lymphoma',
  tumorLocations: 'Lymph Node',
  source: source('sample.pet', 'Synthetic FDG PET with CT', 'CT, PT', LICENSE_HISTORIES.by3, 'open'),
  supportingData: null,
  status: 'Ongoing',
  description:
    'FDG uptake of a mathematical torso, with low-dose CT of the same session.\nNo person was scanned.',
};

/** What was handed in first and moved into `sample_pet` with the second release. */
export const PILOT: Collection = {
  ...PET,
  name: 'Sample-Pilot',
  id: 'sample_pilot',
  description: 'Pilot cases, later part of Sample-PET.',
};

/** Tiled slides. */
export const SLIDES: Collection = {
  ...COMMON,
  name: 'Sample-Slides',
  id: 'sample_slides',
  cancerTypes: 'Breast Cancer',
  tumorLocations: 'Breast',
  source: source(
    'sample.slides',
    'Synthetic whole slide images stained with hematoxylin and eosin',
    'SM',
    LICENSE_HISTORIES.by4,
    'open',
  ),
  supportingData: null,
  updated: null,
  description:
    'Tissue drawn by a program, tiled in pyramids of three levels.\nNo tissue was taken from anybody.',
};

/** CT of a test object, not for commercial use. */
export const PHANTOM: Collection = {
  ...COMMON,
  name: 'Sample-Phantom',
  id: 'sample_phantom',
  cancerTypes: 'Phantom',
  tumorLocations: 'Phantom',
  species: 'Phantom',
  source: source(
    'sample.phantom',
    'CT of a cylinder with inserts of known density',
    'CT',
    LICENSE_HISTORIES.nonCommercialButOnce,
    'commercial-restricted',
  ),
  supportingData: null,
  description: 'A water cylinder with inserts, scanned with several kernels for checks of image quality.',
};

/** Segmentations of organs in two collections; not for commercial use, yet in the open bucket. */
export const ORGAN_SEGMENTATIONS: AnalysisResult = {
  id: 'sample_organ_segmentations',
  source: {
    ...source(
      'sample.organ.segmentations',
      'Segmentations of organs and lesions for the Sample-Torso and Sample-PET collections',
      'SEG',
      LICENSE_HISTORIES.nonCommercial,
      'open',
    ),
    type: 'analysis_result',
  },
  updated: '2026-03-02',
  description: 'Lungs, liver and lesion as binary segments, computed from the definition of the torso.',
};

/** Every collection that ever was, those of today first. */
export const COLLECTIONS: readonly Collection[] = [TORSO, BRAIN, PET, SLIDES, PHANTOM, PILOT];

/** Every derived data set. */
export const ANALYSIS_RESULTS: readonly AnalysisResult[] = [ORGAN_SEGMENTATIONS];
