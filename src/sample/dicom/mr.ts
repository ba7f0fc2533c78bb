/** MR Image Storage: slices of the head. */
import { brainBody, isHeadContrast } from '../pixels/brain.ts';
import { centredGeometry, paintSlice } from '../pixels/ellipsoids.ts';
import { createRandom } from '../random.ts';
import type { Renderer, SeriesContext } from './context.ts';
import { commonModules, monochrome16 } from './modules.ts';
import { planeModules, sliceRenderer } from './slices.ts';

/** SOP Class UID of MR Image Storage. */
export const MR_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.4';

const GEOMETRY = centredGeometry(96, 230);

/** Timing (ms) by contrast. */
const TIMING = {
  T1: { sequence: 'GR', variant: 'SP', repetition: 9, echo: 4, inversion: undefined },
  T2: { sequence: 'SE', variant: 'SK', repetition: 4200, echo: 98, inversion: undefined },
  FLAIR: { sequence: 'IR', variant: 'SK', repetition: 9000, echo: 110, inversion: 2500 },
} as const;

/** Writes an MR series. */
export function renderMr(context: SeriesContext): Renderer {
  const { series, patient } = context;
  const contrast = isHeadContrast(series.variety) ? series.variety : 'T1';
  const body = brainBody(createRandom(context.seed, patient.origin, 'head'), contrast);
  const timing = TIMING[contrast];
  const dataset = {
    ...commonModules(context, MR_IMAGE_STORAGE, 'MR'),
    ...planeModules(context, GEOMETRY),
    ...monochrome16(GEOMETRY.rows, GEOMETRY.columns, false),
    PatientPosition: 'HFS',
    ImageType: ['ORIGINAL', 'PRIMARY', 'OTHER'],
    BodyPartExamined: series.bodyPart ?? '',
    AcquisitionNumber: 1,
    ScanningSequence: timing.sequence,
    SequenceVariant: timing.variant,
    ScanOptions: '',
    MRAcquisitionType: '2D',
    RepetitionTime: timing.repetition,
    EchoTime: timing.echo,
    ...(timing.inversion === undefined ? {} : { InversionTime: timing.inversion }),
    EchoTrainLength: contrast === 'T1' ? 1 : 12,
    MagneticFieldStrength: 3,
    FlipAngle: contrast === 'T1' ? 20 : 150,
    WindowCenter: 500,
    WindowWidth: 1000,
  };
  return sliceRenderer(context, dataset, GEOMETRY, (index, z, flawed) => {
    const random = createRandom(context.seriesUid, index);
    const pixels = paintSlice(body, GEOMETRY, z, { background: 20, noise: 14, random, flawed });
    return Uint16Array.from(pixels);
  });
}
