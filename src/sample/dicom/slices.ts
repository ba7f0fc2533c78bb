/** Axial slices of CT, MR and PET: one template per series, patched per slice. */
import type { SliceGeometry } from '../pixels/ellipsoids.ts';
import type { Renderer, SeriesContext } from './context.ts';
import { createTemplate, type Dataset } from './encode.ts';
import { contentDate, fixedDecimal, pixelBytes } from './modules.ts';

/** Width of a coordinate in the header. */
const WIDTH = 10;

/** Height (mm) of slice `index`; slices run from the feet to the head around 0. */
export function sliceHeight(context: SeriesContext, index: number): number {
  const { instances, spacing } = context.series;
  return (index - (instances - 1) / 2) * spacing;
}

/** Image Plane and Frame of Reference, without what differs from slice to slice. */
export function planeModules(context: SeriesContext, geometry: SliceGeometry): Dataset {
  const spacing = geometry.pixelSpacing.toFixed(4);
  return {
    FrameOfReferenceUID: context.frameOfReferenceUid,
    PositionReferenceIndicator: '',
    ImageOrientationPatient: [1, 0, 0, 0, 1, 0],
    PixelSpacing: [spacing, spacing],
    SliceThickness: context.series.spacing,
  };
}

/**
 * A renderer for slices.
 *
 * @param dataset - everything but position, number, SOPInstanceUID and pixels
 * @param paint - pixels of slice `index` at height `z` (mm)
 */
export function sliceRenderer(
  context: SeriesContext,
  dataset: Dataset,
  geometry: SliceGeometry,
  paint: (index: number, z: number, flawed: boolean) => Int16Array | Uint16Array,
  /** Attribute of VR US that counts the slices from 1, where the object type has one. */
  counter?: readonly [group: number, element: number],
): Renderer {
  const uid = context.sopUid(0);
  const [x, y] = geometry.origin.map((value) => fixedDecimal(value, WIDTH));
  // Texts that stand for what is filled in: legal in the encoder's eyes and found nowhere else.
  const marks = { uid, number: ' 987654', z: ' -98765.43', location: '-987654.32' };
  const template = createTemplate(
    {
      ...dataset,
      ...contentDate(context),
      SOPInstanceUID: uid,
      InstanceNumber: marks.number,
      ImagePositionPatient: [x ?? '', y ?? '', marks.z],
      SliceLocation: marks.location,
    },
    { texts: marks, words: counter === undefined ? {} : { counter } },
    geometry.rows * geometry.columns * 2,
  );
  return (index, flawed) => {
    const z = sliceHeight(context, index);
    const texts = {
      uid: context.sopUid(index),
      number: String(index + 1).padStart(marks.number.length, ' '),
      z: fixedDecimal(z, WIDTH),
      location: fixedDecimal(z, WIDTH),
    };
    const header = template.fill(texts, { counter: index + 1 });
    return [header, pixelBytes(paint(index, z, flawed))];
  };
}
