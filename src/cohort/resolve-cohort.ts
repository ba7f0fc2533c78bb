/**
 * From a question to a cohort: which series versions and which objects. Nothing is fetched here; the catalogue
 * answers first, the network only for what it does not know.
 */
import { abortError, CarrelError } from '../errors.ts';
import { addLock } from './add-lock.ts';
import { fetchManifest } from './follow-pointers.ts';
import { gather } from './gather.ts';
import { isNarrowed } from './is-narrowed.ts';
import { setAsideFirst, setAsideUnknown } from './names-elsewhere.ts';
import type { Cohort, CohortSeries, Question, Tools, Unresolved } from './question.ts';
import { requireCatalog } from './require-catalog.ts';
import { resolveNames } from './resolve-names.ts';
import { refuseUnknown } from './unknown-value.ts';

/**
 * Resolves a question.
 *
 * Names that lead nowhere are in `unresolved`, each with its error, and do not stop the others; where nothing at all
 * is left, the first of them is thrown.
 *
 * @param options.cwd folder that relative paths are seen from
 * @throws `usage` without any question, `not-found`, `ambiguous`, `bad-input`, `sql`
 */
export async function resolveCohort(
  question: Question,
  tools: Tools,
  options: { cwd: string },
): Promise<Cohort> {
  const narrowed = isNarrowed(question.selection);
  if (question.what.length === 0 && !narrowed) {
    throw new CarrelError('usage', 'nothing was named', {
      next: 'name something (a UID, a UUID, a URL, a manifest), or select with flags such as --collection',
    });
  }
  const cohort: Cohort = {
    archive: tools.archive,
    release: tools.catalog?.releaseName ?? null,
    catalog:
      tools.catalog === undefined ? null : { version: tools.catalog.version, digest: tools.catalog.digest },
    question: { what: question.what.map(portable), selection: question.selection },
    series: [],
    objects: [],
    notes: (tools.catalog?.notes ?? []).map((message) => ({ message })),
    unresolved: [],
  };
  if (question.what.length > 0) {
    const gathered = await gather(question, {
      ...options,
      fetchManifest: (url) => fetchManifest(url, tools),
    });
    cohort.notes.push(...gathered.notes);
    cohort.unresolved.push(...gathered.unresolved);
    for (const { lock, origin } of gathered.locks) await addLock(cohort, lock, origin, tools);
    const [only] = gathered.locks;
    if (only !== undefined && question.what.length === 1) {
      // A lock file that is fetched again gives the same lock file.
      cohort.question = { what: only.lock.question.what, selection: only.lock.question.selection };
    }
    setAsideFirst(cohort, gathered, question);
    await resolveNames(cohort, gathered, question, tools);
    setAsideUnknown(cohort, gathered, question, tools);
    if (narrowed) await intersect(cohort, question, tools);
  } else await selectAll(cohort, question, tools);
  if (tools.signal?.aborted === true) throw abortError(tools.signal);
  cohort.series = mergeSeries(cohort.series);
  const found = cohort.series.length + cohort.objects.length + (cohort.elsewhere?.length ?? 0);
  if (found === 0 && cohort.unresolved.length > 0) {
    throw nothingFound(cohort.unresolved);
  }
  return cohort;
}

/** A path of this machine has no place in a lock file: only its name is kept. */
function portable(word: string): string {
  return /^([./~]|[A-Za-z]:\\)/.test(word) ? (word.split(/[\\/]/).at(-1) ?? word) : word;
}

/** Takes the whole selection. */
async function selectAll(cohort: Cohort, question: Question, tools: Tools): Promise<void> {
  const catalog = requireCatalog(tools);
  const { rows, notes } = await catalog.select(question.selection, { signal: tools.signal });
  for (const { message, value } of notes) cohort.notes.push({ item: value, message });
  if (rows.length === 0 || question.strict === true) refuseUnknown(notes);
  cohort.series = rows.map((row) => ({ crdc_series_uuid: row.crdc_series_uuid, row }));
}

/** Names and flags together: both must hold. */
async function intersect(cohort: Cohort, question: Question, tools: Tools): Promise<void> {
  const catalog = requireCatalog(tools);
  const known = cohort.series.filter(({ row }) => row !== undefined);
  if (cohort.series.length !== known.length || cohort.objects.length > 0) {
    throw new CarrelError(
      'usage',
      'selection flags can only narrow what the catalogue knows, and some of what was named is not in it',
      {
        next: 'leave the flags out, or name series, studies, patients or collections',
      },
    );
  }
  // One question for both, so that a limit or a sample is drawn from what was named and not from the whole archive.
  const named = known.map(({ crdc_series_uuid }) => crdc_series_uuid);
  const given =
    question.selection.crdcSeriesUuid === undefined ? undefined : new Set(question.selection.crdcSeriesUuid);
  const both = given === undefined ? named : named.filter((uuid) => given.has(uuid));
  if (both.length === 0) {
    cohort.series = [];
    return;
  }
  const { rows, notes } = await catalog.select(
    { ...question.selection, crdcSeriesUuid: both },
    { signal: tools.signal, columns: ['crdc_series_uuid'] },
  );
  for (const { message, value } of notes) cohort.notes.push({ item: value, message });
  const matching = new Set(rows.map((row) => row.crdc_series_uuid));
  cohort.series = cohort.series.filter(({ crdc_series_uuid }) => matching.has(crdc_series_uuid));
}

/** A series that is named twice is fetched once; named whole and in part, it is fetched whole. */
function mergeSeries(series: readonly CohortSeries[]): CohortSeries[] {
  const merged = new Map<string, CohortSeries>();
  for (const one of series) {
    const before = merged.get(one.crdc_series_uuid);
    if (before === undefined) merged.set(one.crdc_series_uuid, one);
    else {
      const instances =
        before.instances === undefined || one.instances === undefined
          ? undefined
          : new Set([...before.instances, ...one.instances]);
      merged.set(one.crdc_series_uuid, {
        ...one,
        ...before,
        row: before.row ?? one.row,
        instances,
        locations:
          instances === undefined && (before.instances ?? one.instances) !== undefined
            ? undefined
            : (before.locations ?? one.locations),
      });
    }
  }
  return [...merged.values()];
}

/** The error with the name as it was given, which a look-up further down may not have known. */
function naming({ item, error }: Unresolved): CarrelError {
  if (error.item === item) return error;
  const message = error.message.includes(item) ? error.message : `${item}: ${error.message}`;
  return new CarrelError(error.code, message, { item, next: error.next, cause: error });
}

/** Items that one message names. */
const MOST_NAMED = 20;

/** One error for a list of names of which not one led anywhere: each is named. */
function nothingFound(unresolved: readonly Unresolved[]): CarrelError {
  const [first] = unresolved;
  if (first === undefined) return new CarrelError('not-found', 'nothing was found');
  if (unresolved.length === 1) return naming(first);
  const lines = unresolved
    .slice(0, MOST_NAMED)
    .map(({ origin, item, error }) => `  ${origin === 'argument' ? item : origin}: ${error.message}`);
  if (unresolved.length > MOST_NAMED) lines.push(`  … and ${unresolved.length - MOST_NAMED} more`);
  return new CarrelError(
    first.error.code,
    `not one of the ${unresolved.length} things that were named could be found:\n${lines.join('\n')}`,
    { item: first.item, next: first.error.next, cause: first.error },
  );
}
