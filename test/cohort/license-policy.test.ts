import { describe, expect, test } from 'vitest';
import { enforceLicensePolicy, sumLicenses } from '../../src/cohort/index.ts';

const NLM = 'National Library of Medicine Terms and Conditions; May 21, 2019';
const shares = (...licenses: (string | null)[]) =>
  sumLicenses(licenses.map((license_short_name) => ({ license_short_name, bytes: 1 })));

describe('the licence policy', () => {
  test('“any” refuses nothing, not even an unknown licence', () => {
    expect(() => enforceLicensePolicy('any', shares('CC BY-NC 4.0', null))).not.toThrow();
  });

  test.each([['CC BY 4.0'], ['CC BY 3.0']])('“commercial” allows %s', (license) => {
    expect(() => enforceLicensePolicy('commercial', shares(license))).not.toThrow();
  });

  test.each([['CC BY-NC 4.0'], [NLM], [null]])('“commercial” refuses %s, naming it', (license) => {
    expect(() => enforceLicensePolicy('commercial', shares('CC BY 4.0', license))).toThrow(
      expect.objectContaining({
        code: 'license',
        message: expect.stringContaining(license ?? 'licence unknown'),
      }),
    );
  });

  test('a list allows its licences, whatever case they are written in', () => {
    expect(() =>
      enforceLicensePolicy('cc by 4.0, CC BY 3.0', shares('CC BY 4.0', 'CC BY 3.0')),
    ).not.toThrow();
    expect(() => enforceLicensePolicy('CC BY 4.0', shares('CC BY 3.0'))).toThrow(
      expect.objectContaining({ code: 'license' }),
    );
  });

  test('a licence whose name holds the separators can be listed', () => {
    expect(() => enforceLicensePolicy(`CC BY 4.0, ${NLM}`, shares(NLM, 'CC BY 4.0'))).not.toThrow();
    expect(() => enforceLicensePolicy('May 21', shares(NLM))).toThrow(
      expect.objectContaining({ code: 'license' }),
    );
  });

  test('sums up series and bytes, largest first', () => {
    expect(
      sumLicenses([
        { license_short_name: 'A', bytes: 1 },
        { license_short_name: 'B', bytes: 5 },
        { license_short_name: 'A', bytes: 2 },
        { license_short_name: 'B', bytes: null },
      ]),
    ).toEqual([
      { license: 'B', series: 2, bytes: 5 },
      { license: 'A', series: 2, bytes: 3 },
    ]);
  });
});
