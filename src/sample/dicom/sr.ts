/** Comprehensive SR Storage: a short imaging measurement report (PS3.16 TID 1500) on the lesion of a CT series. */
import { deriveUid } from '../random.ts';
import type { Renderer, SeriesContext } from './context.ts';
import { CT_IMAGE_STORAGE, ctBody } from './ct.ts';
import { type Dataset, encodeFile } from './encode.ts';
import { code, commonModules, contentDate } from './modules.ts';
import { sliceHeight } from './slices.ts';

/** SOP Class UID of Comprehensive SR Storage. */
export const COMPREHENSIVE_SR_STORAGE = '1.2.840.10008.5.1.4.1.1.88.33';

/** Writes a report on the CT series that the context names as its source. */
export function renderSr(context: SeriesContext): Renderer {
  const source = context.source;
  if (source === undefined) return () => [];
  const file = encodeFile(srDataset(context, source));
  return () => [file];
}

/** A content item. */
function item(relationship: string, type: string, name: Dataset, value: Dataset): Dataset {
  return { RelationshipType: relationship, ValueType: type, ConceptNameCodeSequence: [name], ...value };
}

function container(relationship: string, name: Dataset, children: Dataset[], template?: string): Dataset {
  return item(relationship, 'CONTAINER', name, {
    ContinuityOfContent: 'SEPARATE',
    ...(template === undefined
      ? {}
      : { ContentTemplateSequence: [{ MappingResource: 'DCMR', TemplateIdentifier: template }] }),
    ContentSequence: children,
  });
}

function measurement(name: Dataset, value: number, unit: Dataset): Dataset {
  return item('CONTAINS', 'NUM', name, {
    MeasuredValueSequence: [{ NumericValue: value.toFixed(2), MeasurementUnitsCodeSequence: [unit] }],
  });
}

function srDataset(context: SeriesContext, source: SeriesContext): Dataset {
  const lesion = ctBody(source).find((part) => part.name === 'Lesion');
  const [radius = 0, height = 0] = [lesion?.radii[0], lesion?.centre[2]];
  const first = sliceHeight(source, 0);
  const slice = Math.round((height - first) / source.series.spacing);
  const image: Dataset = {
    ReferencedSOPSequence: [
      { ReferencedSOPClassUID: CT_IMAGE_STORAGE, ReferencedSOPInstanceUID: source.sopUid(slice) },
    ],
  };
  const volume = ((4 / 3) * Math.PI * radius * radius * (lesion?.radii[2] ?? 0)) / 1000;
  const group = container(
    'CONTAINS',
    code('125007', 'DCM', 'Measurement Group'),
    [
      item('HAS OBS CONTEXT', 'TEXT', code('112039', 'DCM', 'Tracking Identifier'), {
        TextValue: 'Lesion 1',
      }),
      item('HAS OBS CONTEXT', 'UIDREF', code('112040', 'DCM', 'Tracking Unique Identifier'), {
        UID: deriveUid(context.seriesUid, 'lesion'),
      }),
      item('CONTAINS', 'CODE', code('121071', 'DCM', 'Finding'), {
        ConceptCodeSequence: [code('108369006', 'SCT', 'Neoplasm')],
      }),
      item('CONTAINS', 'IMAGE', code('121233', 'DCM', 'Source image for segmentation'), image),
      measurement(code('410668003', 'SCT', 'Length'), radius * 2, code('mm', 'UCUM', 'millimeter')),
      measurement(code('118565006', 'SCT', 'Volume'), volume, code('cm3', 'UCUM', 'cubic centimeter')),
    ],
    '1411',
  );
  return {
    ...commonModules(context, COMPREHENSIVE_SR_STORAGE, 'SR'),
    ...contentDate(context),
    ReferencedPerformedProcedureStepSequence: [],
    PerformedProcedureCodeSequence: [],
    CompletionFlag: 'COMPLETE',
    VerificationFlag: 'UNVERIFIED',
    CurrentRequestedProcedureEvidenceSequence: [
      {
        StudyInstanceUID: source.studyUid,
        ReferencedSeriesSequence: [
          { SeriesInstanceUID: source.seriesUid, ReferencedSOPSequence: image['ReferencedSOPSequence'] },
        ],
      },
    ],
    ValueType: 'CONTAINER',
    ConceptNameCodeSequence: [code('126000', 'DCM', 'Imaging Measurement Report')],
    ContinuityOfContent: 'SEPARATE',
    ContentTemplateSequence: [{ MappingResource: 'DCMR', TemplateIdentifier: '1500' }],
    ContentSequence: [
      item('HAS CONCEPT MOD', 'CODE', code('121049', 'DCM', 'Language of Content Item and Descendants'), {
        ConceptCodeSequence: [code('en', 'RFC5646', 'English')],
      }),
      item('HAS OBS CONTEXT', 'CODE', code('121005', 'DCM', 'Observer Type'), {
        ConceptCodeSequence: [code('121007', 'DCM', 'Device')],
      }),
      item('HAS OBS CONTEXT', 'UIDREF', code('121012', 'DCM', 'Device Observer UID'), {
        UID: deriveUid(context.seriesUid, 'observer'),
      }),
      item('HAS CONCEPT MOD', 'CODE', code('121058', 'DCM', 'Procedure reported'), {
        ConceptCodeSequence: [code('77477000', 'SCT', 'Computed tomography')],
      }),
      container('CONTAINS', code('111028', 'DCM', 'Image Library'), [
        container('CONTAINS', code('126200', 'DCM', 'Image Library Group'), [
          { RelationshipType: 'CONTAINS', ValueType: 'IMAGE', ...image },
        ]),
      ]),
      container('CONTAINS', code('126010', 'DCM', 'Imaging Measurements'), [group]),
    ],
  };
}
