import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { lockSchemaText } from '../../scripts/write-lock-schema.ts';
import {
  type CreateLockInput,
  createLock,
  inspectManifest,
  isLockLike,
  parseLock,
  printLock,
  readManifest,
} from '../../src/manifests/index.ts';
import { lockSchema } from '../../src/manifests/lock-schema.ts';

const A = '28621ba9-1aca-4aab-a2a1-f6d2c3e2ab19';
const B = '5d4d4cf8-65e9-4868-9ab5-3c8267157bd2';
const md5 = (digit: string) => `md5:${digit.repeat(32)}` as const;
const crc = (digit: string) => `crc32c:${digit.repeat(8)}` as const;

const uids = {
  SeriesInstanceUID: '1.2.3.4',
  StudyInstanceUID: '1.2.3',
  PatientID: 'P',
  collection_id: 'nlst',
  Modality: 'CT',
  license_short_name: 'CC BY 4.0',
  source_DOI: '10.7937/x',
};
const file = (series: string, name: string) => ({
  path: `nlst/${series}/${name}.dcm`,
  key: `${series}/${name}.dcm`,
  size: 12,
  digests: [md5('a'), crc('1'), md5('a')],
  mirrors: { gcs: 'idc-open-data', aws: 'idc-open-data' },
});
const input: CreateLockInput = {
  archive: { name: 'idc', origin: 'built-in' },
  release: 'v25',
  catalog: { version: '25.0.5', digest: `sha256:${'0'.repeat(64)}` },
  question: { what: ['nlst'], selection: { modality: ['CT'], collection: ['nlst'], limit: undefined } },
  layout: '{collection_id}/{file}',
  series: [
    { ...uids, crdc_series_uuid: B, files: [file(B, 'two'), file(B, 'one')] },
    { ...uids, crdc_series_uuid: A, files: [file(A, 'x')] },
  ],
  files: [
    { path: 'z.txt', key: 'z.txt', size: 1, digests: [], mirrors: { s3: 's3://bucket/' } },
    { path: 'a.txt', key: 'a.txt', size: 1, digests: [], mirrors: { s3: 's3://bucket/' } },
  ],
};

