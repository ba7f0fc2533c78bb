/** The tables `seg_index` and `rtstruct_index`: what was derived from which images. */
import type { SeriesContext } from '../dicom/context.ts';
import { interpretedType, ROI_ALGORITHM } from '../dicom/rtstruct.ts';
import { SEGMENT_ALGORITHM, SEGMENT_CODES } from '../dicom/seg.ts';
import type { ObjectKind, Release } from '../model/types.ts';
import { SEGMENTED_ORGANS } from '../pixels/torso.ts';
import { heldBy, type SeriesVersion } from '../releases/series-version.ts';
import type { Columns, Row } from './parquet.ts';

/** Columns of `seg_index`. */
export const SEG_COLUMNS: Columns = {
  SeriesInstanceUID: 'text',
  SegmentationType: 'text',
  total_segments: 'integer',
  AlgorithmType: 'text',
  AlgorithmName: 'text',
  segmented_SeriesInstanceUID: 'text',
  SegmentedPropertyCategory_CodeMeanings: 'texts',
  SegmentedPropertyType_CodeMeanings: 'texts',
  AnatomicRegion_CodeMeanings: 'texts',
};

/** Columns of `rtstruct_index`. */
export const RTSTRUCT_COLUMNS: Columns = {
  SeriesInstanceUID: 'text',
  total_rois: 'integer',
  ROINames: 'texts',
  ROIGenerationAlgorithms: 'texts',
  RTROIInterpretedTypes: 'texts',
  referenced_SeriesInstanceUID: 'text',
};

function contextsOf(kind: ObjectKind, release: Release, items: readonly SeriesVersion[]): SeriesContext[] {
  return heldBy(release, items)
    .map(({ context }) => context)
    .filter(({ series }) => series.kind === kind)
    .sort((a, b) => (a.seriesUid < b.seriesUid ? -1 : 1));
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}

/** Rows of `seg_index`. */
export function segRows(release: Release, items: readonly SeriesVersion[]): Row[] {
  const codes = SEGMENTED_ORGANS.map((organ) => SEGMENT_CODES[organ]);
  return contextsOf('seg', release, items).map((context) => ({
    SeriesInstanceUID: context.seriesUid,
    SegmentationType: 'BINARY',
    total_segments: SEGMENTED_ORGANS.length,
    AlgorithmType: 'AUTOMATIC',
    AlgorithmName: SEGMENT_ALGORITHM,
    segmented_SeriesInstanceUID: context.source?.seriesUid ?? null,
    SegmentedPropertyCategory_CodeMeanings: distinct(codes.map(({ category }) => category.CodeMeaning)),
    SegmentedPropertyType_CodeMeanings: distinct(codes.map(({ type }) => type.CodeMeaning)),
    AnatomicRegion_CodeMeanings: [],
  }));
}

/** Rows of `rtstruct_index`. */
export function rtstructRows(release: Release, items: readonly SeriesVersion[]): Row[] {
  return contextsOf('rtstruct', release, items).map((context) => ({
    SeriesInstanceUID: context.seriesUid,
    total_rois: SEGMENTED_ORGANS.length,
    ROINames: distinct(SEGMENTED_ORGANS),
    ROIGenerationAlgorithms: [ROI_ALGORITHM],
    RTROIInterpretedTypes: distinct(SEGMENTED_ORGANS.map(interpretedType)),
    referenced_SeriesInstanceUID: context.source?.seriesUid ?? null,
  }));
}
