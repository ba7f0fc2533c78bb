/** What is refused, and what the refusal says. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CarrelError, isCarrelError } from '../../src/errors.ts';
import { type AsKind, excerpt, parseIdentifier, tryParseIdentifier } from '../../src/identifiers/index.ts';

const UUID = '641121f1-5ca0-42cc-9156-fb5538c14355';

/** The error that the text is refused with. */
function refusal(text: string, as?: AsKind): CarrelError {
  try {
    parseIdentifier(text, { as });
  } catch (error) {
    if (isCarrelError(error)) return error;
    throw error;
  }
  return expect.unreachable(`${JSON.stringify(text.slice(0, 80))} was read`);
}

describe('near misses get a "did you mean"', () => {
  test.each([
    [`dr://dg.4DFC/${UUID}`, `did you mean drs://dg.4DFC/${UUID}?`],
    [`drss://dg.4DFC/${UUID}`, `did you mean drs://dg.4DFC/${UUID}?`],
    [`dsr://dg.4DFC/${UUID}`, `did you mean drs://dg.4DFC/${UUID}?`],
    [`drs:/dg.4DFC/${UUID}`, `did you mean drs://dg.4DFC/${UUID}?`],
    [`drs:dg.4DFC:${UUID}`, `did you mean drs://dg.4DFC:${UUID}?`],
    [`drs//dg.4DFC/${UUID}`, `did you mean drs://dg.4DFC/${UUID}?`],
    ['s3:/idc-open-data/x', 'did you mean s3://idc-open-data/x?'],
    ['s3:idc-open-data/x', 'did you mean s3://idc-open-data/x?'],
    ['s3a://idc-open-data/x', 'did you mean s3://idc-open-data/x?'],
    ['gcs://idc-open-data/x', 'did you mean gs://idc-open-data/x?'],
    ['https:/example.org/x', 'did you mean https://example.org/x?'],
    ['htps://example.org/x', 'did you mean https://example.org/x?'],
    ['storage.googleapis.com/b/k', 'did you mean https://storage.googleapis.com/b/k?'],
    ['idc-open-data.s3.amazonaws.com/k', 'did you mean https://idc-open-data.s3.amazonaws.com/k?'],
    ['ftp://example.org/x', 'known are drs://, s3://, gs://, https://, http://, file://'],
    [UUID.slice(0, -1), 'copy it again, or say --as patient if it is a PatientID'],
    [`${UUID}a`, 'copy it again, or say --as patient if it is a PatientID'],
    ['dg.4DFC/not-a-uuid', 'a GUID is dg.4DFC/ and a UUID: 8-4-4-4-12 hex digits'],
    ['cp s3://b/k/* .', 'give the URL alone, or the whole file: carrel get FILE'],
    ['cp s3://b/k/*  .', 'give the URL alone, or the whole file: carrel get FILE'],
    ['look at s3://b/k', 'give one name per argument or line'],
    ['drs://host.org', 'write it as drs://dg.4DFC/<uuid>, drs://dg.4DFC:<uuid> or drs://host/<id>'],
    ['drs://dg.4DFC/', 'write it as drs://dg.4DFC/<uuid>, drs://dg.4DFC:<uuid> or drs://host/<id>'],
    ['drs://', 'write it as drs://dg.4DFC/<uuid>, drs://dg.4DFC:<uuid> or drs://host/<id>'],
    ['s3://', 'write it as s3://bucket/key'],
    ['s3:///key', 'write it as s3://bucket/key'],
    ['s3://no bucket/key', 'write it as s3://bucket/key'],
    ['doi:11.1148/x', 'write it as 10.1148/rg.230180'],
    ['https://doi.org/', 'write it as 10.1148/rg.230180'],
    ['https:///x', 'write it as https://host/path'],
    ['https://exa mple.org/x', 'write it as https://host/path'],
    ['https://example.org:99999/x', 'write it as https://host/path'],
    ['file://server/share', 'write it as file:///folder/file, or as a plain path'],
  ])('%s', (text, next) => {
    const error = refusal(text);
    expect(error.code).toBe('bad-input');
    expect(error.next).toBe(next);
    expect(error.item).toBe(text);
  });

  test('a nearly right UUID is told apart from its parts', () => {
    expect(refusal(UUID.slice(0, -1)).message).toBe(
      `"${UUID.slice(0, -1)}" is no UUID: its groups are 8-4-4-4-11 digits long, not 8-4-4-4-12`,
    );
    expect(parseIdentifier(UUID.slice(0, -1), { as: 'patient' })).toMatchObject({ kind: 'name' });
  });
});

