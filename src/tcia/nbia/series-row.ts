/** What NBIA says of a series, in whichever of its spellings. */
import { allowsCommercialUse } from '../../catalog/index.ts';
import { collectionId } from '../collections/idc-alternative.ts';

/** Which of the two servers. */
export type NbiaServer = 'nbia' | 'nlst';

/** A series as NBIA describes it; what it does not say is undefined. */
export interface NbiaSeries {
  SeriesInstanceUID: string;
  StudyInstanceUID: string | undefined;
  PatientID: string | undefined;
  /** As TCIA writes it: `TCGA-BRCA`. */
  Collection: string | undefined;
  Modality: string | undefined;
  /** ISO 8601. */
  StudyDate: string | undefined;
  StudyDescription: string | undefined;
  /** ISO 8601. */
  SeriesDate: string | undefined;
  SeriesDescription: string | undefined;
  SeriesNumber: string | undefined;
  BodyPartExamined: string | undefined;
  Manufacturer: string | undefined;
  ManufacturerModelName: string | undefined;
  /** Images that the server has. */
  imageCount: number | undefined;
  /** Sum of the unpacked files. */
  bytes: number | undefined;
  /** As NBIA writes it. */
  license: string | undefined;
  licenseUri: string | undefined;
  /** DOI or page of the data set. */
  dataDescriptionUri: string | undefined;
  server: NbiaServer;
}

/** Spellings of a field over the versions of the API, folded: letters and digits in lower case. */
const FIELDS: Record<Exclude<keyof NbiaSeries, 'server'>, readonly string[]> = {
  SeriesInstanceUID: ['seriesinstanceuid', 'seriesuid', 'seriesid'],
  StudyInstanceUID: ['studyinstanceuid', 'studyuid'],
  PatientID: ['patientid', 'subjectid'],
  Collection: ['collection', 'collectionname', 'project'],
  Modality: ['modality'],
  StudyDate: ['studydate'],
  StudyDescription: ['studydescription', 'studydesc'],
  SeriesDate: ['seriesdate'],
  SeriesDescription: ['seriesdescription', 'seriesdesc'],
  SeriesNumber: ['seriesnumber'],
  BodyPartExamined: ['bodypartexamined', 'bodypart'],
  Manufacturer: ['manufacturer'],
  ManufacturerModelName: ['manufacturermodelname'],
  imageCount: ['imagecount', 'numberofimages', 'numimages'],
  bytes: ['filesize', 'filesizebytes', 'totalsizeinbytes'],
  license: ['licensename'],
  licenseUri: ['licenseuri', 'licenseurl'],
  dataDescriptionUri: ['datadescriptionuri', 'collectionuri'],
};

/** Reads a row of JSON or CSV; undefined where it names no series. */
export function toNbiaSeries(row: Record<string, unknown>, server: NbiaServer): NbiaSeries | undefined {
  const folded = new Map<string, string>();
  for (const [name, value] of Object.entries(row)) {
    const text = typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
    if (text !== '' && !/^(?:null|undefined)$/i.test(text)) folded.set(fold(name), text);
  }
  const field = (name: keyof typeof FIELDS): string | undefined =>
    FIELDS[name].map((spelling) => folded.get(spelling)).find((text) => text !== undefined);
  const SeriesInstanceUID = field('SeriesInstanceUID');
  if (SeriesInstanceUID === undefined || !/^[0-9.]{3,64}$/.test(SeriesInstanceUID)) return undefined;
  return {
    SeriesInstanceUID,
    StudyInstanceUID: field('StudyInstanceUID'),
    PatientID: field('PatientID'),
    Collection: field('Collection'),
    Modality: field('Modality'),
    StudyDate: isoDate(field('StudyDate')),
    StudyDescription: field('StudyDescription'),
    SeriesDate: isoDate(field('SeriesDate')),
    SeriesDescription: field('SeriesDescription'),
    SeriesNumber: field('SeriesNumber'),
    BodyPartExamined: field('BodyPartExamined'),
    Manufacturer: field('Manufacturer'),
    ManufacturerModelName: field('ManufacturerModelName'),
    imageCount: wholeNumber(field('imageCount')),
    bytes: wholeNumber(field('bytes')),
    license: field('license'),
    licenseUri: field('licenseUri'),
    dataDescriptionUri: field('dataDescriptionUri'),
    server,
  };
}

/** The columns that a layout may name, as the catalogue of IDC calls them. */
export function layoutColumns(series: NbiaSeries): Record<string, unknown> {
  const { Collection, imageCount, bytes, server: _, license: _name, licenseUri: _uri, ...columns } = series;
  return {
    ...columns,
    collection_id: Collection === undefined ? undefined : collectionId(Collection),
    collection_name: Collection,
    license_short_name: licenseShortName(series),
    source_DOI: doiOf(series.dataDescriptionUri),
    instanceCount: imageCount,
    series_size_MB: bytes === undefined ? undefined : bytes / 1e6,
  };
}

/**
 * The licence as IDC names it (`CC BY-NC 3.0`), from its address or its name; null where neither says. What is no licence of
 * Creative Commons keeps the name that NBIA gives.
 */
export function licenseShortName({ license, licenseUri }: NbiaSeries): string | null {
  const [, kind, version] =
    /creativecommons\.org\/licenses\/(by(?:-nc)?(?:-sa|-nd)?)\/(\d\.\d)/i.exec(licenseUri ?? '') ?? [];
  if (kind !== undefined) return `CC ${kind.toUpperCase()} ${version}`;
  if (/creativecommons\.org\/publicdomain\/zero/i.test(licenseUri ?? '')) return 'CC0 1.0';
  const words = license ?? '';
  const number = /(\d\.\d)/.exec(words)?.[1];
  if (/^(?:creative commons )?(?:CC[ -]BY|attribution)/i.test(words) && number !== undefined) {
    const isFree = !/non-?commercial|-NC/i.test(words);
    const share = /share-?alike|-SA/i.test(words) ? '-SA' : /no-?deriv|-ND/i.test(words) ? '-ND' : '';
    const name = `CC BY${isFree ? '' : '-NC'}${share} ${number}`;
    // A name that was read wrongly must not allow more than it says.
    if (isFree === allowsCommercialUse(name)) return name;
  }
  return words === '' ? null : words;
}

function doiOf(uri: string | undefined): string | undefined {
  return /(10\.\d{4,9}\/[^\s?#]+)/.exec(uri ?? '')?.[1]?.toLowerCase();
}

/** `2001-02-03 00:00:00.0`, `02-03-2001`, `02/03/2001`, `20010203`: as ISO 8601; anything else as it is. */
export function isoDate(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const american = /^(\d{1,2})[-/](\d{1,2})[-/](\d{4})\b/.exec(text);
  if (american !== null) {
    const [, month = '', day = '', year = ''] = american;
    return `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  }
  const iso = /^(\d{4})-?(\d{2})-?(\d{2})(?:\D|$)/.exec(text);
  return iso === null ? text : `${iso[1]}-${iso[2]}-${iso[3]}`;
}

function wholeNumber(text: string | undefined): number | undefined {
  const number = text === undefined ? Number.NaN : Number(text.replaceAll(',', ''));
  return Number.isSafeInteger(Math.round(number)) && number >= 0 ? Math.round(number) : undefined;
}

function fold(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}
