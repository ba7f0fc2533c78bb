/** Do series of NBIA fit on the disk? Asked before the first byte. */
import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseLayout } from '../../cohort/index.ts';
import { checkSpace, type FreeSpace, forEachLimited, STATE_FOLDER } from '../../transfer/index.ts';
import { SERIES_AT_ONCE } from './at-once.ts';
import type { NbiaFile } from './fetch-series.ts';
import { readSeriesRecord } from './series-record.ts';
import type { NbiaSeries } from './series-row.ts';

/** Bytes to leave free, as in every transfer. */
const RESERVE_BYTES = 16 << 20;

const LOOKS_AT_ONCE = 16;

/** Series that stand in a folder as an earlier run proved them, with their files. */
export async function presentSeries(
  series: readonly NbiaSeries[],
  folder: string,
  layout: string,
): Promise<Map<string, NbiaFile[]>> {
  const state = join(folder, STATE_FOLDER, 'nbia');
  const present = new Map<string, NbiaFile[]>();
  await forEachLimited(series, LOOKS_AT_ONCE, async ({ SeriesInstanceUID: uid }) => {
    const files = await readSeriesRecord(state, uid, folder, layout);
    if (files !== undefined) present.set(uid, files);
  });
  return present;
}

/**
 * Bytes that series take while they come: their files, and the ZIPs of those that come at a time, which are at most as large.
 * A series whose size NBIA does not tell counts nothing.
 */
export function bytesForSeries(series: readonly NbiaSeries[], jobs = SERIES_AT_ONCE): number {
  const sizes = series.map(({ bytes = 0 }) => bytes).sort((a, b) => b - a);
  const sum = (some: readonly number[]) => some.reduce((total, bytes) => total + bytes, 0);
  return sum(sizes) + sum(sizes.slice(0, jobs));
}

/** @throws CarrelError `no-space`, naming both figures */
export async function checkSeriesSpace(folder: string, need: number, freeSpace?: FreeSpace): Promise<void> {
  await checkSpace(await nearestFolder(folder), need, { reserve: RESERVE_BYTES, freeSpace });
}

/**
 * What series of NBIA will need in a folder that need not be there yet, checked: other files of the same run have to leave it free.
 *
 * @throws CarrelError `no-space`, naming both figures
 */
export async function reserveForSeries(
  series: readonly NbiaSeries[],
  directory: string,
  layout: string,
): Promise<number> {
  const folder = resolve(directory);
  const present = await presentSeries(series, folder, parseLayout(layout).text);
  const need = bytesForSeries(series.filter(({ SeriesInstanceUID: uid }) => !present.has(uid)));
  await checkSeriesSpace(folder, need);
  return need + RESERVE_BYTES;
}

/** The folder, or the nearest above it that exists: it is on the same disk. */
async function nearestFolder(folder: string): Promise<string> {
  for (let at = folder; ; at = dirname(at)) {
    if ((await stat(at).catch(() => undefined)) !== undefined || dirname(at) === at) return at;
  }
}
