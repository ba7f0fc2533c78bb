/** Entries of a manifest, dealt out by the bytes that the catalogue tells of them. */
import { enforceLicensePolicy, sumLicenses } from '../cohort/index.ts';
import { CarrelError } from '../errors.ts';
import { printIdentifier } from '../identifiers/index.ts';
import { balancedParts, type Manifest } from '../manifests/index.ts';
import type { Run } from './command.ts';
import { atDesk } from './desk.ts';
import { formatBytes, plural } from './output/text.ts';
import { textOf } from './settings.ts';
import { write } from './terminal.ts';

/**
 * Parts of about equal bytes; what the catalogue does not know weighs as much as what it knows on average. The licence policy is
 * held against the whole: later each part is asked for by itself, and knows nothing of the others.
 *
 * @throws `license`
 */
export async function balanced(run: Run, manifest: Manifest, parts: number): Promise<Manifest['entries'][]> {
  return await atDesk(run, async (desk) => {
    const catalog = await desk.catalog();
    const uuids = manifest.entries.flatMap(({ identifier }) => seriesUuidOf(identifier));
    const known = await catalog.seriesByUuid(uuids, { signal: run.signal, columns: [] });
    const uids = manifest.entries.flatMap(({ identifier }) =>
      identifier.kind === 'dicom-uid' ? [identifier.uid] : [],
    );
    const { rows } =
      uids.length === 0 ? { rows: [] } : await catalog.select({ series: uids }, { signal: run.signal });
    const byUid = new Map(rows.map((row) => [row.SeriesInstanceUID, row]));
    const rowOf = ({ identifier }: Manifest['entries'][number]) =>
      known.get(seriesUuidOf(identifier)[0] ?? '') ??
      (identifier.kind === 'dicom-uid' ? byUid.get(identifier.uid) : undefined);
    enforceLicensePolicy(
      textOf(run.settings, 'license_policy'),
      sumLicenses(
        manifest.entries.map((entry) => {
          const row = rowOf(entry);
          return { license_short_name: row?.license_short_name ?? null, bytes: row?.bytes ?? null };
        }),
      ),
    );
    const sizes = manifest.entries.map((entry) => entry.size ?? rowOf(entry)?.bytes);
    const told = sizes.filter((size) => typeof size === 'number');
    const usual = told.length === 0 ? 1 : told.reduce((sum, size) => sum + size, 0) / told.length;
    if (told.length < sizes.length)
      await write(
        run.terminal.err,
        `${run.err.dim('note:')} the catalogue tells no size of ${plural(sizes.length - told.length, 'entry', 'entries')}; they count as ${formatBytes(usual)} each\n`,
      );
    const items = manifest.entries.map((entry, at) => ({ entry, size: sizes[at] ?? usual }));
    const dealt = balancedParts(items, parts, {
      weight: ({ size }) => size,
      name: ({ entry }) => printIdentifier(entry.identifier),
    });
    return dealt.map((part) => part.map(({ entry }) => entry));
  });
}

/** The series version that an entry names; [] where it names something else. */
export function seriesUuidOf(identifier: Manifest['entries'][number]['identifier']): string[] {
  if (identifier.kind === 'object-url' || identifier.kind === 'compound-object')
    return identifier.seriesUuid === undefined ? [] : [identifier.seriesUuid];
  if (identifier.kind === 'crdc-uuid' && identifier.level !== 'instance') return [identifier.uuid];
  return [];
}

/** Throws `usage` where a licence policy is set and no catalogue is asked, which alone knows licences. */
export function refuseBlindPolicy(run: Run, path: string): void {
  if (textOf(run.settings, 'license_policy') === 'any') return;
  throw new CarrelError('usage', '--shards asks no catalogue, which alone knows licences', {
    item: path,
    next: 'split with --parts, or set --license-policy any and give the policy to carrel get',
  });
}