describe('the lock file', () => {
  test('is sorted, in a fixed order, without a trace of the machine', () => {
    expect(printLock(createLock({ ...input, series: input.series.slice(1), files: [] }))).toBe(`{
  "carrel_lock": 1,
  "archive": {
    "name": "idc",
    "origin": "built-in"
  },
  "release": "v25",
  "catalog": {
    "version": "25.0.5",
    "digest": "sha256:${'0'.repeat(64)}"
  },
  "question": {
    "what": [
      "nlst"
    ],
    "selection": {
      "collection": [
        "nlst"
      ],
      "modality": [
        "CT"
      ]
    }
  },
  "layout": "{collection_id}/{file}",
  "series": [
    {
      "crdc_series_uuid": "${A}",
      "SeriesInstanceUID": "1.2.3.4",
      "StudyInstanceUID": "1.2.3",
      "PatientID": "P",
      "collection_id": "nlst",
      "Modality": "CT",
      "license_short_name": "CC BY 4.0",
      "source_DOI": "10.7937/x",
      "files": [
        {
          "path": "nlst/${A}/x.dcm",
          "key": "${A}/x.dcm",
          "size": 12,
          "digests": [
            "crc32c:11111111",
            "md5:${'a'.repeat(32)}"
          ],
          "mirrors": {
            "aws": "idc-open-data",
            "gcs": "idc-open-data"
          }
        }
      ]
    }
  ],
  "files": []
}
`);
  });

  test('the order of what comes in does not matter', () => {
    const shuffled = {
      ...input,
      series: input.series.toReversed().map((series) => ({ ...series, files: series.files.toReversed() })),
      files: input.files?.toReversed(),
    };
    expect(printLock(createLock(shuffled))).toBe(printLock(createLock(input)));
    const lock = createLock(input);
    expect(lock.series.map(({ crdc_series_uuid }) => crdc_series_uuid)).toEqual([A, B]);
    expect(lock.series[1]?.files.map(({ key }) => key)).toEqual([`${B}/one.dcm`, `${B}/two.dcm`]);
    expect(lock.files.map(({ path }) => path)).toEqual(['a.txt', 'z.txt']);
  });

  test('members of a row that do not belong are not written', () => {
    const row = {
      ...input.series[0],
      bytes: 3,
      columns: { x: 1 },
      files: [],
    } as unknown as CreateLockInput['series'][number];
    expect(Object.keys(createLock({ ...input, series: [row] }).series[0] ?? {})).toEqual([
      'crdc_series_uuid',
      'SeriesInstanceUID',
      'StudyInstanceUID',
      'PatientID',
      'collection_id',
      'Modality',
      'license_short_name',
      'source_DOI',
      'files',
    ]);
  });

  test('what is printed is read again, and prints the same', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.uuid(), { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 4 }),
        fc.string(),
        (uuids, sizes, patient) => {
          const lock = createLock({
            ...input,
            series: uuids.map((uuid) => ({
              ...uids,
              PatientID: patient,
              crdc_series_uuid: uuid,
              files: sizes.map((size, index) => ({ ...file(uuid, `f${index}`), size })),
            })),
          });
          const text = printLock(lock);
          const again = parseLock(text, { origin: 'x' });
          expect(again).toEqual(lock);
          expect(printLock(again)).toBe(text);
        },
      ),
    );
  });

  const valid = () => JSON.parse(printLock(createLock(input)));

  test('unknown members are ignored: they may be added within a version', () => {
    expect(parseLock({ ...valid(), later: true }, { origin: 'x' })).toEqual(createLock(input));
  });

  test('another version of the format is said, not guessed at', () => {
    expect(() => parseLock({ ...valid(), carrel_lock: 2 }, { origin: 'x.json' })).toThrow(
      expect.objectContaining({
        code: 'unsupported',
        message: 'x.json is a lock file of version 2; this build reads version 1',
        next: 'install a newer carrel',
      }),
    );
  });

  test.each<[string, (lock: ReturnType<typeof valid>) => void, string]>([
    ['no series', (lock) => delete lock.series, 'x: series: '],
    ['a negative size', (lock) => (lock.series[0].files[0].size = -1), 'x: series.0.files.0.size: '],
    ['half a byte', (lock) => (lock.files[0].size = 0.5), 'x: files.0.size: '],
    [
      'a digest in capitals',
      (lock) => (lock.series[0].files[0].digests = [`md5:${'A'.repeat(32)}`]),
      'x: series.0.files.0.digests.0: must be md5:',
    ],
    [
      'a uuid that is none',
      (lock) => (lock.series[0].crdc_series_uuid = 'x'),
      'x: series.0.crdc_series_uuid: must be a UUID',
    ],
    ['a release as a number', (lock) => (lock.release = 25), 'x: release: '],
  ])('%s is refused by its place', (_, damage, message) => {
    const lock = valid();
    damage(lock);
    expect(() => parseLock(lock, { origin: 'x' })).toThrow(expect.objectContaining({ code: 'bad-input' }));
    expect(() => parseLock(lock, { origin: 'x' })).toThrow(message);
  });

  test.each(['../x', 'a/../../x', 'a//b', './x', 'a/.', 'C:x', 'c:/x'])(
    'the path %j is refused as unsafe',
    (path) => {
      const lock = valid();
      lock.files[0].path = path;
      expect(() => parseLock(lock, { origin: 'x' })).toThrow(
        expect.objectContaining({ code: 'unsafe', item: path }),
      );
    },
  );

  test.each(['/etc/x', 'a\\b', ''])('the path %j is no path of a lock file', (path) => {
    const lock = valid();
    lock.files[0].path = path;
    expect(() => parseLock(lock, { origin: 'x' })).toThrow(expect.objectContaining({ code: 'bad-input' }));
  });

  test('two files that would be one on a disk without case are refused', () => {
    const lock = valid();
    lock.files[1].path = 'A.TXT';
    expect(() => parseLock(lock, { origin: 'x' })).toThrow(
      expect.objectContaining({ code: 'unsafe', item: 'A.TXT' }),
    );
  });

  test('what is no lock file', () => {
    expect(() => parseLock('[]', { origin: 'x' })).toThrow(
      'x is not a lock file: it has no member "carrel_lock"',
    );
    expect(() => parseLock('{', { origin: 'x' })).toThrow(/^x is not JSON: /);
    expect([isLockLike({ carrel_lock: 9 }), isLockLike([]), isLockLike(null)]).toEqual([true, false, false]);
  });

  test('as a manifest it names its series and its other objects', () => {
    const manifest = readManifest(printLock(createLock(input)), { origin: 'carrel.lock.json' });
    expect(manifest).toMatchObject({ format: 'lock', problems: [] });
    expect(manifest.entries.map(({ identifier }) => identifier.text)).toEqual([
      A,
      B,
      's3://bucket/a.txt',
      's3://bucket/z.txt',
    ]);
  });
});

test('docs/carrel-lock.schema.json is what the code says (npx tsx scripts/write-lock-schema.ts writes it)', () => {
  const published = readFileSync(new URL('../../docs/carrel-lock.schema.json', import.meta.url), 'utf8');
  expect(published).toBe(lockSchemaText());
});

describe('what finding the format has read', () => {
  test('is handed over: the lock file, checked', () => {
    const lock = createLock(input);
    expect(inspectManifest(printLock(lock))).toEqual({ format: 'lock', lock });
  });

  test('a lock file read by hand is what the schema makes of it', () => {
    const value: unknown = JSON.parse(printLock(createLock(input)));
    const read = parseLock(value, { origin: 'x' });
    expect(read).toEqual(v.parse(lockSchema, value));
  });

  test.each([
    ['a size', { size: -1 }],
    ['a size that is text', { size: '12' }],
    ['a path with a backslash', { path: 'a\\b' }],
    ['no path', { path: '' }],
    ['no key', { key: '' }],
    ['a digest', { digests: ['md5:x'] }],
    ['a mirror', { mirrors: { aws: '' } }],
    ['mirrors', { mirrors: 'aws' }],
  ])('names the place of %s that is wrong, also among many files that are right', (_what, wrong) => {
    const value = JSON.parse(printLock(createLock(input))) as { series: { files: object[] }[] };
    Object.assign(value.series[0]?.files[0] ?? {}, wrong);
    expect(() => parseLock(value, { origin: 'x' })).toThrow(
      new RegExp(`^x: series\\.0\\.files\\.0\\.${Object.keys(wrong)[0]}`),
    );
  });
});
