/** RT Structure Set Storage: outlines of the torso's organs on the slices of a CT series. */
import { type Ellipsoid, sectionAt } from '../pixels/ellipsoids.ts';
import { portableCosine, portableSine } from '../pixels/portable-sine.ts';
import { SEGMENTED_ORGANS } from '../pixels/torso.ts';
import type { Renderer, SeriesContext } from './context.ts';
import { CT_IMAGE_STORAGE, ctBody } from './ct.ts';
import { type Dataset, encodeFile } from './encode.ts';
import { commonModules, dicomDate } from './modules.ts';
import { sliceHeight } from './slices.ts';

/** SOP Class UID of RT Structure Set Storage. */
export const RT_STRUCTURE_SET_STORAGE = '1.2.840.10008.5.1.4.1.1.481.3';

const STUDY_COMPONENT = '1.2.840.10008.3.1.2.3.1';

/** Interpreted type of a region by its name. */
export function interpretedType(name: string): string {
  return name === 'Lesion' ? 'GTV' : 'ORGAN';
}

/** How the regions were drawn. */
export const ROI_ALGORITHM = 'AUTOMATIC';

/** Points of an outline. */
const POINTS = 24;

const COLOURS: Readonly<Record<string, readonly [number, number, number]>> = {
  'Left lung': [80, 160, 220],
  'Right lung': [60, 130, 200],
  Liver: [200, 120, 60],
  Lesion: [230, 40, 40],
};

/** Writes a structure set on the CT series that the context names as its source. */
export function renderRtstruct(context: SeriesContext): Renderer {
  const source = context.source;
  if (source === undefined) return () => [];
  const file = encodeFile(rtstructDataset(context, source));
  return () => [file];
}

function rtstructDataset(context: SeriesContext, source: SeriesContext): Dataset {
  const organs = SEGMENTED_ORGANS.flatMap((name) => ctBody(source).find((part) => part.name === name) ?? []);
  const { study } = context;
  return {
    ...commonModules(context, RT_STRUCTURE_SET_STORAGE, 'RTSTRUCT'),
    OperatorsName: '',
    FrameOfReferenceUID: source.frameOfReferenceUid,
    PositionReferenceIndicator: '',
    StructureSetLabel: 'OUTLINES',
    StructureSetDate: dicomDate(study.date),
    StructureSetTime: '103000',
    ApprovalStatus: 'UNAPPROVED',
    ReferencedFrameOfReferenceSequence: [
      {
        FrameOfReferenceUID: source.frameOfReferenceUid,
        RTReferencedStudySequence: [
          {
            ReferencedSOPClassUID: STUDY_COMPONENT,
            ReferencedSOPInstanceUID: source.studyUid,
            RTReferencedSeriesSequence: [
              {
                SeriesInstanceUID: source.seriesUid,
                ContourImageSequence: Array.from({ length: source.series.instances }, (_, slice) =>
                  reference(source, slice),
                ),
              },
            ],
          },
        ],
      },
    ],
    StructureSetROISequence: organs.map((organ, position) => ({
      ROINumber: position + 1,
      ReferencedFrameOfReferenceUID: source.frameOfReferenceUid,
      ROIName: organ.name,
      ROIGenerationAlgorithm: ROI_ALGORITHM,
    })),
    ROIContourSequence: organs.map((organ, position) => ({
      ROIDisplayColor: [...(COLOURS[organ.name] ?? [255, 255, 255])],
      ContourSequence: contours(source, organ),
      ReferencedROINumber: position + 1,
    })),
    RTROIObservationsSequence: organs.map((organ, position) => ({
      ObservationNumber: position + 1,
      ReferencedROINumber: position + 1,
      RTROIInterpretedType: interpretedType(organ.name),
      ROIInterpreter: '',
    })),
  };
}

function reference(source: SeriesContext, slice: number): Dataset {
  return { ReferencedSOPClassUID: CT_IMAGE_STORAGE, ReferencedSOPInstanceUID: source.sopUid(slice) };
}

/** One closed polygon on every slice that the organ meets. */
function contours(source: SeriesContext, organ: Ellipsoid): Dataset[] {
  return Array.from({ length: source.series.instances }, (_, slice) => slice).flatMap((slice): Dataset[] => {
    const z = sliceHeight(source, slice);
    const section = sectionAt(organ, z);
    if (section === undefined) return [];
    const points = Array.from({ length: POINTS }, (_, point) => {
      const angle = (2 * Math.PI * point) / POINTS;
      const x = organ.centre[0] + section.rx * portableCosine(angle);
      const y = organ.centre[1] + section.ry * portableSine(angle);
      return [x.toFixed(2), y.toFixed(2), z.toFixed(2)];
    });
    return [
      {
        ContourImageSequence: [reference(source, slice)],
        ContourGeometricType: 'CLOSED_PLANAR',
        NumberOfContourPoints: POINTS,
        ContourData: points.flat(),
      },
    ];
  });
}
