/** Licences of the sample, worded as the public tables word them. */
import type { License, Release } from './types.ts';

const CC_BY_4: License = {
  license_url: 'https://creativecommons.org/licenses/by/4.0/',
  license_long_name: 'Creative Commons Attribution 4.0 International License',
  license_short_name: 'CC BY 4.0',
};

const CC_BY_3: License = {
  license_url: 'https://creativecommons.org/licenses/by/3.0/',
  license_long_name: 'Creative Commons Attribution 3.0 Unported License',
  license_short_name: 'CC BY 3.0',
};

const CC_BY_NC_4: License = {
  license_url: 'https://creativecommons.org/licenses/by-nc/4.0/',
  license_long_name: 'Creative Commons Attribution-NonCommercial 4.0 International License',
  license_short_name: 'CC BY-NC 4.0',
};

/** The same licence in every release. */
function always(license: License): Record<Release, License> {
  return { 1: license, 2: license, 3: license };
}

/** Licences per release, by what happened to them. */
export const LICENSE_HISTORIES = {
  by4: always(CC_BY_4),
  by3: always(CC_BY_3),
  nonCommercial: always(CC_BY_NC_4),
  /** Relaxed for the newest release without any new version, as several CPTAC collections were. */
  by3ThenBy4: { 1: CC_BY_3, 2: CC_BY_3, 3: CC_BY_4 } satisfies Record<Release, License>,
  /** Printed wrongly for one release, as phantom_fda was in v22 and v23 of IDC. */
  nonCommercialButOnce: { 1: CC_BY_NC_4, 2: CC_BY_3, 3: CC_BY_NC_4 } satisfies Record<Release, License>,
};
