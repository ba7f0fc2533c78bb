/** A small world for NBIA: series of DICOM files that hold nothing but who they are, and some noise. */
import { createHash } from 'node:crypto';
import type { NbiaWorldImage, NbiaWorldSeries } from './nbia.ts';

/** A DICOM file of Part 10: preamble, File Meta Information, SOPInstanceUID, and noise that does not shrink. */
export function dicomFile(sopInstanceUid: string, size = 2000): Buffer {
  const meta = Buffer.concat([
    element(0x0002, 0x0001, 'OB', Buffer.from([0, 1])),
    element(0x0002, 0x0002, 'UI', uid('1.2.840.10008.5.1.4.1.1.2')),
    element(0x0002, 0x0003, 'UI', uid(sopInstanceUid)),
    element(0x0002, 0x0010, 'UI', uid('1.2.840.10008.1.2.1')),
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(meta.length);
  const noise: Buffer[] = [];
  for (let at = 0; at < size; at += 32)
    noise.push(createHash('sha256').update(`${sopInstanceUid} ${at}`).digest());
  return Buffer.concat([
    Buffer.alloc(128),
    Buffer.from('DICM'),
    element(0x0002, 0x0000, 'UL', length),
    meta,
    element(0x0008, 0x0018, 'UI', uid(sopInstanceUid)),
    element(0x7fe0, 0x0010, 'OB', Buffer.concat(noise)),
  ]);
}

/** So many images of a series. */
export function imagesOf(seriesUid: string, count: number, size?: number): NbiaWorldImage[] {
  return Array.from({ length: count }, (_, index) => {
    const sopInstanceUid = `${seriesUid}.${index + 1}`;
    return { sopInstanceUid, bytes: dicomFile(sopInstanceUid, size) };
  });
}

/** A series of TCIA; the last arguments replace what it is by default. */
export function worldSeries(uidOf: string, count = 3, more: Partial<NbiaWorldSeries> = {}): NbiaWorldSeries {
  return {
    Collection: 'TEST-NBIA',
    PatientID: 'TEST-01',
    StudyInstanceUID: `${uidOf.slice(0, uidOf.lastIndexOf('.'))}.99`,
    SeriesInstanceUID: uidOf,
    Modality: 'CT',
    StudyDate: '2001-02-03 00:00:00.0',
    StudyDesc: 'CHEST/ABDOMEN',
    SeriesDate: '02-03-2001',
    SeriesDescription: 'AX 5mm "soft"',
    SeriesNumber: '3',
    BodyPartExamined: 'CHEST',
    Manufacturer: 'ACME',
    LicenseName: 'Creative Commons Attribution 4.0 International License',
    LicenseURI: 'https://creativecommons.org/licenses/by/4.0/',
    DataDescriptionURI: 'https://doi.org/10.7937/TEST-NBIA',
    images: imagesOf(uidOf, count),
    ...more,
  };
}

function element(group: number, number: number, vr: string, value: Buffer): Buffer {
  const long = vr === 'OB';
  const head = Buffer.alloc(long ? 12 : 8);
  head.writeUInt16LE(group, 0);
  head.writeUInt16LE(number, 2);
  head.write(vr, 4, 'latin1');
  if (long) head.writeUInt32LE(value.length, 8);
  else head.writeUInt16LE(value.length, 6);
  return Buffer.concat([head, value]);
}

function uid(text: string): Buffer {
  return Buffer.from(text.length % 2 === 0 ? text : `${text}\0`, 'latin1');
}
