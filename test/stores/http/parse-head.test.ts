import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createBodyReader } from '../../../src/stores/http/body-reader.ts';
import { createHeadReader } from '../../../src/stores/http/head-reader.ts';
import { type Framing, MalformedReply, parseHead } from '../../../src/stores/http/parse-head.ts';

const head = (...lines: string[]) => Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');

describe('parseHead', () => {
  test('status, fields, framing', () => {
    const parsed = parseHead(
      head(
        'HTTP/1.1 206 Partial Content',
        'ETag: "a"',
        'content-LENGTH:  12 \t',
        'x-goog-hash: crc32c=a',
        'X-Goog-Hash: md5=b',
        'empty:',
      ),
      'GET',
    );
    expect(parsed).toMatchObject({ status: 206, framing: { kind: 'length', length: 12 }, keepAlive: true });
    expect([...parsed.headers]).toEqual([
      ['etag', '"a"'],
      ['content-length', '12'],
      ['x-goog-hash', 'crc32c=a, md5=b'],
      ['empty', ''],
    ]);
  });

  test.each([
    ['no reason', 'HTTP/1.1 200', 200],
    ['an empty reason', 'HTTP/1.1 200 ', 200],
    ['a reason in Latin-1', 'HTTP/1.1 404 Nicht geh\xf6rt', 404],
    ['an old server', 'HTTP/1.0 200 OK', 200],
  ])('%s', (_what, line, status) => {
    expect(parseHead(head(line), 'GET').status).toBe(status);
  });

  test.each([
    'HTTP/1.1 20 OK',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1  200 OK',
    'HTTP/1.2 200 OK',
    'http/1.1 200 OK',
    ' HTTP/1.1 200 OK',
    'HTTP/1.1 099 x',
  ])('refuses %j', (line) => {
    expect(() => parseHead(head(line), 'GET')).toThrow(MalformedReply);
  });

  test.each<[string, string[], string, Framing]>([
    ['a length', ['content-length: 5'], 'GET', { kind: 'length', length: 5 }],
    [
      'the same length twice',
      ['content-length: 5', 'content-length: 5'],
      'GET',
      { kind: 'length', length: 5 },
    ],
    ['chunks', ['transfer-encoding: Chunked'], 'GET', { kind: 'chunked' }],
    ['neither', [], 'GET', { kind: 'close' }],
    ['HEAD', ['content-length: 5'], 'HEAD', { kind: 'length', length: 0 }],
    ['HEAD with chunks', ['transfer-encoding: chunked'], 'HEAD', { kind: 'length', length: 0 }],
  ])('framing: %s', (_what, fields, method, framing) => {
    expect(parseHead(head('HTTP/1.1 200 OK', ...fields), method).framing).toEqual(framing);
  });

  test.each([204, 304])('%i has no body, whatever it announces', (status) => {
    const parsed = parseHead(head(`HTTP/1.1 ${status} X`, 'content-length: 5'), 'GET');
    expect(parsed.framing).toEqual({ kind: 'length', length: 0 });
  });

  test.each(['+5', '-5', '0x5', '5.0', '', '5,6', '9007199254740993', '٥'])(
    'refuses the length %j',
    (length) => {
      const bytes = Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\n\r\n`);
      expect(() => parseHead(bytes, 'GET')).toThrow(MalformedReply);
    },
  );

  test.each<[string, string[], boolean]>([
    ['HTTP/1.1', [], true],
    ['HTTP/1.1', ['connection: close'], false],
    ['HTTP/1.1', ['connection: x, CLOSE'], false],
    ['HTTP/1.0', [], false],
    ['HTTP/1.0', ['connection: Keep-Alive'], true],
  ])('%s %j keeps the connection: %s', (version, fields, expected) => {
    expect(parseHead(head(`${version} 200 OK`, ...fields), 'GET').keepAlive).toBe(expected);
  });

  test('how long it is kept', () => {
    const seconds = (value: string) =>
      parseHead(head('HTTP/1.1 200 OK', `keep-alive: ${value}`), 'GET').keepAliveSeconds;
    expect(['timeout=5, max=100', 'max=3, timeout=7', 'max=3', 'timeout=x'].map(seconds)).toEqual([
      5,
      7,
      undefined,
      undefined,
    ]);
  });

  test('anything else is refused, not crashed on', () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'HTTP/1.1 200 OK',
        'content-length: 1',
        'transfer-encoding: chunked',
        ' folded',
        'a:b',
        ':',
        'a\0: b',
      ),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
        try {
          const parsed = parseHead(head(...lines), 'GET');
          expect(parsed.status).toBeGreaterThanOrEqual(100);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedReply);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('createHeadReader', () => {
  const bytes = Buffer.from('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\n\r\nbody');

  test('takes a head in any pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: bytes.length }), { maxLength: 6 }), (cuts) => {
        const reader = createHeadReader('GET');
        const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        let body = '';
        let status: number | undefined;
        for (let i = 1; i < at.length; i += 1) {
          // One buffer for all, written over each time, as a connection does it.
          const view = Buffer.from(bytes.subarray(at[i - 1], at[i]));
          if (status !== undefined) body += view.toString();
          else {
            const taken = reader.take(view);
            status = taken?.head.status;
            body += taken?.rest.toString() ?? '';
          }
          view.fill(0);
        }
        expect([status, body]).toEqual([200, 'body']);
      }),
    );
  });

  test.each(['GET / HTTP/1.1', 'SSH-2.0', 'H', '\0', '<html>'])('tells garbage at once: %j', (text) => {
    const take = () => createHeadReader('GET').take(Buffer.from(text));
    if (text === 'H') expect(take()).toBeUndefined();
    else expect(take).toThrow(/not HTTP/);
  });
});

describe('createBodyReader', () => {
  /** Reads a body from pieces; gives it, or the failure. */
  function read(framing: Framing, pieces: Buffer[]) {
    const reader = createBodyReader(framing);
    let body = '';
    let left = '';
    for (const piece of pieces) {
      let at = 0;
      while (at < piece.length && !reader.done) {
        const next = reader.step(piece, at);
        expect(next).toBeGreaterThan(at);
        at = next;
        body += reader.piece?.toString() ?? '';
      }
      left += piece.subarray(at).toString();
    }
    expect(reader.received).toBe(body.length);
    return { body, left, done: reader.done, endsHere: reader.endsHere() };
  }

  const cut = (bytes: Buffer, cuts: number[]) => {
    const at = [0, ...cuts.map((n) => n % bytes.length).sort((a, b) => a - b), bytes.length];
    return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
  };

  test('chunks, however they are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 40 }), { maxLength: 8 }),
        fc.array(fc.nat(500), { maxLength: 10 }),
        fc.boolean(),
        (chunks, cuts, extras) => {
          const coded = chunks.map(
            (chunk) => `${chunk.length.toString(16)}${extras ? ' ;a="b"' : ''}\r\n${chunk}\r\n`,
          );
          const bytes = Buffer.from(`${coded.join('')}0\r\n${extras ? 'T: u\r\nV: w\r\n' : ''}\r\nREST`);
          expect(read({ kind: 'chunked' }, cut(bytes, cuts))).toEqual({
            body: chunks.join(''),
            left: 'REST',
            done: true,
            endsHere: false,
          });
        },
      ),
    );
  });

  test('a length, however it is cut', () => {
    fc.assert(
      fc.property(fc.nat(30), fc.array(fc.nat(500), { maxLength: 5 }), (length, cuts) => {
        const bytes = Buffer.from('abcdefghijklmnopqrstuvwxyz0123456789');
        expect(read({ kind: 'length', length }, cut(bytes, cuts))).toEqual({
          body: bytes.toString().slice(0, length),
          left: bytes.toString().slice(length),
          done: true,
          endsHere: false,
        });
      }),
    );
  });

  test.each([
    ['no size', '\r\nabc'],
    ['a size that is none', 'xyz\r\nabc'],
    ['a negative size', '-3\r\nabc'],
    ['a size beyond counting', 'ffffffffffffffff\r\nabc'],
    ['a line feed only', '3\nabc\r\n0\r\n\r\n'],
    ['more than its size', '3\r\nabcd\r\n0\r\n\r\n'],
    ['a head without end', `3;${'x'.repeat(5000)}`],
    ['trailers without end', `0\r\n${`${'x'.repeat(1000)}: y\r\n`.repeat(100)}`],
  ])('refuses a chunk with %s', (_what, text) => {
    expect(() => read({ kind: 'chunked' }, [Buffer.from(text)])).toThrow(MalformedReply);
  });

  test('a body until the end is never complete by itself, and always at the end', () => {
    expect(read({ kind: 'close' }, [Buffer.from('abc')])).toEqual({
      body: 'abc',
      left: '',
      done: false,
      endsHere: true,
    });
  });
});
