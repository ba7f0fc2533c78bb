/** Object type → its writer. */
import type { ObjectKind } from '../model/types.ts';
import type { Renderer, SeriesContext } from './context.ts';
import { CT_IMAGE_STORAGE, renderCt } from './ct.ts';
import { MR_IMAGE_STORAGE, renderMr } from './mr.ts';
import { PET_IMAGE_STORAGE, renderPt } from './pt.ts';
import { RT_STRUCTURE_SET_STORAGE, renderRtstruct } from './rtstruct.ts';
import { renderSeg, SEGMENTATION_STORAGE } from './seg.ts';
import { renderSm, WHOLE_SLIDE_STORAGE } from './sm.ts';
import { COMPREHENSIVE_SR_STORAGE, renderSr } from './sr.ts';

/** What the tables say about an object type. */
export interface ObjectType {
  modality: string;
  sopClassUid: string;
  sopClassName: string;
  /** Null where there are no pixels: reports, structure sets. */
  photometricInterpretation: string | null;
  pixelRepresentation: string | null;
  render(context: SeriesContext): Renderer;
}

/** Every object type of the sample. */
export const OBJECT_TYPES: Record<ObjectKind, ObjectType> = {
  ct: {
    modality: 'CT',
    sopClassUid: CT_IMAGE_STORAGE,
    sopClassName: 'CT Image Storage',
    photometricInterpretation: 'MONOCHROME2',
    pixelRepresentation: '1',
    render: renderCt,
  },
  mr: {
    modality: 'MR',
    sopClassUid: MR_IMAGE_STORAGE,
    sopClassName: 'MR Image Storage',
    photometricInterpretation: 'MONOCHROME2',
    pixelRepresentation: '0',
    render: renderMr,
  },
  pt: {
    modality: 'PT',
    sopClassUid: PET_IMAGE_STORAGE,
    sopClassName: 'Positron Emission Tomography Image Storage',
    photometricInterpretation: 'MONOCHROME2',
    pixelRepresentation: '1',
    render: renderPt,
  },
  seg: {
    modality: 'SEG',
    sopClassUid: SEGMENTATION_STORAGE,
    sopClassName: 'Segmentation Storage',
    photometricInterpretation: 'MONOCHROME2',
    pixelRepresentation: '0',
    render: renderSeg,
  },
  rtstruct: {
    modality: 'RTSTRUCT',
    sopClassUid: RT_STRUCTURE_SET_STORAGE,
    sopClassName: 'RT Structure Set Storage',
    photometricInterpretation: null,
    pixelRepresentation: null,
    render: renderRtstruct,
  },
  sr: {
    modality: 'SR',
    sopClassUid: COMPREHENSIVE_SR_STORAGE,
    sopClassName: 'Comprehensive SR Storage',
    photometricInterpretation: null,
    pixelRepresentation: null,
    render: renderSr,
  },
  sm: {
    modality: 'SM',
    sopClassUid: WHOLE_SLIDE_STORAGE,
    sopClassName: 'VL Whole Slide Microscopy Image Storage',
    photometricInterpretation: 'RGB',
    pixelRepresentation: '0',
    render: renderSm,
  },
};
