/** Entries of a manifest, dealt out by the bytes that the catalogue tells of them. */
import { printIdentifier } from '../identifiers/index.ts';
import { balancedParts, type Manifest } from '../manifests/index.ts';
import type { Run } from './command.ts';
import { atDesk } from './desk.ts';
import { formatBytes, plural } from './output/text.ts';
import { write } from './terminal.ts';

/** Parts of about equal bytes; what the catalogue does not know weighs as much as what it knows on average. */
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
    const byUid = new Map(rows.map((row) => [row.SeriesInstanceUID, row.bytes]));
    const sizes = manifest.entries.map(({ identifier, size }) => {
      const [uuid = ''] = seriesUuidOf(identifier);
      return (
        size ??
        known.get(uuid)?.bytes ??
        (identifier.kind === 'dicom-uid' ? byUid.get(identifier.uid) : undefined)
      );
    });
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
