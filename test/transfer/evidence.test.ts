import { describe, expect, test } from 'vitest';
import type { Digest } from '../../src/identifiers/index.ts';
import { algorithmsOf, type Claim, judge } from '../../src/transfer/evidence.ts';

const md5 = (n: number): Digest => `md5:${String(n).repeat(32)}`;
const crc64 = (n: number): Digest => `crc64nvme:${String(n).repeat(16)}`;
const crc = (n: number): Digest => `crc32c:${String(n).repeat(8)}`;
const sha = (n: number): Digest => `sha256:${String(n).repeat(64)}`;
const claim = (change: Partial<Claim>): Claim => ({
  verify: 'full',
  size: 10,
  planned: [],
  replied: [],
  bytes: 10,
  found: [sha(1), md5(1), crc64(1), crc(1)],
  ...change,
});

describe('the judgement', () => {
  test.each<[string, Partial<Claim>, string]>([
    ['nothing but the size', {}, 'size'],
    ['nothing at all', { size: undefined }, 'none'],
    ['a CRC of the reply', { replied: [crc(1)] }, 'crc32c'],
    ['both CRCs of the reply', { replied: [crc(1), crc64(1)] }, 'crc64nvme'],
    ['an MD5 of the plan', { planned: [md5(1)] }, 'md5'],
    ['an MD5 of the plan and a CRC of the reply', { planned: [md5(1)], replied: [crc(1)] }, 'md5'],
    ['all there is', { planned: [crc(1), md5(1)], replied: [sha(1)] }, 'sha256'],
    ['a digest that was not computed', { planned: [sha(1)], found: [md5(1)] }, 'size'],
    ['sizes only, because so it was asked', { verify: 'size', planned: [md5(2)] }, 'size'],
    ['nothing, because so it was asked', { verify: 'none', size: 99, planned: [md5(2)] }, 'none'],
  ])('by %s', (_, change, verifiedBy) => {
    expect(judge(claim(change))).toEqual({ good: true, verifiedBy });
  });

  test.each<[string, Partial<Claim>, string, string]>([
    ['another size', { bytes: 9 }, '10 bytes', '9 bytes'],
    ['another size, by size', { bytes: 9, verify: 'size' }, '10 bytes', '9 bytes'],
    ['another MD5', { planned: [md5(2)] }, md5(2), md5(1)],
    ['one of two digests of the plan', { planned: [sha(1), crc(2)] }, crc(2), crc(1)],
    ['a CRC-64 of the reply', { replied: [crc64(2)] }, crc64(2), crc64(1)],
    ['a digest of the reply', { replied: [md5(2)] }, md5(2), md5(1)],
    [
      'a digest of the reply that only a CRC speaks against',
      { planned: [crc(1)], replied: [md5(2)] },
      md5(2),
      md5(1),
    ],
  ])('is against bytes with %s', (_, change, expected, found) => {
    expect(judge(claim(change))).toEqual({ good: false, expected, found });
  });

  test('believes the MD5 of the plan rather than a header', () => {
    expect(judge(claim({ planned: [md5(1)], replied: [crc(2)] }))).toEqual({
      good: true,
      verifiedBy: 'md5',
      disagreed: { expected: crc(2), found: crc(1) },
    });
  });
});

describe('what is computed', () => {
  test.each<[string, Digest[][], string[]]>([
    ['all that is known', [[md5(1)], [crc(1), sha(1)]], ['md5', 'crc32c', 'sha256']],
    ['a CRC-64 where there is nothing stronger', [[crc(1)], [crc64(1)]], ['crc32c', 'crc64nvme']],
    ['no CRC-64 of the reply beside an MD5 of the plan', [[md5(1)], [crc64(1)]], ['md5']],
    ['nor beside an MD5 of the reply', [[], [crc64(1), md5(1)]], ['md5']],
    ['but that of the plan in any case', [[crc64(1)], [md5(1)]], ['crc64nvme', 'md5']],
  ])('%s', (_, lists, expected) => {
    expect([...algorithmsOf(...lists)]).toEqual(expected);
  });
});
