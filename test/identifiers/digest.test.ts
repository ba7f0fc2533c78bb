import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isCarrelError } from '../../src/errors.ts';
import { isDigest, parseDigest } from '../../src/identifiers/index.ts';

const md5 = 'md5:f338e8c5e3d8955d222a04d5f3f6e2b4';

describe('digests', () => {
  test.each([
    [md5, 'md5', 'f338e8c5e3d8955d222a04d5f3f6e2b4'],
    ['crc32c:e3069283', 'crc32c', 'e3069283'],
    ['crc64nvme:ae8b14860a799888', 'crc64nvme', 'ae8b14860a799888'],
    [`sha256:${'0123456789abcdef'.repeat(4)}`, 'sha256', '0123456789abcdef'.repeat(4)],
  ])('%s is split', (text, algorithm, hex) => {
    expect(isDigest(text)).toBe(true);
    expect(parseDigest(text)).toEqual({ algorithm, hex });
  });

  test.each([
    ['capitals', md5.toUpperCase()],
    ['capital hex', 'md5:F338E8C5E3D8955D222A04D5F3F6E2B4'],
    ['one digit short', md5.slice(0, -1)],
    ['one digit long', `${md5}0`],
    ['another length for the algorithm', 'crc32c:f338e8c5e3d8955d222a04d5f3f6e2b4'],
    ['an unknown algorithm', `sha1:${'0'.repeat(40)}`],
    ['a name of Object.prototype', 'constructor:00'],
    ['no algorithm', 'f338e8c5e3d8955d222a04d5f3f6e2b4'],
    ['a third part', `${md5}:0`],
    ['a newline', `${md5}\n`],
    ['base64, as Google writes it', 'md5:8zjoxePYlV0iKgTV8/bitA=='],
    ['nothing', ''],
  ])('%s is none', (_, text) => {
    expect(isDigest(text)).toBe(false);
    expect(() => parseDigest(text)).toThrow('not a digest');
  });

  test('a refusal says what digests look like, and repeats no more than 80 characters', () => {
    try {
      parseDigest('x'.repeat(10_000));
      expect.unreachable();
    } catch (error) {
      if (!isCarrelError(error, 'bad-input')) throw error;
      expect(error.item).toHaveLength(80);
      expect(error.message.length).toBeLessThan(120);
      expect(error.next).toContain('md5:<32 hex>');
    }
  });

  test('whatever is a digest is put together again from its parts', () => {
    const lengths = { md5: 32, crc32c: 8, crc64nvme: 16, sha256: 64 } as const;
    const digests = fc
      .constantFrom('md5' as const, 'crc32c' as const, 'crc64nvme' as const, 'sha256' as const)
      .chain((algorithm) =>
        fc
          .string({
            unit: fc.constantFrom(...Array.from('0123456789abcdef')),
            minLength: lengths[algorithm],
            maxLength: lengths[algorithm],
          })
          .map((hex) => ({ algorithm, hex })),
      );
    fc.assert(
      fc.property(digests, ({ algorithm, hex }) => {
        expect(parseDigest(`${algorithm}:${hex}`)).toEqual({ algorithm, hex });
      }),
    );
  });
});
