/** Paths that somebody may have meant. */

/** Paths that are looked at: beyond, likeness costs more than it helps. */
const MOST = 50_000;

/** Up to three paths like the one that is not there, nearest first. */
export function nearPaths(wanted: string, paths: Iterable<string>): string[] {
  const pairs = pairsOf(wanted);
  const found: { path: string; like: number }[] = [];
  let seen = 0;
  for (const path of paths) {
    seen += 1;
    if (seen > MOST) break;
    const like = Math.max(
      likeness(pairs, pairsOf(path)),
      likeness(pairsOf(nameOf(wanted)), pairsOf(nameOf(path))),
    );
    if (like >= 0.5) found.push({ path, like });
  }
  return found
    .sort((a, b) => b.like - a.like || (a.path < b.path ? -1 : 1))
    .slice(0, 3)
    .map(({ path }) => path);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function pairsOf(text: string): string[] {
  const small = text.toLowerCase().normalize('NFC');
  return Array.from({ length: Math.max(0, small.length - 1) }, (_, at) => small.slice(at, at + 2));
}

/** The share of pairs of letters in common (Dice), from 0 to 1. */
function likeness(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return 0;
  const counts = new Map<string, number>();
  for (const pair of b) counts.set(pair, (counts.get(pair) ?? 0) + 1);
  let common = 0;
  for (const pair of a) {
    const left = counts.get(pair) ?? 0;
    if (left === 0) continue;
    common += 1;
    counts.set(pair, left - 1);
  }
  return (2 * common) / (a.length + b.length);
}
