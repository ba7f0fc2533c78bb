import { describe, expect, test } from 'vitest';
import { standingObject } from '../../src/locations/standing-object.ts';

const place = { protocol: 's3', endpoint: 'http://127.0.0.1:9', bucket: 'b' } as const;
const md5 = `md5:${'a'.repeat(32)}` as const;
const crc = `crc32c:${'1'.repeat(8)}` as const;
const plain = {
  key: 'series/file.dcm',
  size: 5,
  digests: [md5],
  sources: [
    { mirror: 'aws', place, key: 'series/file.dcm' },
    { mirror: 'gcs', place, key: 'series/file.dcm' },
  ],
};
const places = [
  { mirror: 'aws', place },
  { mirror: 'gcs', place },
];

describe('an object that makes its lists when they are asked for', () => {
  const object = standingObject(plain, places);

  test('is like a literal: compared, copied, written as JSON, sent to a thread', () => {
    expect(object).toEqual(plain);
    expect({ ...object, size: 6 }).toEqual({ ...plain, size: 6 });
    expect(JSON.parse(JSON.stringify(object))).toEqual(plain);
    expect(structuredClone(object)).toEqual(plain);
    expect(Object.keys(object).sort()).toEqual(Object.keys(plain).sort());
  });

  test('keeps any number of digests', () => {
    for (const digests of [[], [md5], [md5, crc]])
      expect(standingObject({ ...plain, digests }, places).digests).toEqual(digests);
  });

  test('a list that is changed changes no other', () => {
    object.sources.pop();
    object.digests.push(crc);
    expect(object).toEqual(plain);
  });
});
