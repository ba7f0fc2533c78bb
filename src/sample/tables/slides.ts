/** The tables `sm_index` (per slide) and `sm_instance_index` (per file). */
import type { Concept } from '../dicom/modules.ts';
import { slideInstance } from '../dicom/sm.ts';
import { containerIdentifier, PREPARATION } from '../dicom/specimen.ts';
import type { Release } from '../model/types.ts';
import { heldBy, type SeriesVersion } from '../releases/series-version.ts';
import type { Columns, Row } from './parquet.ts';

const PREPARATION_COLUMNS: Columns = {
  embeddingMedium_CodeMeaning: 'texts',
  embeddingMedium_code_designator_value_str: 'texts',
  tissueFixative_CodeMeaning: 'texts',
  tissueFixative_code_designator_value_str: 'texts',
  staining_usingSubstance_CodeMeaning: 'texts',
  staining_usingSubstance_code_designator_value_str: 'texts',
};

/** Columns of `sm_index`. */
export const SM_COLUMNS: Columns = {
  SeriesInstanceUID: 'text',
  ContainerIdentifier: 'text',
  ...PREPARATION_COLUMNS,
  min_PixelSpacing_2sf: 'double',
  max_TotalPixelMatrixColumns: 'integer',
  max_TotalPixelMatrixRows: 'integer',
  ObjectiveLensPower: 'integer',
  primaryAnatomicStructure_code_designator_value_str: 'text',
  primaryAnatomicStructure_CodeMeaning: 'text',
  primaryAnatomicStructureModifier_code_designator_value_str: 'text',
  primaryAnatomicStructureModifier_CodeMeaning: 'text',
  illuminationType_code_designator_value_str: 'text',
  illuminationType_CodeMeaning: 'text',
  admittingDiagnosis_code_designator_value_str: 'text',
  admittingDiagnosis_CodeMeaning: 'text',
};

/** Columns of `sm_instance_index`. */
export const SM_INSTANCE_COLUMNS: Columns = {
  SOPInstanceUID: 'text',
  SeriesInstanceUID: 'text',
  ...PREPARATION_COLUMNS,
  PixelSpacing_0: 'double',
  ImageType: 'texts',
  TransferSyntaxUID: 'text',
  instance_size: 'integer',
  TotalPixelMatrixColumns: 'integer',
  TotalPixelMatrixRows: 'integer',
  crdc_instance_uuid: 'text',
};

function meaning(concept: Concept): string {
  return concept.CodeMeaning;
}

/** `SCT:76752008`. */
function designated(concept: Concept): string {
  return `${concept.CodingSchemeDesignator}:${concept.CodeValue}`;
}

function preparation(): Row {
  const { embedding, fixative, stains } = PREPARATION;
  return {
    embeddingMedium_CodeMeaning: [meaning(embedding)],
    embeddingMedium_code_designator_value_str: [designated(embedding)],
    tissueFixative_CodeMeaning: [meaning(fixative)],
    tissueFixative_code_designator_value_str: [designated(fixative)],
    staining_usingSubstance_CodeMeaning: stains.map(meaning),
    staining_usingSubstance_code_designator_value_str: stains.map(designated),
  };
}

function slidesOf(release: Release, items: readonly SeriesVersion[]): SeriesVersion[] {
  return heldBy(release, items)
    .filter(({ context }) => context.series.kind === 'sm')
    .sort((a, b) => (a.context.seriesUid < b.context.seriesUid ? -1 : 1));
}

/** Rows of `sm_index`. */
export function smRows(release: Release, items: readonly SeriesVersion[]): Row[] {
  const finest = slideInstance(0);
  const { anatomy, illumination, lensPower } = PREPARATION;
  return slidesOf(release, items).map(({ context }) => ({
    SeriesInstanceUID: context.seriesUid,
    ContainerIdentifier: containerIdentifier(context),
    ...preparation(),
    min_PixelSpacing_2sf: Number(finest.spacing.toPrecision(2)),
    max_TotalPixelMatrixColumns: finest.columns,
    max_TotalPixelMatrixRows: finest.rows,
    ObjectiveLensPower: lensPower,
    primaryAnatomicStructure_code_designator_value_str: designated(anatomy),
    primaryAnatomicStructure_CodeMeaning: meaning(anatomy),
    illuminationType_code_designator_value_str: designated(illumination),
    illuminationType_CodeMeaning: meaning(illumination),
  }));
}

/** Rows of `sm_instance_index`. */
export function smInstanceRows(release: Release, items: readonly SeriesVersion[]): Row[] {
  return slidesOf(release, items).flatMap(({ context, files }) =>
    files.map((file, index): Row => {
      const instance = slideInstance(index);
      return {
        SOPInstanceUID: file.sopInstanceUid,
        SeriesInstanceUID: context.seriesUid,
        ...preparation(),
        PixelSpacing_0: instance.spacing,
        ImageType: instance.imageType,
        TransferSyntaxUID: '1.2.840.10008.1.2.1',
        instance_size: file.size,
        TotalPixelMatrixColumns: instance.columns,
        TotalPixelMatrixRows: instance.rows,
        crdc_instance_uuid: file.uuid,
      };
    }),
  );
}
