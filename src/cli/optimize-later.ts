/** How soon V8 optimizes what is called often. */
import { setFlagsFromString } from 'node:v8';
import type { TransferEvent } from '../transfer/index.ts';

/**
 * Bytes of bytecode before a function is looked at, in place of V8's own 67,584. A transfer of two seconds calls some hundred
 * functions often enough to be optimized, in every thread, and ends before that has paid.
 */
const LATER = 10_000_000;
const SOON = 67_584;

/** Files from which on it does pay. */
const LONG_RUN = 5_000;

/** For Node 20 alone: the flag is one of V8's own, and later versions count calls instead. */
export function optimizeLater(bytes: number = LATER): void {
  if (process.versions.v8.startsWith('11.')) setFlagsFromString(`--interrupt-budget=${bytes}`);
}

/** Takes it back where there is much to fetch; threads that start after this event have it from their first function on. */
export function optimizeForPlan(event: TransferEvent): void {
  if (event.type === 'plan' && event.files - event.present >= LONG_RUN) optimizeLater(SOON);
}
