/** What the name of a licence allows. The catalogue decides, never the bucket: phantom_fda is NC and lies in the open one. */

/**
 * True where the short name stands for a licence that allows commercial use: Creative Commons BY or CC0 without NC.
 * Everything unknown, and every licence with terms of its own, counts as not allowed. Source: IDC's documentation of
 * licences and the rule of its portal.
 */
export function allowsCommercialUse(shortName: string | null | undefined): boolean {
  if (shortName === null || shortName === undefined) return false;
  const name = shortName
    .trim()
    .toUpperCase()
    .replaceAll(/[\s_-]+/g, ' ');
  return /^(CC BY|CC0)\b/.test(name) && !/\bNC\b/.test(name);
}
