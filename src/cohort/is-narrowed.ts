/** Whether a selection leaves anything out. */
import type { Selection } from '../catalog/index.ts';

/** Fields of a selection that leave nothing out by themselves. */
const NOT_NARROWING = new Set(['release', 'seed', 'sampleBy', 'order', 'split']);

/** True where a selection narrows anything down; `release`, `seed`, an order and a split alone do not. */
export function isNarrowed(selection: Selection): boolean {
  return Object.keys(selection).some((key) => !NOT_NARROWING.has(key));
}
