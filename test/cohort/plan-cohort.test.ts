import { describe, expect, test } from 'vitest';
import { builtInArchive } from '../../src/archives/index.ts';
import { parseLayout } from '../../src/cohort/layout.ts';
import { lockOf, planFiles } from '../../src/cohort/plan-cohort.ts';
import type { Cohort, CohortSeries } from '../../src/cohort/question.ts';
import type { Digest } from '../../src/identifiers/index.ts';
import type { ObjectLocation } from '../../src/locations/index.ts';
import { printLock } from '../../src/manifests/index.ts';

const archive = builtInArchive('idc');
const A = '11111111-1111-4111-8111-111111111111';
const B = '22222222-2222-4222-8222-222222222222';
const INSTANCE = '33333333-3333-4333-8333-333333333333';
const MD5: Digest = 'md5:900150983cd24fb0d6963f7d28e17f72';
const layout = parseLayout('{PatientID}/{file}');

function location(key: string, digests: Digest[] = [MD5], mirror = 'aws'): ObjectLocation {
  const place = { protocol: 's3' as const, endpoint: 'https://s3.amazonaws.com', bucket: 'idc-open-data' };
  return { key, size: 3, digests, sources: [{ mirror, place, key }] };
}
function series(uuid: string): CohortSeries {
  const identity = {
    SeriesInstanceUID: '1.2',
    StudyInstanceUID: '1.3',
    PatientID: 'P 1',
    collection_id: 'c',
    Modality: 'CT',
  };
  const row = {
    crdc_series_uuid: uuid,
    ...identity,
    license_short_name: 'CC BY 4.0',
    source_DOI: '10.1/x',
    instanceCount: 1,
    bytes: 3,
    bytesRounded: false,
    buckets: {},
    minRelease: 1,
    maxRelease: 2,
    current: true,
    columns: {},
  };
  return { crdc_series_uuid: uuid, row };
}
const cohort = (parts: Partial<Cohort> = {}): Cohort => ({
  archive,
  release: 'v25',
  catalog: null,
  question: { what: [], selection: {} },
  series: [],
  objects: [],
  notes: [],
  unresolved: [],
  ...parts,
});

describe('naming files', () => {
  test('the same instance in two versions of a series is one file', () => {
    const located = [A, B].map((uuid) => ({
      series: series(uuid),
      locations: [location(`${uuid}/${INSTANCE}.dcm`)],
    }));
    expect(planFiles(cohort(), located, layout, false).map(({ path }) => path)).toEqual([
      `P 1/${INSTANCE}.dcm`,
    ]);
  });

  test('two files of one name that are not the same instance are refused, naming both', () => {
    const objects = ['a', 'b'].map((folder) => ({ location: location(`${folder}/1.dcm`), path: '1.dcm' }));
    expect(() => planFiles(cohort({ objects }), [], layout, false)).toThrow(
      expect.objectContaining({ code: 'unsafe', message: expect.stringMatching(/a\/1\.dcm and b\/1\.dcm/) }),
    );
    const other: Digest = 'md5:d41d8cd98f00b204e9800998ecf8427e';
    const located = [
      { series: series(A), locations: [location(`${A}/${INSTANCE}.dcm`)] },
      { series: series(B), locations: [location(`${B}/${INSTANCE}.dcm`, [other])] },
    ];
    expect(() => planFiles(cohort(), located, layout, false)).toThrow(
      expect.objectContaining({ code: 'unsafe' }),
    );
  });

  test('the same object named twice is one file', () => {
    const object = { location: location('a/1.dcm'), path: '1.dcm' };
    expect(planFiles(cohort({ objects: [object, object] }), [], layout, false)).toHaveLength(1);
  });

  test('a column that the catalogue does not have is an error, not an empty folder', () => {
    const located = [{ series: series(A), locations: [location(`${A}/${INSTANCE}.dcm`)] }];
    expect(() => planFiles(cohort(), located, parseLayout('{Patient}/{file}'), true)).toThrow(
      expect.objectContaining({ code: 'usage', item: 'Patient' }),
    );
  });
});

describe('a series that no table knows', () => {
  const unknown: CohortSeries = { crdc_series_uuid: A, row: undefined };
  const located = [{ series: unknown, locations: [location(`${A}/${INSTANCE}.dcm`)] }];
  const paths = (template: string, explicit: boolean) =>
    planFiles(cohort(), located, parseLayout(template), explicit).map(({ path }) => path);

  test('stands under its uuid, or as a layout says that needs no more', () => {
    expect(paths('{PatientID}/{file}', false)).toEqual([`${A}/${INSTANCE}.dcm`]);
    expect(paths('{file}', true)).toEqual([`${INSTANCE}.dcm`]);
    expect(paths('x/{crdc_series_uuid}-{file}', true)).toEqual([`x/${A}-${INSTANCE}.dcm`]);
    expect(() => paths('{PatientID}/{file}', true)).toThrow(
      expect.objectContaining({ code: 'usage', item: A }),
    );
  });
});

describe('the lock file', () => {
  const lockText = (digests: Digest[], mirror: string) => {
    const files = planFiles(
      cohort(),
      [{ series: series(A), locations: [location(`${A}/${INSTANCE}.dcm`, digests, mirror)] }],
      layout,
      true,
    );
    return printLock(lockOf(cohort(), files, layout.text, new Map()));
  };

  test('is the same text whatever mirror answered: one digest, all buckets', () => {
    expect(lockText([MD5, 'crc32c:364b3fb7'], 'aws')).toBe(lockText(['crc32c:364b3fb7', MD5], 'aws'));
    const { mirrors, digests } = JSON.parse(lockText([MD5], 'aws')).series[0].files[0] as Record<
      string,
      unknown
    >;
    expect({ mirrors, digests }).toEqual({
      mirrors: { aws: 'idc-open-data', gcs: 'idc-open-data' },
      digests: [MD5],
    });
  });

  test('names no time and no path of this machine', () => {
    const text = printLock(
      lockOf(
        cohort({ archive: { ...archive, origin: '/home/somebody/archive.json' } }),
        [],
        layout.text,
        new Map(),
      ),
    );
    expect(text).not.toContain('somebody');
    expect(JSON.parse(text)).toMatchObject({ archive: { origin: 'local' } });
  });
});
