/**
 * The licence policy of `get`: which licences may be fetched. The licence is the one of the release asked for,
 * never read off a bucket name.
 */
import { allowsCommercialUse } from '../catalog/index.ts';
import { CarrelError } from '../errors.ts';
import type { Cohort, CohortSeries } from './question.ts';

/** Series and bytes under one licence. */
export interface LicenseShare {
  /** `license_short_name`; null where no table says. */
  license: string | null;
  series: number;
  bytes: number;
}

/** Sums up series by licence, largest first. */
export function sumLicenses(
  rows: readonly { license_short_name: string | null; bytes: number | null }[],
): LicenseShare[] {
  const shares = new Map<string | null, LicenseShare>();
  for (const { license_short_name: license, bytes } of rows) {
    const share = shares.get(license) ?? { license, series: 0, bytes: 0 };
    share.series += 1;
    share.bytes += bytes ?? 0;
    shares.set(license, share);
  }
  return [...shares.values()].sort((a, b) => b.bytes - a.bytes || b.series - a.series);
}

/** What a policy is held against, before anything is asked for: series by the licence of their row, and what no table knows. */
export function licensesOf({ series, objects }: Pick<Cohort, 'series' | 'objects'>): LicenseShare[] {
  const shares = sumLicenses(
    series.map((one) => ({ license_short_name: licenseOf(one), bytes: one.row?.bytes ?? null })),
  );
  // Objects outside of the catalogue have no licence that anybody states.
  if (objects.length > 0) shares.push({ license: null, series: objects.length, bytes: 0 });
  return shares;
}

/** The licence in the release asked for; null where no table says. */
export function licenseOf({ row, locked }: CohortSeries): string | null {
  return row?.license_short_name ?? locked?.license_short_name ?? null;
}

/**
 * Refuses what the policy does not allow. An unknown licence is refused by every policy but `any`.
 *
 * @param policy `any`, `commercial`, or licences by their short names, separated by `,`
 * @throws `license`, naming the licences and how many series are under each
 */
export function enforceLicensePolicy(policy: string, shares: readonly LicenseShare[]): void {
  if (policy === 'any') return;
  const refused = shares.filter(
    ({ license }) =>
      license === null ||
      !(policy === 'commercial' ? allowsCommercialUse(license) : isListed(policy, license)),
  );
  if (refused.length === 0) return;
  const list = refused
    .map(({ license, series }) => `${license ?? 'licence unknown'} (${series} series)`)
    .join(', ');
  throw new CarrelError('license', `the licence policy "${policy}" does not allow ${list}`, {
    item: policy,
    next: 'narrow the selection with --license, or fetch them knowingly with --license-policy any',
  });
}

/** Looks a name up in a list whose names may hold the separators themselves (the NLM terms hold `;` and `,`). */
function isListed(policy: string, license: string): boolean {
  const list = `,${policy.toLowerCase().replaceAll(/\s*([,;])\s*/g, '$1')},`;
  const name = license.toLowerCase().replaceAll(/\s*([,;])\s*/g, '$1');
  return (
    list.includes(`,${name},`) ||
    list.includes(`;${name};`) ||
    list.includes(`,${name};`) ||
    list.includes(`;${name},`)
  );
}
