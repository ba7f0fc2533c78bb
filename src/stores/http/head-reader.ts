/** Collects the head of a reply from the pieces in which it arrives. */
import { endOfHead, MalformedReply, parseHead, type ReplyHead } from './parse-head.ts';

/** Interim replies (1xx) that are skipped before one is final. */
const MAX_INTERIM = 16;

/** Takes views until the final head is complete. */
export interface HeadReader {
  /** The head and what follows it in the view; undefined where more is needed. Throws `MalformedReply`. */
  take(view: Buffer): { head: ReplyHead; rest: Buffer } | undefined;
}

/** A reader for one reply to a request of `method`. */
export function createHeadReader(method: string): HeadReader {
  let partial: Buffer | undefined;
  let interim = 0;
  return {
    take(view) {
      let rest = partial === undefined ? view : Buffer.concat([partial, view]);
      partial = undefined;
      for (;;) {
        const end = endOfHead(rest);
        if (end === -1) {
          partial = Buffer.from(rest); // a copy: the view is about to be written over
          return undefined;
        }
        const head = parseHead(rest.subarray(0, end), method);
        rest = rest.subarray(end);
        if (head.status >= 200) return { head, rest };
        interim += 1;
        if (head.status === 101 || interim > MAX_INTERIM) {
          throw new MalformedReply('the server changes the protocol or never comes to its reply');
        }
      }
    },
  };
}