describe('hostile texts', () => {
  test.each([
    ['NUL', 'nlst\0'],
    ['newline inside', 'nlst\nrider_pilot'],
    ['tab inside', 's3://b/a\tb'],
    ['escape sequence', '\x1b[31mnlst'],
    ['C1 control', 'nlst\x9b31m'],
    ['direction override', 'nlst\u202egpj'],
    ['zero width space', 'nl\u200bst'],
    ['lone surrogate', 'nlst\ud800'],
    ['escaped NUL in a key', 'https://s3.amazonaws.com/b/a%00b'],
    ['escaped newline in a DRS id', 'drs://host.org/a%0Ab'],
    ['broken escape', 'https://s3.amazonaws.com/b/a%zz'],
    ['escape of half a character', 'https://s3.amazonaws.com/b/%ff'],
    ['.. in an s3 key', 's3://b/../etc/passwd'],
    ['.. at the end of a key', 'gs://b/a/..'],
    ['.. behind a backslash', 's3://b/a\\..\\b'],
    ['.. in an https view', 'https://s3.amazonaws.com/b/a/../../c'],
    ['escaped .. in an https view', 'https://s3.amazonaws.com/b/%2e%2e/c'],
    ['escaped slashes around ..', 'https://s3.amazonaws.com/b/a%2F..%2Fc'],
    ['.. on a web server', 'https://example.org/a/%2e%2e/c'],
    ['.. in a DRS id', 'drs://host.org/..%2f..%2fetc'],
    ['.. in a DRS address', 'https://host.org/ga4gh/drs/v1/objects/../x'],
    ['.. as a bucket', 's3://../x'],
    ['.. inside a bucket', 's3://a..b/x'],
    ['credentials', 'https://me:secret@example.org/x'],
    ['credentials on DRS', 'drs://me:secret@example.org/x'],
    ['nothing', ''],
    ['blanks', ' \t\r\n '],
  ])('%s is refused', (_, text) => {
    const error = refusal(text);
    expect(error.code).toBe('bad-input');
    expect(error.next).not.toBe('');
    expect(error.message).not.toMatch(/[\p{Cc}\u200b\u202e]/u);
  });

  test.each([
    'https://me:secret@example.org/x',
    'http://me:secret@[::1]/x',
    'drs://me:secret@example.org/x',
    's3://AKIA:secret@bucket/key',
    'ftp://me:secret@example.org/x',
    's3a://AKIA:secret@bucket/key',
    'drss://me:secret@example.org/x',
    'https://example.org/../x?X-Amz-Signature=secret&a=b',
    'https://example.org/../public?context=secret',
    'https://example.org/../public?a=b&passcode=secret',
  ])('the secret in %s is not repeated', (text) => {
    const { message, item, next } = refusal(text);
    expect(`${message} ${item} ${next}`).not.toContain('secret');
    expect(item).toContain('***');
  });

  test.each([
    ['letters', 'a'],
    ['dots', '1.'],
    ['dashes', 'a-'],
    ['slashes', '/'],
    ['escapes', '%25'],
    ['colons', 'a:'],
    ['controls', '\x00'],
    ['blanks', ' a'],
    ['prefixes', 'dg.4DFC/'],
  ])('10 MB of %s are refused, and never repeated', (_, unit) => {
    const text = unit.repeat(Math.ceil(10_000_000 / unit.length));
    const error = refusal(text);
    expect(error.message).toContain('is too long for a name');
    expect(error.item?.length).toBeLessThanOrEqual(80);
    expect(error.message.length).toBeLessThan(160);
  });

  test.each([
    '1.',
    'a-',
    '/',
    '../',
    '%2e',
    'dg.4DFC/',
    'dg.4DFC:',
    'a.',
    '*',
    '#1',
    '?',
    's3://',
    'index/',
    '/access/',
  ])('the longest text of %s that passes the gate is answered', (unit) => {
    for (const start of [
      '',
      'drs://',
      's3://b/',
      'gs://b/',
      'https://h.org/',
      'https://s3.amazonaws.com/b/',
      'drs://dg.4DFC:',
    ]) {
      const text = (start + unit.repeat(4000)).slice(0, 8192);
      expect(() => tryParseIdentifier(text)).not.toThrow();
    }
  });

  test('whatever the text, the answer is an identifier or a refusal of at most 80 repeated characters', () => {
    const hosts = fc.constantFrom(
      '',
      's3://',
      'gs://',
      'drs://',
      'https://',
      'https://s3.amazonaws.com/',
      'file://',
      'dg.4DFC/',
      'doi:',
    );
    fc.assert(
      fc.property(hosts, fc.string({ unit: 'binary', maxLength: 300 }), (start, rest) => {
        try {
          expect(parseIdentifier(start + rest).text).toBe(start + rest);
        } catch (error) {
          if (!isCarrelError(error, 'bad-input')) throw error;
          expect(error.item?.length).toBeLessThanOrEqual(80);
          expect(error.message).not.toMatch(/\p{Cc}/u);
          expect(error.next).not.toMatch(/\p{Cc}/u);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('what is repeated is escaped and cut', () => {
    expect(excerpt('a\x1b[0m\u202e')).toBe('a\\u001b[0m\\u202e');
    expect(excerpt('x'.repeat(81))).toBe(`${'x'.repeat(79)}…`);
    expect(excerpt('\x00'.repeat(80)).length).toBeLessThanOrEqual(80);
    expect(excerpt(`${'x'.repeat(78)}😀😀`)).not.toMatch(/\p{Surrogate}/u);
  });
});
