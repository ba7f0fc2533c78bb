/** The words of a list that somebody may have meant: few edits away, the same beginning, or contained. */

/** Edits between two texts: letters added, left out, changed, or two neighbours swapped. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, (before[j - 2] ?? 0) + 1);
      row.push(best);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** Cost of a candidate that is a part of the text. */
const PART = 95;

/** Up to `limit` (default 5) of the candidates, nearest first; case and underscores do not count. */
export function nearest(text: string, candidates: Iterable<string>, limit = 5): string[] {
  const squash = (word: string) => word.toLowerCase().replaceAll('_', '');
  const wanted = squash(text);
  if (wanted === '' || wanted.length > 200) return [];
  const most = Math.max(1, Math.floor(wanted.length / 3));
  const found: { word: string; cost: number }[] = [];
  for (const word of candidates) {
    const squashed = squash(word);
    const close =
      Math.abs(squashed.length - wanted.length) <= most ? editDistance(squashed, wanted) : undefined;
    if (close !== undefined && close <= most) found.push({ word, cost: close });
    else if (wanted.length >= 2 && squashed.startsWith(wanted)) found.push({ word, cost: 50 });
    else if (wanted.length >= 3 && squashed.includes(wanted)) found.push({ word, cost: 90 });
    else if (squashed.length >= 4 && wanted.includes(squashed)) found.push({ word, cost: PART });
  }
  // A word that is only a part of what was typed is worth naming where there is nothing nearer.
  const better = found.some(({ cost }) => cost < PART);
  return found
    .filter(({ cost }) => !better || cost < PART)
    .sort((a, b) => a.cost - b.cost || a.word.length - b.word.length || (a.word < b.word ? -1 : 1))
    .slice(0, limit)
    .map(({ word }) => word);
}
