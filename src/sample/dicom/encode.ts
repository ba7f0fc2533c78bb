/**
 * Encodes DICOM with dcmjs, which is loaded here and nowhere else in this room. Through `require`: its ES module
 * build is not marked as one, so `import()` of it fails on Node versions that do not guess the format (20.18).
 *
 * dcmjs takes about 2 ms for an image with 70 attributes. A series therefore is encoded once, as a template, and
 * its instances are made by patching values of fixed width (`createTemplate`).
 */
import { createRequire } from 'node:module';
import { CarrelError } from '../../errors.ts';
import { IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME } from '../version.ts';

/** A value of a data set as dcmjs takes it. Sequences are arrays of data sets. */
export type Value = string | number | ArrayBuffer | Dataset | (string | number | Dataset)[] | undefined;

/** A data set by keyword (`PatientID`). Type 2 attributes without a value are empty texts. */
export interface Dataset {
  [keyword: string]: Value;
}

/** What is used of dcmjs. */
interface Dcmjs {
  data: {
    DicomDict: new (meta: object) => { dict: object; write(): ArrayBuffer };
    DicomMetaDictionary: { denaturalizeDataset(dataset: object): object };
  };
}

const EXPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';

let loaded: Dcmjs | undefined;

function loadDcmjs(): Dcmjs {
  loaded ??= createRequire(import.meta.url)('dcmjs') as Dcmjs;
  return loaded;
}

/** Value representations that the dictionary leaves open, by keyword. */
const OPEN_REPRESENTATIONS = {
  PixelPaddingValue: 'SS',
  SmallestImagePixelValue: 'SS',
  LargestImagePixelValue: 'SS',
};

/**
 * A whole file: preamble, file meta information and data set, Explicit VR Little Endian. Without pixel data, unless
 * the data set has some, with `pixelRepresentation` as its VR.
 */
export function encodeFile(dataset: Dataset, pixelRepresentation: 'OW' | 'OB' = 'OW'): Buffer {
  const { DicomDict, DicomMetaDictionary } = loadDcmjs().data;
  const file = new DicomDict({
    '00020001': { vr: 'OB', Value: [new Uint8Array([0, 1]).buffer] },
    '00020002': { vr: 'UI', Value: [dataset['SOPClassUID']] },
    '00020003': { vr: 'UI', Value: [dataset['SOPInstanceUID']] },
    '00020010': { vr: 'UI', Value: [EXPLICIT_LITTLE_ENDIAN] },
    '00020012': { vr: 'UI', Value: [IMPLEMENTATION_CLASS_UID] },
    '00020013': { vr: 'SH', Value: [IMPLEMENTATION_VERSION_NAME] },
  });
  file.dict = DicomMetaDictionary.denaturalizeDataset({
    ...dataset,
    _vrMap: { ...OPEN_REPRESENTATIONS, PixelData: pixelRepresentation },
  });
  return Buffer.from(file.write());
}

/** The header of a native image: a file that ends right before the bytes of its pixels. */
export interface Template {
  /** The header with new values; each text must be as long as the one in the template. */
  fill(values: Readonly<Record<string, string>>, words?: Readonly<Record<string, number>>): Buffer;
}

/** Places of values that are filled in per instance. */
export interface TemplateFields {
  /** Texts to be replaced, by name: each must occur in the header, and nowhere as part of another value. */
  texts?: Readonly<Record<string, string>>;
  /** Attributes of VR US with one value at the top level, by name: group and element. */
  words?: Readonly<Record<string, readonly [group: number, element: number]>>;
}

/**
 * Encodes `dataset` once, to be filled in for each instance.
 *
 * @param pixelBytes - length of the pixel data of every instance, even
 */
export function createTemplate(
  dataset: Dataset,
  fields: TemplateFields,
  pixelBytes: number,
  pixelRepresentation: 'OW' | 'OB' = 'OW',
): Template {
  const encoded = encodeFile({ ...dataset, PixelData: new ArrayBuffer(0) }, pixelRepresentation);
  // PixelData is the last element: tag (4), VR (2), reserved (2), length (4).
  encoded.writeUInt32LE(pixelBytes, encoded.length - 4);
  const places = Object.entries(fields.texts ?? {}).map(([name, text]) => ({
    name,
    text,
    at: findAll(encoded, text),
  }));
  const words = Object.entries(fields.words ?? {}).map(([name, tag]) => ({
    name,
    at: findAll(encoded, unsignedShortHeader(tag)),
  }));
  for (const { name, at } of [...places, ...words]) {
    if (at.length === 0) throw new CarrelError('internal', `the template has no place for ${name}`);
  }
  return {
    fill(values, numbers = {}) {
      const header = Buffer.from(encoded);
      for (const { name, text, at } of places) {
        const value = values[name];
        if (value?.length !== text.length) {
          throw new CarrelError('internal', `${name} must have ${text.length} characters`, { item: value });
        }
        for (const offset of at) header.write(value, offset, 'latin1');
      }
      for (const { name, at } of words) {
        for (const offset of at) header.writeUInt16LE(numbers[name] ?? 0, offset + US_HEADER_LENGTH);
      }
      return header;
    },
  };
}

/** Offsets of every occurrence of `text`. */
function findAll(bytes: Buffer, text: string | Buffer): number[] {
  const offsets: number[] = [];
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + text.length)) offsets.push(at);
  return offsets;
}

/** Tag (4), VR (2), length (2). */
const US_HEADER_LENGTH = 8;

/** What stands before the value of an attribute of VR US. */
function unsignedShortHeader([group, element]: readonly [number, number]): Buffer {
  const header = Buffer.alloc(US_HEADER_LENGTH);
  header.writeUInt16LE(group, 0);
  header.writeUInt16LE(element, 2);
  header.write('US', 4, 'latin1');
  header.writeUInt16LE(2, 6);
  return header;
}
