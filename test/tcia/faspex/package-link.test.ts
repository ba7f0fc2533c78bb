import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isCarrelError } from '../../../src/errors.ts';
import { tryParseIdentifier } from '../../../src/identifiers/index.ts';
import { parsePackageLink } from '../../../src/tcia/faspex/package-link.ts';

/** The two links of TCIA's own public notebook on Aspera downloads, as they stand there. */
const CONTEXT_762 =
  'eyJyZXNvdXJjZSI6InBhY2thZ2VzIiwidHlwZSI6ImV4dGVybmFsX2Rvd25sb2FkX3BhY2thZ2UiLCJpZCI6Ijc2MiIsInBhc3Njb2RlIjoiZDg0NmZlM2Q5ZjZjNzliYjUxYWU2MWMzNjJkNmE1ODJmMTc0YmVkYSIsInBhY2thZ2VfaWQiOiI3NjIiLCJlbWFpbCI6ImhlbHBAY2FuY2VyaW1hZ2luZ2FyY2hpdmUubmV0In0=';
const CONTEXT_739 =
  'eyJyZXNvdXJjZSI6InBhY2thZ2VzIiwidHlwZSI6ImV4dGVybmFsX2Rvd25sb2FkX3BhY2thZ2UiLCJpZCI6IjczOSIsInBhc3Njb2RlIjoiNzEwNmUzNDFjMDY4MjljNjBkMmM0ZjcxYTBhMTE1ODcxNGIzZWNjNSIsInBhY2thZ2VfaWQiOiI3MzkiLCJlbWFpbCI6ImhlbHBAY2FuY2VyaW1hZ2luZ2FyY2hpdmUubmV0In0=';
const HOST = 'https://faspex.cancerimagingarchive.net';

const LINK_739 = {
  origin: HOST,
  bases: [`${HOST}/aspera/faspex`, HOST],
  packageId: '739',
  context: CONTEXT_739,
  passcode: '7106e341c06829c60d2c4f71a0a1158714b3ecc5',
  name: 'package 739 of faspex.cancerimagingarchive.net',
};

function contextOf(fields: Record<string, unknown>): string {
  return Buffer.from(JSON.stringify(fields)).toString('base64');
}

function failure(text: string): { code: string; message: string; next: string | undefined } {
  try {
    parsePackageLink(text);
  } catch (error) {
    if (isCarrelError(error)) return { code: error.code, message: error.message, next: error.next };
    throw error;
  }
  throw new Error('it was taken for a link');
}

