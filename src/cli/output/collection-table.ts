/** What a run did, collection by collection. */
import type { GetResult } from '../../cohort/index.ts';
import { formatBytes, formatCount, formatTable } from './text.ts';

interface Share {
  series: Set<string>;
  files: number;
  bytes: number;
  fetched: number;
  here: number;
  failed: number;
}

/** What belongs to no collection of the catalogue: objects that were named by their address. */
const OTHER = 'other objects';

/** A table with a line for each collection, in the order of their names; undefined where there is only one. */
export function collectionTable(
  { plan, transfer }: Pick<GetResult, 'plan' | 'transfer'>,
  width?: number,
): string | undefined {
  const shares = new Map<string, Share>();
  const collectionOf = new Map<string, string>();
  for (const { path, series } of plan.files) {
    const collection = series?.row?.collection_id ?? series?.locked?.collection_id ?? OTHER;
    collectionOf.set(path, collection);
    const share = shareOf(shares, collection);
    share.files += 1;
    if (series !== undefined) share.series.add(series.crdc_series_uuid);
  }
  if (shares.size < 2) return undefined;
  for (const { path, bytes, how } of transfer.files) {
    const share = shareOf(shares, collectionOf.get(path) ?? OTHER);
    share.bytes += bytes;
    if (how === 'fetched') share.fetched += 1;
    else share.here += 1;
  }
  for (const { path } of transfer.failed) shareOf(shares, collectionOf.get(path) ?? OTHER).failed += 1;
  const rows = [...shares]
    .sort(([a], [b]) => (a === OTHER ? 1 : b === OTHER ? -1 : a < b ? -1 : 1))
    .map(([name, { series, files, bytes, fetched, here, failed }]) => [
      name,
      ...[series.size, files, fetched, here, failed].map(formatCount),
      formatBytes(bytes),
    ]);
  const head = ['collection', 'series', 'files', 'fetched', 'here', 'failed', 'bytes'];
  return formatTable(head, rows, { right: [1, 2, 3, 4, 5, 6], width, optional: [1, 4] });
}

function shareOf(shares: Map<string, Share>, collection: string): Share {
  const known = shares.get(collection);
  if (known !== undefined) return known;
  const share: Share = { series: new Set(), files: 0, bytes: 0, fetched: 0, here: 0, failed: 0 };
  shares.set(collection, share);
  return share;
}
