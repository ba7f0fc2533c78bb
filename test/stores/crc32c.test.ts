import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { combineCrc32c, createCrc32c } from '../../src/stores/index.ts';

const bytes = (text: string) => Buffer.from(text);

function crcOf(implementation: 'native' | 'javascript', ...chunks: Uint8Array[]): string {
  const crc = createCrc32c({ implementation });
  for (const chunk of chunks) crc.update(chunk);
  return crc.digest();
}

/** RFC 3720, appendix B.4, printed as numbers (the RFC prints them byte by byte, lowest first). */
const RFC_3720: [string, Uint8Array, string][] = [
  ['32 zero bytes', Buffer.alloc(32, 0), '8a9136aa'],
  ['32 bytes of ff', Buffer.alloc(32, 0xff), '62a8ab43'],
  ['0 to 31', Buffer.from(Array.from({ length: 32 }, (_, i) => i)), '46dd794e'],
  ['31 down to 0', Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)), '113fdb5c'],
  ['the digits', bytes('123456789'), 'e3069283'],
  ['nothing', Buffer.alloc(0), '00000000'],
];

describe.each(['native', 'javascript'] as const)('createCrc32c, %s', (implementation) => {
  test.each(RFC_3720)('%s', (_name, input, expected) => {
    expect(crcOf(implementation, input)).toBe(expected);
  });

  test('does not depend on how the bytes are cut', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), fc.nat(7), (data, cut, skew) => {
        const shifted = Buffer.concat([Buffer.alloc(skew), data]).subarray(skew);
        expect(crcOf(implementation, shifted.subarray(0, cut), shifted.subarray(cut))).toBe(
          crcOf(implementation, data),
        );
      }),
    );
  });

  test('a digest may be asked for on the way', () => {
    const crc = createCrc32c({ implementation });
    crc.update(bytes('1234'));
    expect(crc.digest()).toBe(crcOf(implementation, bytes('1234')));
    crc.update(bytes('56789'));
    expect(crc.digest()).toBe('e3069283');
    expect(crc.digest()).toBe('e3069283');
  });
});

test('both implementations agree on anything', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), (data) => {
      expect(crcOf('javascript', data)).toBe(crcOf('native', data));
    }),
  );
});

describe('combineCrc32c', () => {
  test('the parts give the whole', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.uint8Array({ maxLength: 400 }), (a, b) => {
        expect(combineCrc32c(crcOf('native', a), crcOf('native', b), b.length)).toBe(crcOf('native', a, b));
      }),
    );
  });

  test('a second part longer than 4 GiB', () => {
    const [mebibyte, count] = [Buffer.alloc(1 << 20, 7), 4100];
    const [whole, second] = [createCrc32c(), createCrc32c()];
    whole.update(bytes('first'));
    for (let i = 0; i < count; i += 1) {
      whole.update(mebibyte);
      second.update(mebibyte);
    }
    expect(combineCrc32c(crcOf('native', bytes('first')), second.digest(), count * 2 ** 20)).toBe(
      whole.digest(),
    );
  });

  test.each(['', '1234567', 'xyzxyzxy', '123456789'])('refuses %j', (text) => {
    expect(() => combineCrc32c(text, '00000000', 1)).toThrow(/not a CRC32C/);
  });

  test.each([-1, 1.5, Number.NaN])('refuses a length of %d', (length) => {
    expect(() => combineCrc32c('00000000', '00000000', length)).toThrow(/not a number of bytes/);
  });
});
