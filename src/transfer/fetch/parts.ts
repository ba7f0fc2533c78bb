/**
 * A large object over several connections at once, handed over in order. One connection over a long line carries a
 * window's worth per round trip, however fast the line; several carry as many times more.
 *
 * The first part goes straight to the consumer as it comes; those behind it are read into memory and wait for their turn. So a
 * digest can be computed on the way, and what is on disk is always a beginning of the object: an interrupted run goes
 * on from there as if there had been one connection. The memory is bounded, over all objects of a thread.
 */
import { CarrelError } from '../../errors.ts';
import type { ObjectBody } from '../../stores/index.ts';

/** Bytes of one part: what AWS advises for ranges (8 to 16 MiB). */
export const PART_BYTES = 8 << 20;

/** Memory for parts that wait, over all objects of a thread. */
const BUDGET_BYTES = 32 << 20;

/** Parts of one object that may wait in memory. */
export interface PartShare {
  take(): boolean;
  give(): void;
  /** The object needs no more. */
  end(): void;
}

/** Memory for parts, shared out evenly: objects that go on together can be hashed together. */
export interface PartBudget {
  share(): PartShare;
}

/** The budget of a thread. */
export function createPartBudget(bytes = BUDGET_BYTES): PartBudget {
  const parts = Math.floor(bytes / PART_BYTES);
  let taken = 0;
  let shares = 0;
  return {
    share() {
      let own = 0;
      shares += 1;
      return {
        take() {
          if (taken === parts || own >= Math.ceil(parts / shares)) return false;
          taken += 1;
          own += 1;
          return true;
        },
        give() {
          taken -= 1;
          own -= 1;
        },
        end() {
          shares -= 1;
        },
      };
    },
  };
}

/** What is to be fetched, and how. */
export interface PartsOptions {
  /** The reply that is here already: it begins at `from`, and is to go on to the end of the object. */
  first: ObjectBody;
  from: number;
  /** Bytes of the whole object. */
  total: number;
  /** Most connections at once, `first` included. */
  streams: number;
  budget: PartBudget;
  /** Opens the reply for a part of the pinned object; undefined where the server does not give parts. */
  open: (start: number, end: number) => Promise<ObjectBody | undefined>;
  /** Ends all replies, `first` included: each then rejects. */
  stop: () => void;
  /** In order. A promise asks for patience. */
  onChunk: (chunk: Uint8Array) => void | Promise<void>;
  /** So many bytes came, in whatever order. */
  onArrival: (bytes: number) => void;
}

/** One part: its bytes wait in `memory` until it is its turn. */
interface Part {
  /** Where its next byte belongs. */
  at: number;
  /** Where it ends. The first goes on to the end of the object until the second has begun. */
  end: number;
  memory: Buffer | undefined;
  filled: number;
  ended: Promise<void>;
  isTurn: boolean;
  /** It is read from the socket straight into `memory`, as a whole, before it is handed over. */
  lands: boolean;
}

/**
 * Hands over everything from `from` to the end of the object. Rejects with the first error; by then nothing is under
 * way any more, and what was handed over stands.
 *
 * The second part is asked for alone: only when its reply is here, and right, is the first one cut short and are others
 * asked for. A server without ranges costs one request, not the bytes so far.
 */
