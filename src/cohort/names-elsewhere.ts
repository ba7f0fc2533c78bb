/** Series that somebody else may have: set aside for whoever asked, in place of being told as not found. */
import type { Gathered, Wanted } from './gather.ts';
import { isNarrowed } from './is-narrowed.ts';
import type { Cohort, Question, Tools } from './question.ts';

/** Before any table is asked: takes the names out of what is to be looked for. */
export function setAsideFirst(cohort: Cohort, gathered: Gathered, { elsewhere, selection }: Question): void {
  // Flags can only narrow what the catalogue knows.
  if (elsewhere?.first !== true || isNarrowed(selection)) return;
  gathered.wanted = gathered.wanted.filter((wanted) => {
    const uid = uidOf(wanted);
    if (uid === undefined || !elsewhere.takes(wanted)) return true;
    setAside(cohort, uid, wanted.origin);
    return false;
  });
}

/** After the tables were asked: takes series that none of them knows out of what was not found. */
export function setAsideUnknown(
  cohort: Cohort,
  gathered: Gathered,
  { elsewhere, selection }: Question,
  tools: Tools,
): void {
  // Without a catalogue nobody knows what is in it.
  if (elsewhere === undefined || tools.catalog === undefined || isNarrowed(selection)) return;
  const named = new Map(
    gathered.wanted.map((wanted) => [`${wanted.origin} ${wanted.identifier.text}`, wanted]),
  );
  cohort.unresolved = cohort.unresolved.filter(({ origin, item, error }) => {
    const wanted = named.get(`${origin} ${item}`);
    const uid = wanted === undefined ? undefined : uidOf(wanted);
    if (error.code !== 'not-found' || wanted === undefined || uid === undefined || !elsewhere.takes(wanted))
      return true;
    setAside(cohort, uid, origin);
    return false;
  });
}

function setAside(cohort: Cohort, uid: string, origin: string): void {
  cohort.elsewhere ??= [];
  if (!cohort.elsewhere.some((one) => one.uid === uid)) cohort.elsewhere.push({ uid, origin });
}

/** A UID that may be that of a series. */
function uidOf({ identifier }: Wanted): string | undefined {
  if (identifier.kind !== 'dicom-uid') return undefined;
  return identifier.level === undefined || identifier.level === 'series' ? identifier.uid : undefined;
}
