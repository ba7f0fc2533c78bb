/** How soon V8 optimizes what is called often. */
import { setFlagsFromString } from 'node:v8';
import type { TransferEvent } from '../transfer/index.ts';

/**
 * Bytes of bytecode before a function is looked at, in place of V8's own 67,584. A transfer of two seconds calls some hundred
 * functions often enough to be optimized, in every thread, and ends before that has paid.
 */
const LATER = 10_000_000;

/** Files from which on it does pay. */
const LONG_RUN = 5_000;

/** What a transfer has done when it is clearly none of an instant, and all of its threads stand. */
const SOME_BYTES = 8 << 20;
const SOME_FILES = 32;

/**
 * Takes the events of a transfer and raises the limit once some bytes have come, unless there is much to fetch. Not sooner: V8
 * refuses code that was compiled under other flags, Node's own modules too, and each thread would compile them again.
 *
 * For Node 20 alone: the flag is one of V8's own, and later versions count calls instead.
 */
export function optimizeLater(): (event: TransferEvent) => void {
  let settled = !process.versions.v8.startsWith('11.');
  return (event) => {
    if (settled) return;
    if (event.type === 'plan') settled = event.files - event.present >= LONG_RUN;
    else if (event.type === 'progress' && (event.bytes >= SOME_BYTES || event.files >= SOME_FILES)) {
      settled = true;
      setFlagsFromString(`--interrupt-budget=${LATER}`);
    }
  };
}
