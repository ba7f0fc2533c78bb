/** Positron Emission Tomography Image Storage: uptake of FDG in the torso. */
import { centredGeometry, paintSlice } from '../pixels/ellipsoids.ts';
import { torsoUptake } from '../pixels/torso.ts';
import { createRandom } from '../random.ts';
import type { Renderer, SeriesContext } from './context.ts';
import { ctBody } from './ct.ts';
import { code, commonModules, dicomDate, monochrome16 } from './modules.ts';
import { planeModules, sliceRenderer } from './slices.ts';

/** SOP Class UID of Positron Emission Tomography Image Storage. */
export const PET_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.128';

/** Tag of Image Index. */
const IMAGE_INDEX = [0x0054, 0x1330] as const;

const GEOMETRY = centredGeometry(64, 384);

/** Writes a PET series. */
export function renderPt(context: SeriesContext): Renderer {
  const { series, study, patient } = context;
  const body = torsoUptake(ctBody(context));
  const weight = createRandom(context.seed, patient.origin, 'weight').between(52, 96);
  const dataset = {
    ...commonModules(context, PET_IMAGE_STORAGE, 'PT'),
    ...planeModules(context, GEOMETRY),
    ...monochrome16(GEOMETRY.rows, GEOMETRY.columns, true),
    ImageType: ['ORIGINAL', 'PRIMARY'],
    BodyPartExamined: series.bodyPart ?? '',
    PatientWeight: weight.toFixed(1),
    AcquisitionDate: dicomDate(study.date),
    AcquisitionTime: '101000',
    Units: 'BQML',
    CountsSource: 'EMISSION',
    SeriesType: ['WHOLE BODY', 'IMAGE'],
    NumberOfSlices: series.instances,
    CorrectedImage: ['ATTN', 'DECY', 'SCAT', 'RAN', 'NORM'],
    DecayCorrection: 'START',
    RandomsCorrectionMethod: 'DLYD',
    AttenuationCorrectionMethod: 'CT',
    ScatterCorrectionMethod: 'Model',
    ReconstructionMethod: 'OSEM 3i24s',
    CollimatorType: 'NONE',
    FrameReferenceTime: 120000,
    ActualFrameDuration: 240000,
    DecayFactor: 1,
    ImageIndex: 1,
    RescaleIntercept: 0,
    RescaleSlope: 1.5,
    WindowCenter: 5000,
    WindowWidth: 10000,
    RadiopharmaceuticalInformationSequence: [
      {
        RadiopharmaceuticalStartTime: '090500',
        RadionuclideTotalDose: 370000000,
        RadionuclideHalfLife: 6586.2,
        RadionuclidePositronFraction: 0.97,
        RadionuclideCodeSequence: [code('77004003', 'SCT', '^18^Fluorine')],
        RadiopharmaceuticalCodeSequence: [code('35321007', 'SCT', 'Fluorodeoxyglucose F^18^')],
        Radiopharmaceutical: 'Fluorodeoxyglucose F18',
      },
    ],
    PatientOrientationCodeSequence: [
      {
        ...code('102538003', 'SCT', 'recumbent'),
        PatientOrientationModifierCodeSequence: [code('40199007', 'SCT', 'supine')],
      },
    ],
    PatientGantryRelationshipCodeSequence: [code('102540008', 'SCT', 'headfirst')],
  };
  return sliceRenderer(
    context,
    dataset,
    GEOMETRY,
    (index, z, flawed) =>
      paintSlice(body, GEOMETRY, z, {
        background: 0,
        noise: 60,
        random: createRandom(context.seriesUid, index),
        flawed,
      }),
    IMAGE_INDEX,
  );
}
