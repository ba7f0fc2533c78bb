/** Which of several files are begun with. */
import type { PlannedFile } from './plan.ts';

/** From this size on, files are started first: a large one that is started last makes all others wait for it. */
const LARGE_BYTES = 8 << 20;

/** What is fetched first. */
export type FetchOrder = 'auto' | 'small' | 'large' | 'listed';

/** `auto`: large files first, biggest first; the others as planned, so that series are completed one after the other. */
export function inOrder(files: readonly PlannedFile[], order: FetchOrder): PlannedFile[] {
  if (order === 'listed') return [...files];
  const sign = order === 'small' ? 1 : -1;
  if (order !== 'auto') return files.toSorted((a, b) => sign * ((a.size ?? 0) - (b.size ?? 0)));
  const large = files.filter(({ size }) => (size ?? 0) >= LARGE_BYTES);
  large.sort((a, b) => (b.size ?? 0) - (a.size ?? 0));
  return [...large, ...files.filter(({ size }) => (size ?? 0) < LARGE_BYTES)];
}