describe('the links of the notebook', () => {
  test('the one of package 762', () => {
    expect(parsePackageLink(`${HOST}/aspera/faspex/public/package?context=${CONTEXT_762}`)).toEqual({
      origin: HOST,
      bases: [`${HOST}/aspera/faspex`, HOST],
      packageId: '762',
      context: CONTEXT_762,
      passcode: 'd846fe3d9f6c79bb51ae61c362d6a582f174beda',
      name: 'package 762 of faspex.cancerimagingarchive.net',
    });
  });

  const bare = CONTEXT_739.replace(/=+$/, '');
  test.each([
    ['as it stands there', `${HOST}/aspera/faspex/public/package?context=${CONTEXT_739}`],
    [
      'as the server redirects',
      `${HOST}/aspera/faspex/public/package?context=${CONTEXT_739}&redirected=true`,
    ],
    [
      'as page source has it',
      `${HOST}/aspera/faspex/public/package?context=${CONTEXT_739}&amp;redirected=true`,
    ],
    [
      'with a numeric entity',
      `${HOST}/aspera/faspex/public/package?context=${CONTEXT_739}&#38;redirected=true`,
    ],
    ['context behind', `${HOST}/aspera/faspex/public/package?redirected=true&context=${CONTEXT_739}`],
    ['context behind &amp;', `${HOST}/aspera/faspex/public/package?a=b&amp;context=${CONTEXT_739}`],
    ['at the root of the host', `${HOST}/?context=${CONTEXT_739}`],
    ['at the root, no slash', `${HOST}?context=${CONTEXT_739}`],
    ['below public', `${HOST}/aspera/faspex/public?context=${CONTEXT_739}`],
    ['the application alone', `${HOST}/aspera/faspex/?context=${CONTEXT_739}`],
    ['padding escaped', `${HOST}/aspera/faspex/public/package?context=${bare}%3D`],
    ['padding escaped twice', `${HOST}/aspera/faspex/public/package?context=${bare}%253D`],
    ['padding lost', `${HOST}/aspera/faspex/public/package?context=${bare}`],
    ['all of the query escaped', `${HOST}/?context%3D${bare}%3D%26redirected%3Dtrue`],
    ['in quotation marks', `'${HOST}/?context=${CONTEXT_739}'`],
    ['with the lost quotation mark of the notebook', `'${HOST}/?context=${CONTEXT_739}`],
    ['in angle brackets', `<${HOST}/?context=${CONTEXT_739}>`],
    ['with blanks and line ends around', `\n  ${HOST}/?context=${CONTEXT_739}\r\n`],
    ['broken by a mail', `${HOST}/?context=${CONTEXT_739.slice(0, 60)}\r\n${CONTEXT_739.slice(60)}`],
    ['with a fragment', `${HOST}/?context=${CONTEXT_739}#/`],
    ['without a scheme', `faspex.cancerimagingarchive.net/?context=${CONTEXT_739}`],
    ['host in capitals', `https://FASPEX.cancerimagingarchive.NET/?context=${CONTEXT_739}`],
  ])('the one of package 739, %s', (_, text) => {
    expect(parsePackageLink(text)).toEqual(LINK_739);
  });

  test('where `public` stands at the root of the host, the root is tried first', () => {
    expect(parsePackageLink(`${HOST}/public?context=${CONTEXT_739}`).bases).toEqual([
      HOST,
      `${HOST}/aspera/faspex`,
    ]);
  });

  test('an application under another folder is looked for there first', () => {
    expect(
      parsePackageLink(`https://h.org:8443/x/faspex5/public/package?context=${CONTEXT_739}`).bases,
    ).toEqual(['https://h.org:8443/x/faspex5', 'https://h.org:8443/aspera/faspex', 'https://h.org:8443']);
  });
});

