/** What the name of a licence allows. The catalogue decides, never the bucket: phantom_fda is NC and lies in the open one. */

/** What a licence allows, and why. */
export interface LicenseTerms {
  /** True where commercial use is allowed. */
  commercial: boolean;
  /** The reason, as part of a sentence: `BY: any use, with attribution`. */
  why: string;
}

/**
 * The terms that the short name of a licence stands for: Creative Commons BY or CC0 without NC allow commercial use.
 * Everything unknown, and every licence with terms of its own, counts as not allowed. Source: IDC's documentation of
 * licences and the rule of its portal.
 */
export function licenseTerms(shortName: string | null | undefined): LicenseTerms {
  if (shortName === null || shortName === undefined || shortName.trim() === '')
    return { commercial: false, why: 'no licence is stated' };
  const name = shortName
    .trim()
    .toUpperCase()
    .replaceAll(/[\s_-]+/g, ' ');
  if (/\bNC\b/.test(name)) return { commercial: false, why: 'NC: no commercial use' };
  if (/^CC0\b/.test(name)) return { commercial: true, why: 'CC0: any use' };
  if (!/^CC BY\b/.test(name)) return { commercial: false, why: 'terms of its own: read them' };
  const more = [
    /\bSA\b/.test(name) ? 'shared alike' : '',
    /\bND\b/.test(name) ? 'without derivatives' : '',
  ].filter((term) => term !== '');
  return { commercial: true, why: ['BY: any use, with attribution', ...more].join(', ') };
}

/** True where the short name stands for a licence that allows commercial use; see `licenseTerms`. */
export function allowsCommercialUse(shortName: string | null | undefined): boolean {
  return licenseTerms(shortName).commercial;
}
