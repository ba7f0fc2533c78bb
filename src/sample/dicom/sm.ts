/** VL Whole Slide Microscopy Image Storage: one instance per level of the pyramid (TILED_FULL) and a thumbnail. */
import { rgbProfile } from '../pixels/icc-profile.ts';
import { type ColourImage, cutTiles, drawTissue, halve } from '../pixels/tissue.ts';
import { createRandom, deriveUid } from '../random.ts';
import type { Renderer, SeriesContext } from './context.ts';
import { createTemplate, type Dataset } from './encode.ts';
import { code, commonModules, dicomDate } from './modules.ts';
import { containerIdentifier, PREPARATION, SLIDE_ORIGIN, slideModules } from './specimen.ts';

/** SOP Class UID of VL Whole Slide Microscopy Image Storage. */
export const WHOLE_SLIDE_STORAGE = '1.2.840.10008.5.1.4.1.1.77.1.6';

/** Pixels of the finest level. */
const BASE = { width: 768, height: 512 };

/** Edge of a tile in pixels. */
const TILE = 128;

/** Size of a pixel of the finest level (mm): 20x. */
const FINEST_SPACING = 0.0005;

/** Levels of the pyramid; the instance after them is the thumbnail. */
export const SLIDE_LEVELS = 3;

/** What the tables say about one instance of a slide. */
export interface SlideInstance {
  columns: number;
  rows: number;
  /** mm */
  spacing: number;
  imageType: readonly string[];
}

/** Instance `index` of a slide: a level, finest first, or the thumbnail. */
export function slideInstance(index: number): SlideInstance {
  const level = Math.min(index, SLIDE_LEVELS - 1);
  const imageType =
    index === 0
      ? ['ORIGINAL', 'PRIMARY', 'VOLUME', 'NONE']
      : ['DERIVED', 'PRIMARY', index < SLIDE_LEVELS ? 'VOLUME' : 'THUMBNAIL', 'RESAMPLED'];
  return {
    columns: BASE.width >> level,
    rows: BASE.height >> level,
    spacing: FINEST_SPACING * 2 ** level,
    imageType,
  };
}

/** Writes a slide. */
export function renderSm(context: SeriesContext): Renderer {
  const levels: ColourImage[] = [];
  return (index) => {
    const level = Math.min(index, SLIDE_LEVELS - 1);
    while (levels.length <= level) {
      const finer = levels.at(-1);
      const random = createRandom(context.seriesUid, 'tissue');
      levels.push(finer === undefined ? drawTissue(BASE.width, BASE.height, random) : halve(finer));
    }
    const image = levels[level];
    if (image === undefined) return [];
    const thumbnail = index >= SLIDE_LEVELS;
    const pixels = thumbnail ? image.pixels : cutTiles(image, TILE);
    const dataset = slideDataset(
      context,
      index,
      thumbnail ? image : { width: TILE, height: TILE },
      pixels.length,
    );
    return [createTemplate(dataset, {}, pixels.length, 'OB').fill({}), pixels];
  };
}

function slideDataset(
  context: SeriesContext,
  index: number,
  frame: { width: number; height: number },
  bytes: number,
): Dataset {
  const { columns, rows, spacing, imageType } = slideInstance(index);
  const { study } = context;
  const frames = bytes / (frame.width * frame.height * 3);
  return {
    ...commonModules(context, WHOLE_SLIDE_STORAGE, 'SM'),
    ...slideModules(context),
    SOPInstanceUID: context.sopUid(index),
    InstanceNumber: index + 1,
    ImageType: [...imageType],
    AcquisitionDateTime: `${dicomDate(study.date)}101000`,
    FrameOfReferenceUID: context.frameOfReferenceUid,
    PositionReferenceIndicator: 'SLIDE_CORNER',
    PyramidUID: deriveUid(context.seriesUid, 'pyramid'),
    SamplesPerPixel: 3,
    PhotometricInterpretation: 'RGB',
    PlanarConfiguration: 0,
    Rows: frame.height,
    Columns: frame.width,
    BitsAllocated: 8,
    BitsStored: 8,
    HighBit: 7,
    PixelRepresentation: 0,
    NumberOfFrames: frames,
    LossyImageCompression: '00',
    BurnedInAnnotation: 'NO',
    VolumetricProperties: 'VOLUME',
    SpecimenLabelInImage: 'NO',
    FocusMethod: 'AUTO',
    ExtendedDepthOfField: 'NO',
    ImagedVolumeWidth: columns * spacing,
    ImagedVolumeHeight: rows * spacing,
    ImagedVolumeDepth: 1,
    TotalPixelMatrixColumns: columns,
    TotalPixelMatrixRows: rows,
    TotalPixelMatrixFocalPlanes: 1,
    TotalPixelMatrixOriginSequence: [
      { XOffsetInSlideCoordinateSystem: SLIDE_ORIGIN.x, YOffsetInSlideCoordinateSystem: SLIDE_ORIGIN.y },
    ],
    ImageOrientationSlide: [0, -1, 0, -1, 0, 0],
    DimensionOrganizationType: 'TILED_FULL',
    DimensionOrganizationSequence: [{ DimensionOrganizationUID: deriveUid(context.seriesUid, 'dimensions') }],
    ContainerIdentifier: containerIdentifier(context),
    SharedFunctionalGroupsSequence: [
      {
        PixelMeasuresSequence: [
          { PixelSpacing: [spacing.toFixed(6), spacing.toFixed(6)], SliceThickness: '0.001' },
        ],
        WholeSlideMicroscopyImageFrameTypeSequence: [{ FrameType: [...imageType] }],
        OpticalPathIdentificationSequence: [{ OpticalPathIdentifier: '1' }],
      },
    ],
    AcquisitionContextSequence: [],
    NumberOfOpticalPaths: 1,
    OpticalPathSequence: [
      {
        OpticalPathIdentifier: '1',
        IlluminationTypeCodeSequence: [PREPARATION.illumination],
        IlluminationColorCodeSequence: [code('414298005', 'SCT', 'Full Spectrum')],
        ObjectiveLensPower: PREPARATION.lensPower,
        ICCProfile: rgbProfile(),
      },
    ],
  };
}
