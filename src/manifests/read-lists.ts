/** Manifests that are lists of names: `.tcia`, `.dcf` and plain lists of UIDs, UUIDs, URIs or words. */
import type { Collector } from './collector.ts';
import { isStrongName } from './collector.ts';

/** Fields of a head, as NBIA spells them (`noOfrRetry` is its own slip), folded. */
const TCIA_HEAD = new Set(
  'downloadserverurl includeannotation noofrretry noofretry databasketid manifestversion listofseriestodownload'.split(
    ' ',
  ),
);

const MARKER = /listofseriestodownload\s*[=:]?\s*/i;

/** True for a line that only the head of a `.tcia` can be. */
export function isTciaHead(line: string): boolean {
  const name = /^([A-Za-z]+)\s*(?:[=:]|$)/.exec(line)?.[1]?.toLowerCase();
  return name !== undefined && TCIA_HEAD.has(name);
}

/**
 * NBIA's `.tcia`: `key=value` lines, `ListOfSeriesToDownload=`, then one SeriesInstanceUID per line. Real files have
 * fewer or reordered heads, heads without `=` or all on one line, a UID on the marker line, blanks and CRLF, so what
 * counts is the line, not its place: a line with `=` or the name of a head field is head, anything else has to be a UID.
 */
export function readTcia(lines: readonly string[], collector: Collector): void {
  for (const [index, line] of lines.entries()) {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) continue;
    const marker = MARKER.exec(text);
    if (marker !== null) {
      const behind = text.slice(marker.index + marker[0].length);
      if (behind !== '') readNames(index + 1, behind, collector, 'series');
    } else if (!isTciaHead(text) && !/^[A-Za-z][\w.]*\s*=/.test(text)) {
      readNames(index + 1, text, collector, 'series');
    }
  }
}

/** Longest text of a PatientID (DICOM PS3.5, LO). */
const LONGEST_NAME = 64;

/**
 * One name per line; commas, semicolons and blanks between names are tolerated, `#` lines are comments. A PatientID may
 * hold blanks (`ZZ RIDER MR8 1`): words that are no names by themselves are one name, for the catalogue to know.
 */
export function readList(lines: readonly string[], collector: Collector): void {
  for (const [index, line] of lines.entries()) {
    const text = line.trim();
    if (text !== '' && !text.startsWith('#')) readNames(index + 1, text, collector, undefined);
  }
}

function readNames(line: number, text: string, collector: Collector, uidLevel: 'series' | undefined): void {
  const names = text
    .split(/[\s,;]+/)
    .map((name) => name.replace(/^(["'])(.*)\1$/, '$2'))
    .filter((name) => name !== '');
  const comment = names.indexOf('#');
  const used = comment < 0 ? names : names.slice(0, comment);
  if (used.every(isStrongName)) {
    for (const name of used) {
      const as = uidLevel !== undefined && /^[0-9.]+$/.test(name) ? uidLevel : undefined;
      collector.add({ line, text, name, as });
    }
  } else if (uidLevel !== undefined) {
    collector.problem(line, text, 'is not a SeriesInstanceUID');
  } else if (used.length === 1) {
    collector.add({ line, text, name: used[0] ?? '' });
  } else {
    // A sentence, or a row of a table whose header is missing: guessing names out of it would fetch what nobody asked.
    const strong = used.filter(isStrongName);
    const name = text.replace(/\s+#(\s.*)?$/, '').replace(/^(["'])(.*)\1$/, '$2');
    if (strong.length === 0 && name.length <= LONGEST_NAME && !/[,;\t]/.test(name))
      collector.add({ line, text, name });
    else if (strong.length === 0)
      collector.problem(line, text, 'is not one name of data (names stand in lines of their own)');
    else
      collector.problem(
        line,
        text,
        `holds more than names of data (${strong.length} of ${used.length} words are)`,
      );
  }
}
