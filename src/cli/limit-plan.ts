/** `--fetch-order` and `--stop-after`: which files of a plan, and in which order. */
import { absentFiles, type CohortPlan } from '../cohort/index.ts';
import { CarrelError } from '../errors.ts';
import type { FetchOrder } from '../transfer/index.ts';
import { byteAmount } from './numbers.ts';

/** A number of files, or of bytes. */
export type StopAfter = { files: number } | { bytes: number };

/** `100`: files; `10GB`: bytes. Throws `usage`. */
export function stopAfter(text: string): StopAfter {
  if (!/^\d{1,15}$/.test(text)) return { bytes: byteAmount(text) };
  if (Number(text) > 0) return { files: Number(text) };
  throw new CarrelError('usage', '--stop-after takes a number of files from 1, or bytes such as 10GB', {
    item: text,
  });
}

/** Files by size or as planned. */
export function ordered<T extends { size?: number | undefined }>(
  files: readonly T[],
  order: FetchOrder,
): T[] {
  if (order === 'auto' || order === 'listed') return [...files];
  const sign = order === 'small' ? 1 : -1;
  return files.toSorted((a, b) => sign * ((a.size ?? 0) - (b.size ?? 0)));
}

/**
 * The plan without what comes after the limit: what is here already, and the first missing files in that order. At least
 * one file is fetched, also where it alone is larger than the limit: otherwise no run would ever come further.
 */
export async function limited(
  plan: CohortPlan,
  directory: string,
  order: FetchOrder,
  limit: StopAfter,
): Promise<{ plan: CohortPlan; left: number }> {
  const absent = ordered(await absentFiles(plan.files, directory), order);
  const taken = new Set<(typeof absent)[number]>();
  let bytes = 0;
  for (const file of absent) {
    bytes += file.size ?? 0;
    const over = 'files' in limit ? taken.size >= limit.files : taken.size > 0 && bytes > limit.bytes;
    if (over) break;
    taken.add(file);
  }
  const lacking = new Set(absent);
  const files = plan.files.filter((file) => !lacking.has(file) || taken.has(file));
  const size = files.reduce((sum, file) => sum + (file.size ?? 0), 0);
  return { plan: { ...plan, files, bytes: size }, left: absent.length - taken.size };
}
