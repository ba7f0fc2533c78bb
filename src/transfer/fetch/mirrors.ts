/**
 * How the mirrors of a run do: which one to ask first, and how patiently.
 *
 * Copies of one object are the same object, so the faster copy is the better one. Which that is depends on where one
 * stands and changes with the hour: it is measured with the first files of the run, a few from each mirror, or known from
 * an earlier run. A mirror that is down, asks for less, or gives wrong bytes comes later in the order, whatever its speed.
 */
import type { Source } from '../../locations/index.ts';

/** Files in a row that a mirror failed to give before it is taken to be out of order. */
const DOWN_AFTER = 3;

/** Files that fail at once, with no success in between, before it is the line that is down and not the files. */
const OUTAGE_FILES = 3;

/** Files from each mirror that tell how fast it is. */
const PROBES = 4;

/** So much faster must another mirror be before it goes before the one that the plan names first. */
const CLEARLY = 1.2;

/** A mirror that is so many times slower than it was is not the one that is remembered. */
const MUCH = 4;

/** How long a mirror that asked for less is asked last; doubles each time, up to the second figure. */
const COOL_MS = 10_000;
const MOST_COOL_MS = 160_000;

/** What one thread has learned about a mirror, for the others. */
export type MirrorWord =
  /** `id` as `mirrorId` gives it. */
  | { id: string; is: 'down' | 'up' | 'lying' }
  /** It asked for less, and is left alone for so long. */
  | { id: string; is: 'throttling'; forMs: number }
  /** A file came from it. */
  | { id: string; is: 'measured'; bytes: number; ms: number };

/** Which mirror is asked first: as the plan has it, or the faster one. */
export interface MirrorChoice {
  by: 'order' | 'speed';
  /** Bytes per millisecond and stream that an earlier run saw, by `speedId`. */
  known?: Readonly<Record<string, number>> | undefined;
  /** Files to spend on each mirror to learn its speed. Default 4. */
  probes?: number | undefined;
}

/** The standing of all mirrors during one run. */
export interface Mirrors {
  /**
   * Sources of a file, best first: in the order of the plan or by speed (disks before everything), but those that ask for
   * less, then those that are down, then those that lied, last.
   */
  order(sources: readonly Source[]): Source[];
  /** How often to try a file here; one that is down gets one chance per file. */
  attempts(source: Source, usual: number): number;
  /** It gave right bytes; so many of them, and in so many milliseconds. */
  served(source: Source, measure?: { bytes: number; ms: number }): void;
  /**
   * It could not be reached for this file. True where bytes came before, from whichever mirror, and now it is out of reach for
   * several files at once, or nobody is there at all (`isGone`): a line that was cut, and not a bad object.
   */
  unreachable(source: Source, path: string, seen?: { isGone?: boolean; hasGiven?: boolean }): boolean;
  /** It gave up on a file (time-outs, resets, 503). True at the moment when it becomes `down`. */
  failed(source: Source): boolean;
  /** It asked for less (429, 503): for a while the next files go elsewhere, where there is an elsewhere. */
  throttled(source: Source): void;
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
  /** Files that were sent here to see how fast it is. */
  probes: number;
  files: number;
  bytes: number;
  ms: number;
  coolUntil: number;
  coolMs: number;
}

/** Identity of a mirror: two buckets of one provider can do differently. */
export function mirrorId(source: Pick<Source, 'mirror' | 'place'>): string {
  const { protocol, endpoint, bucket } = source.place;
  return `${source.mirror} ${protocol} ${endpoint} ${bucket}`;
}

/** What speeds are remembered by: all buckets of a mirror are as far away. The start of `mirrorId`. */
export function speedId({ mirror, place }: Pick<Source, 'mirror' | 'place'>): string {
  return `${mirror} ${place.protocol} ${place.endpoint}`;
}

/**
 * Fresh standings for a run. `say` is told what other threads of the run should know.
 *
 * @param now milliseconds of a clock that only goes forward
 */
