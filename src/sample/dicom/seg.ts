/** Segmentation Storage, binary: organs of the torso as bits, one frame per segment and slice that it meets. */
import { type Ellipsoid, forEachSpan, sectionAt } from '../pixels/ellipsoids.ts';
import { SEGMENTED_ORGANS } from '../pixels/torso.ts';
import { deriveUid } from '../random.ts';
import type { Renderer, SeriesContext } from './context.ts';
import { CT_GEOMETRY, CT_IMAGE_STORAGE, ctBody } from './ct.ts';
import { type Dataset, encodeFile } from './encode.ts';
import { code, commonModules, contentDate } from './modules.ts';
import { sliceHeight } from './slices.ts';

/** SOP Class UID of Segmentation Storage. */
export const SEGMENTATION_STORAGE = '1.2.840.10008.5.1.4.1.1.66.4';

/** What the segments stand for. */
export const SEGMENT_CODES = {
  'Left lung': {
    category: code('123037004', 'SCT', 'Anatomical Structure'),
    type: code('44029006', 'SCT', 'Left lung'),
    colour: [46131, 31000, 36000],
  },
  'Right lung': {
    category: code('123037004', 'SCT', 'Anatomical Structure'),
    type: code('3341006', 'SCT', 'Right lung'),
    colour: [44000, 38000, 33000],
  },
  Liver: {
    category: code('123037004', 'SCT', 'Anatomical Structure'),
    type: code('10200004', 'SCT', 'Liver'),
    colour: [30000, 45000, 42000],
  },
  Lesion: {
    category: code('49755003', 'SCT', 'Morphologically Abnormal Structure'),
    type: code('108369006', 'SCT', 'Neoplasm'),
    colour: [40000, 48000, 45000],
  },
} as const;

/** Name of the program that segmented. */
export const SEGMENT_ALGORITHM = 'Carrel ellipsoids';

interface Frame {
  segment: number;
  slice: number;
  z: number;
  organ: Ellipsoid;
}

/** Writes a segmentation of the CT series that the context names as its source. */
export function renderSeg(context: SeriesContext): Renderer {
  const source = context.source;
  if (source === undefined) return () => [];
  const frames = framesOf(source);
  const size = CT_GEOMETRY.rows * CT_GEOMETRY.columns;
  const bits = new Uint8Array(Math.ceil((frames.length * size) / 16) * 2);
  for (const [position, frame] of frames.entries()) {
    forEachSpan(frame.organ, CT_GEOMETRY, frame.z, (from, to) => {
      for (let bit = position * size + from; bit < position * size + to; bit += 1) {
        bits[bit >> 3] = (bits[bit >> 3] ?? 0) | (1 << (bit & 7));
      }
    });
  }
  const file = encodeFile({ ...segDataset(context, source, frames), PixelData: bits.buffer }, 'OB');
  return () => [file];
}

function framesOf(source: SeriesContext): Frame[] {
  const body = ctBody(source);
  return SEGMENTED_ORGANS.flatMap((name, position): Frame[] => {
    const organ = body.find((part) => part.name === name);
    if (organ === undefined) return [];
    return Array.from({ length: source.series.instances }, (_, slice) => ({
      segment: position + 1,
      slice,
      z: sliceHeight(source, slice),
      organ,
    })).filter((frame) => sectionAt(organ, frame.z) !== undefined);
  });
}