export async function consumeParts(options: PartsOptions): Promise<void> {
  const { first, from, total, streams, open, stop, onChunk, onArrival } = options;
  const budget = options.budget.share();
  const parts: Part[] = [];
  let next = Math.min(total, from + PART_BYTES);
  let divided = false;
  /** Memory of parts that were handed over: pages that were touched before cost nothing. */
  const spare: Buffer[] = [];

  const take = (part: Part, piece: Uint8Array): void | Promise<void> => {
    if (part.isTurn) return onChunk(piece);
    part.memory ??= spare.pop() ?? Buffer.allocUnsafeSlow(PART_BYTES);
    part.memory.set(piece, part.filled);
    part.filled += piece.length;
  };

  const land = async (part: Part, read: NonNullable<ObjectBody['land']>): Promise<void> => {
    part.lands = true;
    part.memory = spare.pop() ?? Buffer.allocUnsafeSlow(PART_BYTES);
    await read(part.memory.subarray(0, part.end - part.at), (count) => {
      part.at += count;
      part.filled += count;
      onArrival(count);
    });
  };

  /** A reply may go on behind the part's end: it is cut there. */
  const receive = async (part: Part, body: ObjectBody): Promise<void> => {
    const { land: read, range } = body;
    if (!part.isTurn && read !== undefined && range.start === part.at && range.end === part.end) {
      await land(part, read);
      return;
    }
    const cut = new Error('the part is complete');
    await body
      .consume((chunk) => {
        const piece = part.at + chunk.length > part.end ? chunk.subarray(0, part.end - part.at) : chunk;
        part.at += piece.length;
        onArrival(piece.length);
        const taken = take(part, piece);
        if (piece.length === chunk.length) return taken;
        if (taken === undefined) throw cut;
        return taken.then(() => {
          throw cut;
        });
      })
      .catch((error: unknown) => {
        if (error !== cut) throw error;
      });
    if (part.at < part.end)
      throw new CarrelError('network', `a part ended at byte ${part.at} instead of ${part.end}`, {
        retryable: true,
      });
  };

  const begin = (at: number, end: number, isTurn: boolean, body: ObjectBody | undefined): Part => {
    const part: Part = {
      at,
      end,
      memory: undefined,
      filled: 0,
      ended: Promise.resolve(),
      isTurn,
      lands: false,
    };
    part.ended = (async () => {
      const reply = body ?? (await open(at, end));
      if (reply === undefined) throw new CarrelError('network', 'a part was not given', { retryable: true });
      await receive(part, reply);
    })();
    part.ended.catch(() => {}); // whoever's turn it is learns of it
    parts.push(part);
    return part;
  };

  const refill = (): void => {
    while (divided && next < total && parts.length < streams && budget.take()) {
      begin(next, Math.min(total, next + PART_BYTES), false, undefined);
      next = Math.min(total, next + PART_BYTES);
    }
  };

  const leader = begin(from, total, true, first);
  /** The second part, which decides whether there are more. */
  const divide = async (): Promise<void> => {
    if (next >= total || !budget.take()) return;
    const end = Math.min(total, next + PART_BYTES);
    let second: ObjectBody | undefined;
    try {
      second = await open(next, end);
    } catch {
      // The first stream is well: what ails this one shows when it is that one's turn, or never.
    }
    if (second === undefined || leader.at > next || parts[0] !== leader) {
      second?.cancel();
      budget.give();
      return;
    }
    leader.end = next;
    begin(next, end, false, second);
    next = end;
    divided = true;
    refill();
  };

  const dividing = divide();
  try {
    for (let part = parts[0]; part !== undefined; part = parts[0]) {
      if (!part.isTurn) {
        if (part.lands) await part.ended;
        // More may come while the consumer takes its time.
        for (let at = 0; at < part.filled; ) {
          const until = part.filled;
          await onChunk((part.memory as Buffer).subarray(at, until));
          at = until;
        }
        part.isTurn = true;
        if (part.memory !== undefined) spare.push(part.memory);
        part.memory = undefined;
        budget.give();
        refill();
      }
      await part.ended;
      if (part === leader) await dividing;
      parts.shift();
      // Without memory for parts that wait, the object goes on as a single stream of parts.
      if (parts.length === 0 && divided && next < total) {
        begin(next, Math.min(total, next + PART_BYTES), true, undefined);
        next = Math.min(total, next + PART_BYTES);
      }
      refill();
    }
  } catch (error) {
    stop();
    await Promise.allSettled([dividing, ...parts.map(({ ended }) => ended)]);
    throw error;
  } finally {
    for (const part of parts) if (!part.isTurn) budget.give();
    budget.end();
  }
}