export function createMirrors(
  say: (word: MirrorWord) => void = () => {},
  choice: MirrorChoice = { by: 'order' },
  now: () => number = () => performance.now(),
): Mirrors {
  const standings = new Map<string, Standing>();
  const probesEach = choice.probes ?? PROBES;
  const of = (source: Source): Standing => byId(mirrorId(source));
  const byId = (id: string): Standing => {
    let standing = standings.get(id);
    if (standing === undefined) {
      const never = Number.NEGATIVE_INFINITY;
      const counts = { failures: 0, probes: 0, files: 0, bytes: 0, ms: 0, coolUntil: never, coolMs: 0 };
      standing = { ...counts, lied: false, hasServed: false, cut: new Set() };
      standings.set(id, standing);
    }
    return standing;
  };
  const penalty = (source: Source): number => {
    const { failures, lied, coolUntil } = of(source);
    return (lied ? 4 : 0) + (failures >= DOWN_AFTER ? 2 : 0) + (now() < coolUntil ? 1 : 0);
  };
  /**
   * Bytes per millisecond of a stream; undefined where nothing is known yet. What was measured today, with so many streams
   * at once, is held against what was measured today; beside a mirror of which only the past is known, the past of this one
   * counts, unless it has become much slower.
   */
  const rate = (source: Source, likeForLike: boolean): number | undefined => {
    const { files, bytes, ms } = of(source);
    const known = choice.known?.[speedId(source)];
    if (files === 0) return known;
    const today = bytes / Math.max(1, ms);
    return !likeForLike && known !== undefined && today > known / MUCH ? known : today;
  };
  const bySpeed = (sources: readonly Source[]): Source[] => {
    const remote = sources.filter(({ place }) => place.protocol !== 'file');
    if (remote.length < 2) return [...sources];
    const disks = sources.filter(({ place }) => place.protocol === 'file');
    const [first] = remote;
    // A disk serves the file, as long as there is one: nothing is learned, and nothing should be spent.
    const probe = disks.length > 0 ? undefined : nextProbe(remote);
    if (probe !== undefined) return [probe, ...remote.filter((source) => source !== probe)];
    const likeForLike = remote.every((source) => of(source).files > 0);
    const worth = (source: Source): number =>
      (rate(source, likeForLike) ?? 0) * (source === first ? CLEARLY : 1);
    return [...disks, ...remote.toSorted((a, b) => worth(b) - worth(a))];
  };
  /** The mirror to send a file to only to learn how fast it is; undefined where that is known, or on its way. */
  const nextProbe = (sources: readonly Source[]): Source | undefined => {
    const unknown = sources.filter((source) => {
      const { probes, files } = of(source);
      const isKnown = files >= probesEach || choice.known?.[speedId(source)] !== undefined;
      return !isKnown && probes < probesEach && penalty(source) === 0;
    });
    const [next] = unknown.toSorted((a, b) => of(a).probes - of(b).probes);
    if (next !== undefined) of(next).probes += 1;
    return next;
  };
  const measure = (standing: Standing, bytes: number, ms: number): void => {
    standing.files += 1;
    standing.bytes += bytes;
    standing.ms += ms;
    if (standing.files < 64) return;
    // What was long ago counts less and less.
    standing.files /= 2;
    standing.bytes /= 2;
    standing.ms /= 2;
  };
  return {
    order(sources) {
      if (sources.length < 2) return [...sources];
      const ordered = choice.by === 'speed' ? bySpeed(sources) : [...sources];
      return ordered.sort((a, b) => penalty(a) - penalty(b));
    },
    attempts: (source, usual) => (of(source).failures >= DOWN_AFTER ? 1 : usual),
    served(source, measured) {
      const standing = of(source);
      const id = mirrorId(source);
      if (standing.failures >= DOWN_AFTER) say({ id, is: 'up' });
      standing.failures = 0;
      standing.hasServed = true;
      standing.cut.clear();
      if (measured === undefined || choice.by !== 'speed') return;
      measure(standing, measured.bytes, measured.ms);
      say({ id, is: 'measured', ...measured });
    },
    unreachable(source, path, { isGone = false, hasGiven = false } = {}) {
      const { cut } = of(source);
      cut.add(path);
      const hadLine = hasGiven || [...standings.values()].some(({ hasServed }) => hasServed);
      return hadLine && (isGone || cut.size >= OUTAGE_FILES);
    },
    failed(source) {
      const standing = of(source);
      standing.failures += 1;
      const isDownNow = standing.failures === DOWN_AFTER;
      if (isDownNow) say({ id: mirrorId(source), is: 'down' });
      return isDownNow;
    },
    throttled(source) {
      const standing = of(source);
      if (now() < standing.coolUntil) return;
      // Again soon after it was let back: it needs more time.
      const isAgain = now() - standing.coolUntil < standing.coolMs;
      standing.coolMs = isAgain ? Math.min(MOST_COOL_MS, standing.coolMs * 2) : COOL_MS;
      standing.coolUntil = now() + standing.coolMs;
      say({ id: mirrorId(source), is: 'throttling', forMs: standing.coolMs });
    },
    lied(source) {
      const standing = of(source);
      const first = !standing.lied;
      standing.lied = true;
      if (first) say({ id: mirrorId(source), is: 'lying' });
      return first;
    },
    hear(word) {
      const standing = byId(word.id);
      if (word.is === 'lying') standing.lied = true;
      else if (word.is === 'measured') measure(standing, word.bytes, word.ms);
      else if (word.is === 'throttling') {
        standing.coolMs = word.forMs;
        standing.coolUntil = now() + word.forMs;
      } else standing.failures = word.is === 'down' ? Math.max(DOWN_AFTER, standing.failures) : 0;
    },
  };
}

/** The same sources, the one first that a run would ask first, by speeds of earlier runs (`speedId` → bytes per millisecond). */
export function fasterFirst(sources: readonly Source[], known: Readonly<Record<string, number>>): Source[] {
  return createMirrors(undefined, { by: 'speed', known, probes: 0 }).order(sources);
}
