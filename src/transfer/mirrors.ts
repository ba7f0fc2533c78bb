/**
 * How the mirrors of a run have done so far: which one to ask first, and how patiently.
 */
import type { Source } from '../locations/index.ts';

/** Files in a row that a mirror failed to give before it is taken to be out of order. */
const DOWN_AFTER = 3;

/** Files that fail at once, with no success in between, before it is the line that is down and not the files. */
const OUTAGE_FILES = 3;

/** What one thread has learned about a mirror, for the others. */
export interface MirrorWord {
  /** As `mirrorId` gives it. */
  id: string;
  is: 'down' | 'up' | 'lying';
}

/** The standing of all mirrors during one run. */
export interface Mirrors {
  /** Sources of a file, best first: in the order of the plan, but those that are down, then those that lied, last. */
  order(sources: readonly Source[]): Source[];
  /** How often to try a file here; one that is down gets one chance per file. */
  attempts(source: Source, usual: number): number;
  /** It gave right bytes. */
  served(source: Source): void;
  /**
   * It could not be reached for this file. True where it served others before and now is out of reach for several
   * files at once: a line that was cut, and not a bad object.
   */
  unreachable(source: Source, path: string): boolean;
  /** It gave up on a file (time-outs, resets, 503). True at the moment when it becomes `down`. */
  failed(source: Source): boolean;
  /** It gave wrong bytes, twice for the same file. True the first time. */
  lied(source: Source): boolean;
  /** Takes the word of another thread. */
  hear(word: MirrorWord): void;
}

interface Standing {
  failures: number;
  lied: boolean;
  hasServed: boolean;
  /** Files that it could not be reached for since it last served one. */
  cut: Set<string>;
}

/** Identity of a mirror: two buckets of one provider can do differently. */
export function mirrorId(source: Source): string {
  const { protocol, endpoint, bucket } = source.place;
  return `${source.mirror} ${protocol} ${endpoint} ${bucket}`;
}

/** Fresh standings for a run. `say` is told what other threads of the run should know. */
export function createMirrors(say: (word: MirrorWord) => void = () => {}): Mirrors {
  const standings = new Map<string, Standing>();
  const of = (source: Source): Standing => byId(mirrorId(source));
  const byId = (id: string): Standing => {
    let standing = standings.get(id);
    if (standing === undefined) {
      standing = { failures: 0, lied: false, hasServed: false, cut: new Set() };
      standings.set(id, standing);
    }
    return standing;
  };
  const penalty = (source: Source): number => {
    const { failures, lied } = of(source);
    return (lied ? 2 : 0) + (failures >= DOWN_AFTER ? 1 : 0);
  };
  return {
    order: (sources) =>
      sources.length < 2 ? [...sources] : [...sources].sort((a, b) => penalty(a) - penalty(b)),
    attempts: (source, usual) => (of(source).failures >= DOWN_AFTER ? 1 : usual),
    served(source) {
      const standing = of(source);
      if (standing.failures >= DOWN_AFTER) say({ id: mirrorId(source), is: 'up' });
      standing.failures = 0;
      standing.hasServed = true;
      standing.cut.clear();
    },
    unreachable(source, path) {
      const { hasServed, cut } = of(source);
      cut.add(path);
      return hasServed && cut.size >= OUTAGE_FILES;
    },
    failed(source) {
      const standing = of(source);
      standing.failures += 1;
      const isDownNow = standing.failures === DOWN_AFTER;
      if (isDownNow) say({ id: mirrorId(source), is: 'down' });
      return isDownNow;
    },
    lied(source) {
      const standing = of(source);
      const first = !standing.lied;
      standing.lied = true;
      if (first) say({ id: mirrorId(source), is: 'lying' });
      return first;
    },
    hear({ id, is }) {
      const standing = byId(id);
      if (is === 'lying') standing.lied = true;
      else standing.failures = is === 'down' ? Math.max(DOWN_AFTER, standing.failures) : 0;
    },
  };
}
