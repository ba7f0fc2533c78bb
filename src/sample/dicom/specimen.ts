/** What lies on a slide: container, specimen, and how it was prepared (PS3.3 C.7.6.22, PS3.16 TID 8001 ff.). */
import { deriveUid } from '../random.ts';
import type { SeriesContext } from './context.ts';
import type { Dataset } from './encode.ts';
import { code, contentDate } from './modules.ts';

/** Where the image starts on the slide (mm). */
export const SLIDE_ORIGIN = { x: 20, y: 40 };

/** Preparation of all slides; the tables print these too. */
export const PREPARATION = {
  embedding: code('311731000', 'SCT', 'Paraffin wax'),
  fixative: code('434162003', 'SCT', 'Neutral Buffered Formalin'),
  stains: [
    code('12710003', 'SCT', 'hematoxylin stain'),
    code('36879007', 'SCT', 'water soluble eosin stain'),
  ],
  anatomy: code('76752008', 'SCT', 'Breast structure'),
  illumination: code('111744', 'DCM', 'Brightfield illumination'),
  lensPower: 20,
} as const;

/** Label of the glass. */
export function containerIdentifier(context: SeriesContext): string {
  return `${context.patient.id}-${context.study.key.toUpperCase()}`;
}

function contentItem(type: 'TEXT' | 'CODE', name: Dataset, value: Dataset): Dataset {
  return { ValueType: type, ConceptNameCodeSequence: [name], ...value };
}

function coded(name: Dataset, value: Dataset): Dataset {
  return contentItem('CODE', name, { ConceptCodeSequence: [value] });
}

/** One step of the preparation. */
function step(identifier: string, processing: Dataset, ...items: Dataset[]): Dataset {
  return {
    SpecimenPreparationStepContentItemSequence: [
      contentItem('TEXT', code('121041', 'DCM', 'Specimen Identifier'), { TextValue: identifier }),
      coded(code('111701', 'DCM', 'Processing type'), processing),
      ...items,
    ],
  };
}

/** Specimen module and acquisition facts that all levels share. */
export function slideModules(context: SeriesContext): Dataset {
  const identifier = containerIdentifier(context);
  const staining = code('127790008', 'SCT', 'Staining');
  const sampling = code('433465004', 'SCT', 'Sampling of tissue specimen');
  const processing = code('9265001', 'SCT', 'Specimen processing');
  return {
    ...contentDate(context),
    ContainerIdentifier: identifier,
    IssuerOfTheContainerIdentifierSequence: [],
    ContainerTypeCodeSequence: [code('433466003', 'SCT', 'Microscope slide')],
    AcquisitionDuration: 30,
    SpecimenDescriptionSequence: [
      {
        SpecimenIdentifier: identifier,
        SpecimenUID: deriveUid(context.seriesUid, 'specimen'),
        IssuerOfTheSpecimenIdentifierSequence: [],
        SpecimenShortDescription: 'Breast, excision',
        PrimaryAnatomicStructureSequence: [PREPARATION.anatomy],
        SpecimenPreparationSequence: [
          step(
            identifier,
            processing,
            coded(code('430864009', 'SCT', 'Tissue Fixative'), PREPARATION.fixative),
          ),
          step(
            identifier,
            sampling,
            coded(code('430863003', 'SCT', 'Embedding medium'), PREPARATION.embedding),
          ),
          step(
            identifier,
            staining,
            ...PREPARATION.stains.map((stain) => coded(code('424361007', 'SCT', 'Using substance'), stain)),
          ),
        ],
      },
    ],
  };
}
