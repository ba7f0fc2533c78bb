import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createFrameParser,
  type ManagementFrame,
  openManagementPort,
} from '../../../src/tcia/ascp/management.ts';

function parse(...pieces: (string | Uint8Array)[]): Record<string, string>[] {
  const parser = createFrameParser();
  return pieces
    .flatMap((piece) => parser.push(Buffer.from(piece)))
    .map((frame) => Object.fromEntries(frame.entries()));
}

const line = fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.replaceAll(/[\r\n]/g, ''));
const frames = fc.array(
  fc.record({
    Type: fc.constantFrom('INIT', 'STATS', 'STOP', 'DONE'),
    File: line,
    Description: line,
  }),
  { maxLength: 5 },
);

describe('frames of the management port', () => {
  test('have a header, fields and an empty line', () => {
    expect(parse('FASPMGR 2\nType: INIT\nSessionId: 1f2e\n\nFASPMGR 2\nType: DONE\n\n')).toEqual([
      { Type: 'INIT', SessionId: '1f2e' },
      { Type: 'DONE' },
    ]);
  });

  test('keep colons, blanks and emptiness of values', () => {
    expect(parse('FASPMGR 2\nType: STOP\nFile: /a: b/ c \nCookie: \n\n')).toEqual([
      { Type: 'STOP', File: '/a: b/ c ', Cookie: '' },
    ]);
  });

  test('come out the same however the bytes are cut', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat()), (all, cuts) => {
        const text = all.map(
          (frame) =>
            `FASPMGR 2\n${Object.entries(frame)
              .map(([name, value]) => `${name}: ${value}\n`)
              .join('')}\n`,
        );
        const bytes = Buffer.from(text.join(''));
        const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted(
          (a, b) => a - b,
        );
        const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        expect(parse(...pieces)).toEqual(JSON.parse(JSON.stringify(all)));
      }),
    );
  });

  test.each([
    ['another protocol', 'SSH-2.0-OpenSSH\n'],
    ['a field without a header', 'Type: INIT\n'],
    ['a frame in a frame', 'FASPMGR 2\nFASPMGR 2\n'],
    ['a line that is no field', 'FASPMGR 2\nnonsense\n'],
    ['a frame without a type', 'FASPMGR 2\nFile: x\n\n'],
    ['a line without an end', 'x'.repeat(300_000)],
  ])('%s is refused', (_, text) => {
    expect(() => parse(text)).toThrow('out of turn');
  });
});

describe('the management port', () => {
  test('takes one connection on loopback, and drops a second one', async () => {
    const seen: ManagementFrame[] = [];
    const port = await openManagementPort(
      (frame) => seen.push(frame),
      () => {},
    );
    const first = connect({ host: '127.0.0.1', port: port.port });
    await once(first, 'connect');
    const second = connect({ host: '127.0.0.1', port: port.port });
    second.on('error', () => {});
    await once(second, 'close');
    first.end('FASPMGR 2\nType: DONE\n\n');
    await port.ended;
    expect(seen.map((frame) => frame.get('Type'))).toEqual(['DONE']);
    port.close();
  });
});