describe('what a context may look like', () => {
  test('no mail address, a passcode in the form of a UUID, numbers for texts, unknown fields', () => {
    const context = contextOf({
      type: 'external_view_package',
      id: 5,
      package_id: 7,
      passcode: '0b5f4c5e-9f0c-4ba8-9d0b-3f1a2f7f52a1',
      new: { field: true },
    });
    expect(parsePackageLink(`https://h.org/?context=${context}`)).toMatchObject({
      packageId: '7',
      passcode: '0b5f4c5e-9f0c-4ba8-9d0b-3f1a2f7f52a1',
    });
  });

  test('no passcode', () => {
    const link = parsePackageLink(`https://h.org/?context=${contextOf({ id: '9', passcode: null })}`);
    expect(link.packageId).toBe('9');
    expect(link).not.toHaveProperty('passcode');
  });

  test('every way of writing the same bytes ends in the same context', () => {
    const fields = fc.record({
      resource: fc.constant('packages'),
      type: fc.constant('external_download_package'),
      id: fc.integer({ min: 1, max: 1e6 }).map(String),
      passcode: fc.string({ unit: 'binary', maxLength: 40 }),
      email: fc.string({ unit: 'grapheme', maxLength: 30 }),
    });
    const writings: ((context: string) => string)[] = [
      (context) => context,
      encodeURIComponent,
      (context) => context.replace(/=+$/, ''),
      (context) => context.replaceAll('+', '-').replaceAll('/', '_'),
      (context) => context.replaceAll('+', ' '),
      (context) => context.replaceAll('+', '%20'),
      (context) => context.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, ''),
    ];
    const forms = (context: string) => [
      `https://h.org/aspera/faspex/public/package?context=${context}`,
      `https://h.org/?redirected=true&context=${context}`,
      `https://h.org/public?context=${context}&amp;redirected=true`,
    ];
    fc.assert(
      fc.property(fields, (value) => {
        const context = contextOf(value);
        for (const write of writings) {
          for (const text of forms(write(context))) {
            const link = parsePackageLink(text);
            expect(link.context).toBe(context);
            expect(link.packageId).toBe(value.id);
            expect(link.passcode).toBe(value.passcode);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('what is refused', () => {
  test.each([
    'https://faspex.example.org/aspera/faspex/external_deliveries/74?passcode=0123456789012345678901234567890123456789',
    'https://faspex.example.org/external_deliveries/74',
  ])('a link of Faspex 4, with what to do: %s', (text) => {
    const { code, message, next } = failure(text);
    expect(code).toBe('bad-input');
    expect(message).toContain('Faspex 4');
    expect(next).toContain('copy the address of its download button');
    expect(message).not.toContain('0123456789012345');
  });

  test.each([
    `https://h.org/?context=${contextOf({ resource: 'packages', type: 'external_upload_to_user', id: '3', name: 'x' })}`,
    `https://h.org/?context=${contextOf({ type: 'external_upload_to_shared_inbox', id: '3' })}`,
    'https://h.org/aspera/faspex/external/submissions/new?passcode=0123456789012345678901234567890123456789',
    'https://h.org/external/dropbox_submissions/new?passcode=0123456789012345678901234567890123456789',
  ])('a link to upload with: %s', (text) => {
    expect(failure(text)).toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('a link to send files with') as string,
    });
  });

  test.each([
    ['cut off', `${HOST}/?context=${CONTEXT_739.slice(0, 91)}`],
    ['cut off at a group of four', `${HOST}/?context=${CONTEXT_739.slice(0, 92)}`],
    ['no base64', `${HOST}/?context=***`],
    ['base64 of something else', `${HOST}/?context=${Buffer.from('"x"').toString('base64')}`],
  ])('a link that is not whole: %s', (_, text) => {
    const { code, message, next } = failure(text);
    expect(code).toBe('bad-input');
    expect(message).toContain('no whole link');
    expect(next).toContain('copy the link again');
  });

  test.each([
    ['no package in it', `${HOST}/?context=${contextOf({ type: 'external_download_package' })}`],
    ['a package id that would change the path', `${HOST}/?context=${contextOf({ id: '../7' })}`],
    ['no context', `${HOST}/aspera/faspex/public/package`],
    ['another scheme', `ftp://h.org/?context=${CONTEXT_739}`],
    ['a password in it', `https://me:secret@h.org/?context=${CONTEXT_739}`],
    ['nothing', ''],
  ])('%s', (_, text) => {
    expect(failure(text).code).toBe('bad-input');
  });

  test('no refusal repeats a context or a passcode, and none throws anything else', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(CONTEXT_739.length), (noise, cut) => {
        for (const text of [
          noise,
          `${HOST}/?context=${noise}`,
          `${HOST}/${noise}?context=${CONTEXT_739.slice(0, cut)}${noise}`,
        ]) {
          try {
            parsePackageLink(text);
          } catch (error) {
            if (!isCarrelError(error)) throw error;
            expect(`${error.message} ${error.item} ${error.next}`).not.toContain(CONTEXT_739.slice(0, 40));
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});

test('what the table of identifiers takes for a Faspex link of version 5 can be parsed', () => {
  for (const path of ['/', '/public', '/public/package', '/aspera/faspex/public/package', '/aspera/faspex']) {
    const text = `${HOST}${path}?context=${CONTEXT_739}&redirected=true`;
    expect(tryParseIdentifier(text)?.kind).toBe('faspex-link');
    expect(parsePackageLink(text)).toMatchObject({ packageId: '739', context: CONTEXT_739 });
  }
});