function segDataset(context: SeriesContext, source: SeriesContext, frames: readonly Frame[]): Dataset {
  const { series } = context;
  const used = SEGMENTED_ORGANS.filter((_, position) =>
    frames.some(({ segment }) => segment === position + 1),
  );
  const spacing = CT_GEOMETRY.pixelSpacing.toFixed(4);
  return {
    ...commonModules(context, SEGMENTATION_STORAGE, 'SEG'),
    ...contentDate(context),
    ImageType: ['DERIVED', 'PRIMARY'],
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: CT_GEOMETRY.rows,
    Columns: CT_GEOMETRY.columns,
    BitsAllocated: 1,
    BitsStored: 1,
    HighBit: 0,
    PixelRepresentation: 0,
    LossyImageCompression: '00',
    SegmentationType: 'BINARY',
    SegmentsOverlap: 'NO',
    ContentLabel: 'ORGANS',
    ContentDescription: series.description,
    ContentCreatorName: 'Carrel^Program',
    FrameOfReferenceUID: source.frameOfReferenceUid,
    PositionReferenceIndicator: '',
    NumberOfFrames: frames.length,
    DimensionOrganizationSequence: [{ DimensionOrganizationUID: deriveUid(context.seriesUid, 'dimensions') }],
    DimensionIndexSequence: [
      dimension(context, 0x0062000b, 0x0062000a, 'Segment'),
      dimension(context, 0x00200032, 0x00209113, 'Position'),
    ],
    ReferencedSeriesSequence: [
      {
        SeriesInstanceUID: source.seriesUid,
        ReferencedInstanceSequence: [...new Set(frames.map(({ slice }) => slice))].map((slice) =>
          reference(source, slice),
        ),
      },
    ],
    SegmentSequence: used.map((name) => segmentItem(name, SEGMENTED_ORGANS.indexOf(name) + 1)),
    SharedFunctionalGroupsSequence: [
      {
        PixelMeasuresSequence: [
          {
            PixelSpacing: [spacing, spacing],
            SliceThickness: source.series.spacing,
            SpacingBetweenSlices: source.series.spacing,
          },
        ],
        PlaneOrientationSequence: [{ ImageOrientationPatient: [1, 0, 0, 0, 1, 0] }],
      },
    ],
    PerFrameFunctionalGroupsSequence: frames.map((frame) => frameItem(source, frame)),
  };
}

/** An attribute tag for a dimension: dcmjs takes AT values as numbers. */
function dimension(context: SeriesContext, pointer: number, group: number, label: string): Dataset {
  return {
    DimensionOrganizationUID: deriveUid(context.seriesUid, 'dimensions'),
    DimensionIndexPointer: pointer,
    FunctionalGroupPointer: group,
    DimensionDescriptionLabel: label,
  };
}

function reference(source: SeriesContext, slice: number): Dataset {
  return { ReferencedSOPClassUID: CT_IMAGE_STORAGE, ReferencedSOPInstanceUID: source.sopUid(slice) };
}

function segmentItem(name: keyof typeof SEGMENT_CODES, number: number): Dataset {
  const { category, type, colour } = SEGMENT_CODES[name];
  return {
    SegmentNumber: number,
    SegmentLabel: name,
    SegmentAlgorithmType: 'AUTOMATIC',
    SegmentAlgorithmName: SEGMENT_ALGORITHM,
    RecommendedDisplayCIELabValue: [...colour],
    SegmentedPropertyCategoryCodeSequence: [category],
    SegmentedPropertyTypeCodeSequence: [type],
  };
}

function frameItem(source: SeriesContext, { segment, slice, z }: Frame): Dataset {
  const [x, y] = CT_GEOMETRY.origin;
  return {
    DerivationImageSequence: [
      {
        SourceImageSequence: [
          {
            ...reference(source, slice),
            PurposeOfReferenceCodeSequence: [
              code('121322', 'DCM', 'Source image for image processing operation'),
            ],
          },
        ],
        DerivationCodeSequence: [code('113076', 'DCM', 'Segmentation')],
      },
    ],
    FrameContentSequence: [{ DimensionIndexValues: [segment, slice + 1] }],
    PlanePositionSequence: [{ ImagePositionPatient: [x.toFixed(3), y.toFixed(3), z.toFixed(3)] }],
    SegmentIdentificationSequence: [{ ReferencedSegmentNumber: segment }],
  };
}
