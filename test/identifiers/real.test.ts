/**
 * Real identifiers of the Imaging Data Commons, as its notebooks, tests and documentation name them; and, where the
 * wheel of its catalogue is at hand (CARREL_TEST_WHEEL=…/idc_index_data-25.0.5-py3-none-any.whl), all of them.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Identifier,
  parseIdentifier,
  printIdentifier,
  tryParseIdentifier,
} from '../../src/identifiers/index.ts';
import { unpackedWheel } from '../catalog/real-tables.ts';

const REAL: Partial<Record<Identifier['kind'], string[]>> = {
  name: [
    'rider_pilot',
    'nlst',
    'tcga_luad',
    'tcga_lihc',
    'tcga_gbm',
    'htan_ohsu',
    'ct_phantom4radiomics',
    'cmb_gec',
    'upenn_gbm',
    'remind',
    'phantom_fda',
    'lidc_idri',
    'cptac_luad',
    'cptac_lscc',
    'cptac_cm',
    'rms_mutation_prediction',
    'ccdi_mci',
    'qin_prostate_repeatability',
    'nsclc_radiomics',
    'pdmr_texture_analysis',
    'acrin_6698',
    'acrin_nsclc_fdg_pet',
    '100002',
    'PCAMPMRI-00001',
    'NoduleLayout_1',
    'LUNG1-001',
    'LUNG1-025',
    'TCGA-05-4244',
    'TCGA-50-6592',
    'UPENN-GBM-00370',
    'breast_mri_nact_pilot',
    'pdmr_292921_168_r',
    'LIDC-IDRI-0193',
    'ZZ RIDER MR8 1',
    'C3N-04457',
    'Calc-Test_P_00038_RIGHT_MLO_2',
    'P_00038_RIGHT_MLO_2.dcm',
    'totalsegmentator_ct_segmentations',
  ],
  'dicom-uid': [
    '1.2.840.113654.2.55.68425808326883186792123057288612355322',
    '1.3.6.1.4.1.14519.5.2.1.7695.1700.114861588187429958687900856462',
    '1.3.6.1.4.1.14519.5.2.1.6279.6001.175012972118199124641098335511',
    '1.3.6.1.4.1.14519.5.2.1.1239.1759.691327824408089993476361149761',
    '1.2.840.113654.2.55.100004988183996567551011427980805457777',
    '1.3.6.1.4.1.14519.5.2.1.7695.1700.153974929648969296590126728101',
    '1.2.840.113654.2.55.229650531101716203536241646069123704792',
    '1.3.6.1.4.1.14519.5.2.1.3671.4754.228015946741563785297552112143',
    '1.3.6.1.4.1.9328.50.1.69736',
    '1.3.6.1.4.1.5962.99.1.1963588793.523070908.1638346161337.2.0',
    '1.2.826.0.1.3680043.10.511.3.13030052368605737491286008410171774',
    '1.2.276.0.7230010.3.1.3.313263360.15787.1706310178.804490',
    '1.3.6.1.4.1.5962.99.1.1900325859.924065538.1719887277027.10.0',
    '2.25.52562508346911983761523927257987425894',
    '1.3.6.1.4.1.131619305319442714547556255525285829796',
    '1.3.6.1.4.1.14519.5.2.1.6279.6001.287560874054243719452635194040',
    '1.3.6.1.4.1.9328.50.4.0001',
  ],
  'crdc-uuid': [
    '28621ba9-1aca-4aab-a2a1-f6d2c3e2ab19',
    'f0b76401-c6d1-4b61-a5fd-3fa596e6cc41',
    '4ea3bbe6-98da-4b92-abe6-2ee18927e3c9',
    '2f77262c-3a4a-4e5a-bdc0-056dc2837f15',
    '35459457-bd4c-4eef-9579-47f12fc6928e',
    '9c9ab2bf-c784-4658-b0f9-d2e4b33f2dbf',
    '312788ec-8739-4e56-a857-efcab92b20ed',
    'c27b80c9-0e90-416b-8eca-0b20bc0cf8e2',
    'e5c5c71d-62c4-4c50-a8a9-b6799c7f8dea',
    'b7403fcb-0f50-4676-88f6-d1b3366044e4',
    '5d4d4cf8-65e9-4868-9ab5-3c8267157bd2',
    'e127d258-37c2-47bb-a7d1-1faa7f47f47a',
    'ee34c840-b0ca-4400-a6c8-c605cef17630',
    '641121f1-5ca0-42cc-9156-fb5538c14355',
    '09bc812b-53f7-48fc-8895-72f6b03f642b',
    '0025b198-6198-4b33-85cf-92582531ad28.dcm',
    '5dce0cf0-4694-4dff-8f9e-2785bf179267.dcm',
  ],
  doi: [
    '10.1148/rg.230180',
    '10.7937/k9/tcia.2016.immqw8uq',
    '10.7937/k9/tcia.2018.oblamn27',
    '10.7937/tcia.709x-dn49',
    '10.7937/k9/tcia.2015.lo9ql9sx',
    '10.7937/tcia.hmq8-j677',
    '10.5281/zenodo.8347011',
  ],
  'object-url': [
    's3://idc-open-data/668029cf-41bf-4644-b68a-46b8fa99c3bc/f4fe9671-0a99-4b6d-9641-d441f13620d4.dcm',
    's3://idc-open-data/c48ad852-a8ae-4cfa-9deb-221e4c469b9b/bb7bdd9b-b75f-491c-a34c-3a6799429a28.dcm',
    's3://idc-open-data/7a6b2389-53c6-4c5b-b07f-6d1ed4a3eed9/0d73f84e-70ae-4eeb-96a0-1c613b5d9229.dcm',
    's3://idc-open-data/28621ba9-1aca-4aab-a2a1-f6d2c3e2ab19/*',
    's3://public-datasets-idc/6079cc3b-4b0f-41ec-bdbb-c6e754e88229/*',
    's3://invalid-idc-open-data/28621ba9-1aca-4aab-a2a1-f6d2c3e2ab19/*',
    'gs://crdcobj/f5d6b517-2c02-4035-9444-0f15be7180ff/',
    'gs://crdcobj/f5d6b517-2c02-4035-9444-0f15be7180ff',
    's3://idc-open-metadata/bigquery_export/idc_v25_clinical/*',
    'https://storage.googleapis.com/idc-index-data-artifacts/current/release_artifacts/idc_index.parquet',
  ],
  drs: ['drs://dg.4DFC/f5d6b517-2c02-4035-9444-0f15be7180ff', 'drs://dg.4DFC/some_TBD_uuid'],
  guid: ['dg.4DFC/641121f1-5ca0-42cc-9156-fb5538c14355'],
  'drs-url': [
    'https://nci-crdc.datacommons.io/ga4gh/drs/v1/objects/dg.4DFC/641121f1-5ca0-42cc-9156-fb5538c14355',
  ],
  'compound-object': ['gs://crdcobj/f5d6b517-2c02-4035-9444-0f15be7180ff/crdcobj.json'],
};

describe('named in public notebooks, tests and documentation', () => {
  for (const [kind, texts] of Object.entries(REAL)) {
    test.each(texts)(`${kind} %s`, (text) => {
      expect(parseIdentifier(text).kind).toBe(kind);
    });
  }
});

/** The compound object and the manifests of the field's own tests, where the folder of samples is at hand. */
const samples = path.resolve(import.meta.dirname, '../../../shared/samples');
describe.skipIf(!existsSync(samples))('in real files (skipped without ../shared/samples)', () => {
  test('every URI of the one real compound object', () => {
    const name = readdirSync(samples).find((file) => file.startsWith('crdcobj_')) ?? '';
    const text = readFileSync(path.join(samples, name), 'utf8');
    const uris = text.match(/drs:\/\/[^"]+/g) ?? [];
    expect(uris).toHaveLength(104);
    const withUuid = uris
      .map((uri) => parseIdentifier(uri))
      .filter((found) => found.kind === 'drs' && found.uuid !== undefined);
    expect(withUuid).toHaveLength(102); // itself and its 101 children; folder and archive were never minted
  });

  test('every URL and UID of the manifests', () => {
    const folder = path.join(samples, 'manifests');
    const words = readdirSync(folder).flatMap((file) =>
      readFileSync(path.join(folder, file), 'utf8').split(/\s+/),
    );
    const urls = words.filter((word) => word.startsWith('s3://'));
    const uids = words.filter((word) => /^[0-9.]{20,}$/.test(word));
    expect(urls.length).toBeGreaterThan(10);
    expect(uids.length).toBeGreaterThan(10);
    for (const url of urls)
      expect(parseIdentifier(url)).toMatchObject({
        kind: 'object-url',
        form: 'wildcard',
        layout: 'hierarchical',
      });
    for (const uid of uids) expect(parseIdentifier(uid)).toMatchObject({ kind: 'dicom-uid', warnings: [] });
  });
});

const wheel = process.env['CARREL_TEST_WHEEL'];
describe.skipIf(wheel === undefined)('all of release v25 (skipped without CARREL_TEST_WHEEL)', () => {
  let column: (name: string) => Promise<string[]>;
  let close: () => void = () => undefined;

  beforeAll(async () => {
    const file = path.join(await unpackedWheel(wheel ?? ''), 'idc_index.parquet');
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const connection = await (await DuckDBInstance.create()).connect();
    column = async (name) => {
      const reader = await connection.runAndReadAll(
        `SELECT DISTINCT ${name} FROM read_parquet('${file}') WHERE ${name} IS NOT NULL`,
      );
      return reader.getRows().map(([value]) => String(value));
    };
    close = () => {
      connection.closeSync();
    };
  });
  afterAll(() => close());

  /** How many values were read as which kind; those that were refused, by themselves. */
  async function kinds(
    name: string,
  ): Promise<{ counts: Record<string, number>; refused: string[]; changed: string[] }> {
    const counts: Record<string, number> = {};
    const refused: string[] = [];
    const changed: string[] = [];
    for (const value of await column(name)) {
      const found = tryParseIdentifier(value);
      if (found === undefined) refused.push(value);
      else {
        counts[found.kind] = (counts[found.kind] ?? 0) + 1;
        if (printIdentifier(found) !== value) changed.push(value);
      }
    }
    return { counts, refused, changed };
  }

  test.each([
    ['collection_id', { name: 179 }],
    ['crdc_series_uuid', { 'crdc-uuid': 1_044_191 }],
    ['SeriesInstanceUID', { 'dicom-uid': 1_044_191 }],
    ['StudyInstanceUID', { 'dicom-uid': 168_507 }],
    ['source_DOI', { doi: 242 }],
    ['series_aws_url', { 'object-url': 1_044_191 }],
    ['PatientID', { name: 85_569, 'dicom-uid': 793 }],
  ])(
    '%s',
    async (name, counts) => {
      expect(await kinds(name)).toEqual({ counts, refused: [], changed: [] });
    },
    120_000,
  );
});
