/** Names to addresses, kept for a few seconds so that 32 connections at once ask once. */
import { lookup as systemLookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/** An address to try. */
export interface Address {
  address: string;
  family: number;
}

/** Host → addresses in the order to try them. Rejects with the system's error. */
export type Resolve = (host: string) => Promise<readonly Address[]>;

/** How long an answer is used: about what S3 gives its own records. */
const KEPT_MS = 5_000;

/**
 * The system's resolver (so that `/etc/hosts` and search domains count) with all addresses, not just the first.
 * Consecutive calls begin with another address of the preferred family: S3 answers with several, to spread the load.
 */
export function createResolver(lookup?: Resolve): Resolve {
  const kept = new Map<string, { at: number; answer: Promise<readonly Address[]> }>();
  let turn = 0;
  return async (host) => {
    const literal = isIP(host);
    if (literal !== 0) return [{ address: host, family: literal }];
    let entry = kept.get(host);
    if (entry === undefined || performance.now() - entry.at > KEPT_MS) {
      const answer = lookup?.(host) ?? systemLookup(host, { all: true, verbatim: true });
      entry = { at: performance.now(), answer };
      kept.set(host, entry);
      answer.catch(() => kept.delete(host));
    }
    const addresses = await entry.answer;
    const preferred = addresses.filter(({ family }) => family === addresses[0]?.family);
    const others = addresses.filter(({ family }) => family !== addresses[0]?.family);
    turn = (turn + 1) % 1_000_000;
    const from = turn % Math.max(preferred.length, 1);
    return [...preferred.slice(from), ...preferred.slice(0, from), ...others];
  };
}
