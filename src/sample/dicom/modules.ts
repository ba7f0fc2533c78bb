/** Attributes that objects of all types share, module by module (PS3.3). */
import type { SeriesContext } from './context.ts';
import type { Dataset } from './encode.ts';

/** `20240131` of `2024-01-31`. */
export function dicomDate(date: string): string {
  return date.replaceAll('-', '');
}

/** A coded concept. */
export type Concept = { CodeValue: string; CodingSchemeDesignator: string; CodeMeaning: string };

/** A coded concept from its value, scheme and meaning. */
export function code(value: string, scheme: string, meaning: string): Concept {
  return { CodeValue: value, CodingSchemeDesignator: scheme, CodeMeaning: meaning };
}

/** A decimal string in exactly `width` characters: DS allows leading blanks. */
export function fixedDecimal(value: number, width: number): string {
  return value.toFixed(3).padStart(width, ' ');
}

/** Patient, Patient Study, General Study, General Series, General and Enhanced General Equipment, SOP Common. */
export function commonModules(context: SeriesContext, sopClassUid: string, modality: string): Dataset {
  const { patient, study, series } = context;
  const date = dicomDate(study.date);
  const dataset: Dataset = {
    SpecificCharacterSet: 'ISO_IR 192',
    SOPClassUID: sopClassUid,
    SOPInstanceUID: context.sopUid(0),
    InstanceCreationDate: date,
    InstanceCreationTime: '101500',
    StudyDate: date,
    SeriesDate: date,
    StudyTime: '100000',
    SeriesTime: '101000',
    AccessionNumber: '',
    Modality: modality,
    Manufacturer: series.equipment.manufacturer,
    ManufacturerModelName: series.equipment.model,
    SoftwareVersions: series.equipment.software,
    DeviceSerialNumber: 'SAMPLE-1',
    ReferringPhysicianName: '',
    StudyDescription: study.description,
    SeriesDescription: series.description,
    PatientName: `${patient.id.replaceAll('=', '-')}^SAMPLE`,
    PatientID: patient.id,
    PatientBirthDate: '',
    PatientSex: patient.sex ?? '',
    PatientIdentityRemoved: 'YES',
    DeidentificationMethod: 'Synthetic: made by a program, no person was imaged',
    StudyInstanceUID: context.studyUid,
    SeriesInstanceUID: context.seriesUid,
    StudyID: '1',
    SeriesNumber: series.number,
    InstanceNumber: 1,
  };
  if (patient.age !== null) dataset['PatientAge'] = patient.age;
  return dataset;
}

/** Image Pixel for monochrome images of 16 bits. */
export function monochrome16(rows: number, columns: number, signed: boolean): Dataset {
  return {
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: rows,
    Columns: columns,
    BitsAllocated: 16,
    BitsStored: 16,
    HighBit: 15,
    PixelRepresentation: signed ? 1 : 0,
  };
}

/** The bytes of pixels. The sample is written on little-endian machines only, as every Node port is. */
export function pixelBytes(pixels: Int16Array | Uint16Array): Uint8Array {
  return new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength);
}

/** When the content came about; for everything but structure sets, which have a date of their own. */
export function contentDate(context: SeriesContext): Dataset {
  return { ContentDate: dicomDate(context.study.date), ContentTime: '101500' };
}
