import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createOpenStore } from '../../src/stores/index.ts';
import { createCrc64Nvme } from '../../src/transfer/digests/crc64nvme.ts';
import { transfer } from '../../src/transfer/index.ts';
import { temporaryFolder } from './desk.ts';

type Options = Parameters<typeof createCrc64Nvme>[0];

function crcOf(options: Options, ...chunks: Uint8Array[]): string {
  const crc = createCrc64Nvme(options);
  for (const chunk of chunks) crc.update(chunk);
  return crc.digest();
}

/** The definition, bit by bit: reflected, all ones before and after. */
function byDefinition(bytes: Uint8Array): string {
  const ones = (1n << 64n) - 1n;
  let crc = ones;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1n ? (crc >> 1n) ^ 0x9a6c9329ac4bc9b5n : crc >> 1n;
  }
  return (crc ^ ones).toString(16).padStart(16, '0');
}

describe.each<[string, Options]>([
  ['WebAssembly', {}],
  ['JavaScript', { implementation: 'javascript' }],
])('CRC-64/NVME in %s', (_implementation, options) => {
  // The first is the check value of the catalogue of parametrised CRCs; the others are the test
  // cases of the NVM Express NVM Command Set Specification, for blocks of 4 KiB.
  test.each<[string, Uint8Array, string]>([
    ['the digits', Buffer.from('123456789'), 'ae8b14860a799888'],
    ['4 KiB of zero', Buffer.alloc(4096, 0), '6482d367eb22b64e'],
    ['4 KiB of ff', Buffer.alloc(4096, 0xff), 'c0ddba7302eca3ac'],
    [
      '4 KiB counting upwards',
      Buffer.from(Array.from({ length: 4096 }, (_, i) => i & 255)),
      '3e729f5f6750449c',
    ],
    ['nothing', Buffer.alloc(0), '0000000000000000'],
  ])('%s', (_name, input, expected) => {
    expect(crcOf(options, input)).toBe(expected);
  });

  test('is what the definition says, wherever the bytes stand in memory and however they are cut', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1500 }), fc.nat(1500), fc.nat(9), (data, cut, skew) => {
        const shifted = Buffer.concat([Buffer.alloc(skew), data]).subarray(skew);
        const expected = byDefinition(data);
        expect(crcOf(options, shifted)).toBe(expected);
        expect(crcOf(options, shifted.subarray(0, cut), shifted.subarray(cut))).toBe(expected);
      }),
    );
  });

  test('a digest may be asked for on the way', () => {
    const crc = createCrc64Nvme(options);
    crc.update(Buffer.from('1234'));
    expect(crc.digest()).toBe(crcOf(options, Buffer.from('1234')));
    crc.update(Buffer.from('56789'));
    expect(crc.digest()).toBe('ae8b14860a799888');
    expect(crc.digest()).toBe('ae8b14860a799888');
  });

  test('more than the memory of the kernel holds, beside another one', () => {
    const bytes = Buffer.alloc(300_007, 'slices of sixteen');
    const [one, other] = [createCrc64Nvme(options), createCrc64Nvme(options)];
    one.update(bytes);
    other.update(bytes.subarray(0, 100_000));
    one.update(bytes.subarray(0, 777));
    other.update(bytes.subarray(100_000));
    expect(other.digest()).toBe(byDefinition(bytes));
    expect(one.digest()).toBe(byDefinition(Buffer.concat([bytes, bytes.subarray(0, 777)])));
  });
});

describe('an object in parts that S3 gave a CRC-64', () => {
  /** Fetches an object whose reply names this checksum. */
  async function fetched(body: Buffer, checksum: string) {
    const server = createServer((_request, response) => {
      response.writeHead(200, {
        etag: '"9e107d9d372bb6826bd81d3542a419d6-3"',
        'content-length': body.length,
        'x-amz-checksum-crc64nvme': Buffer.from(checksum, 'hex').toString('base64'),
        'x-amz-checksum-type': 'FULL_OBJECT',
      });
      response.end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const stores = createOpenStore({ http: { env: {} } });
    onTestFinished(() => stores.close());
    const place = { protocol: 's3' as const, endpoint: `http://127.0.0.1:${port}`, bucket: 'parts' };
    const plan = [
      {
        path: 'slide.dcm',
        size: body.length,
        digests: [],
        sources: [{ mirror: 'test', place, key: 'slide.dcm' }],
      },
    ];
    const options = {
      directory: await temporaryFolder(),
      openStore: stores.openStore,
      retry: { attempts: 1 },
    };
    return { first: await transfer(plan, options), again: () => transfer(plan, options) };
  }

  test('is proven by it, and stays so in the next run', async () => {
    const body = randomBytes(1_500_000);
    const checksum = byDefinition(body);
    const { first, again } = await fetched(body, checksum);
    expect(first.failed).toEqual([]);
    expect(first.files).toMatchObject([{ verifiedBy: 'crc64nvme', digest: `crc64nvme:${checksum}` }]);
    expect(await again()).toMatchObject({ present: 1, requests: 0, files: [{ verifiedBy: 'crc64nvme' }] });
  });

  test('fails where it is another one', async () => {
    const { first } = await fetched(Buffer.alloc(1000, 'x'), '0123456789abcdef');
    expect(first.files).toEqual([]);
    expect(first.failed).toMatchObject([{ path: 'slide.dcm', error: { code: 'verification' } }]);
  });
});
