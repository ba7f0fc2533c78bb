/** CT Image Storage: slices of the torso or of the test object. */
import { PHANTOM } from '../model/collections.ts';
import { centredGeometry, type Ellipsoid, paintSlice, type SliceGeometry } from '../pixels/ellipsoids.ts';
import { qaCylinder } from '../pixels/qa-cylinder.ts';
import { torsoBody } from '../pixels/torso.ts';
import { createRandom } from '../random.ts';
import type { Renderer, SeriesContext } from './context.ts';
import { commonModules, monochrome16 } from './modules.ts';
import { planeModules, sliceRenderer } from './slices.ts';

/** SOP Class UID of CT Image Storage. */
export const CT_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.2';

/** Half-width of the noise (HU) by kernel. */
const NOISE: Readonly<Record<string, number>> = { B19f: 6, B30f: 12, B60f: 40, STANDARD: 10 };

/** Pixels of all CT slices. */
export const CT_GEOMETRY: SliceGeometry = centredGeometry(128, 384);

function isQaCylinder({ patient }: SeriesContext): boolean {
  return patient.collection.id === PHANTOM.id;
}

/** What a CT series shows; the same for every series of a study. */
export function ctBody(context: SeriesContext): Ellipsoid[] {
  if (isQaCylinder(context)) return qaCylinder();
  return torsoBody(createRandom(context.seed, context.patient.origin, 'torso'));
}

/** Writes a CT series. */
export function renderCt(context: SeriesContext): Renderer {
  const { series } = context;
  const body = ctBody(context);
  const { rows, columns } = CT_GEOMETRY;
  const dataset = {
    ...commonModules(context, CT_IMAGE_STORAGE, 'CT'),
    ...planeModules(context, CT_GEOMETRY),
    ...monochrome16(rows, columns, true),
    PatientPosition: 'HFS',
    ImageType: ['ORIGINAL', 'PRIMARY', 'AXIAL'],
    AcquisitionNumber: 1,
    KVP: 120,
    ConvolutionKernel: series.variety,
    XRayTubeCurrent: 210,
    ReconstructionDiameter: 384,
    RescaleIntercept: 0,
    RescaleSlope: 1,
    RescaleType: 'HU',
    WindowCenter: 40,
    WindowWidth: 400,
    // PHANTOM is a word of the tables; DICOM has no such body part. Without one, the side is asked for (type 2C).
    ...(isQaCylinder(context) ? { Laterality: '' } : { BodyPartExamined: series.bodyPart ?? '' }),
  };
  return sliceRenderer(context, dataset, CT_GEOMETRY, (index, z, flawed) =>
    paintSlice(body, CT_GEOMETRY, z, {
      background: -1000,
      noise: NOISE[series.variety] ?? 10,
      random: createRandom(context.seriesUid, index),
      flawed,
    }),
  );
}
