/** Whether this process was started to outlive its terminal. */
import { readFileSync } from 'node:fs';

/**
 * True under `nohup` and the like, which have SIGHUP ignored: a handler of ours would take that back. Linux tells; elsewhere a
 * process whose messages go to no terminal is taken to be one.
 */
export function ignoresHangup(err: { isTTY?: boolean }): boolean {
  try {
    const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (mask !== undefined) return (BigInt(`0x${mask}`) & 1n) === 1n;
  } catch {
    // Not Linux.
  }
  return err.isTTY !== true;
}
