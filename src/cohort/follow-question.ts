/** The question of a lock file, asked under another release. */
import type { Selection } from '../catalog/index.ts';
import { withdrawnText } from '../catalog/index.ts';
import { CarrelError, isCarrelError } from '../errors.ts';
import { type Identifier, parseIdentifier, uuidOf } from '../identifiers/index.ts';
import type { LockedSeries, LockFile } from '../manifests/index.ts';
import { addLock } from './add-lock.ts';
import { instanceName } from './instance-name.ts';
import type { Cohort, CohortSeries, Tools } from './question.ts';
import { requireCatalog } from './require-catalog.ts';
import { resolveCohort } from './resolve-cohort.ts';

/**
 * The cohort that the question of `lock` means in the release of `tools.catalog`.
 *
 * A selection and names (collections, patients, UIDs, DOIs) are asked again. A uuid names one version for ever: its series
 * is followed to the version in that release. Manifests, URLs and bare objects cannot be asked again: where one of them
 * is part of the question, every pinned series is followed, and objects outside of series stay as pinned.
 *
 * @throws `usage` for a lock file of another archive or without anything that could be followed; what `resolveCohort` throws
 */
export async function followQuestion(
  lock: LockFile,
  tools: Tools,
  options: { cwd: string },
): Promise<Cohort> {
  const catalog = requireCatalog(tools);
  // Pins of another archive are refused here, with the words that `get` has for it.
  const pinned = emptyCohort(lock, tools);
  await addLock(pinned, lock, 'the lock file', { ...tools, catalog: undefined });
  const bySelection =
    lock.question.what.length === 0 && lock.question.selection['crdcSeriesUuid'] === undefined;
  const versions = bySelection ? new Map<string, CohortSeries>() : await versionsOf(lock, tools);
  const newest = (uuid: string) => versions.get(uuid)?.crdc_series_uuid;
  const asked = lock.question.selection as Selection;
  const selection: Selection = { ...asked };
  if (asked.release !== undefined) selection.release = catalog.releaseName;
  if (asked.crdcSeriesUuid !== undefined)
    selection.crdcSeriesUuid = asked.crdcSeriesUuid.map((uuid) => newest(uuid) ?? uuid);
  const { what } = lock.question;
  const words = what.map((word) => ({ word, identifier: identify(word) }));
  const question = {
    what: words.map(({ word, identifier }) => {
      const uuid = identifier === undefined ? undefined : uuidOf(identifier);
      const next = uuid === undefined ? undefined : newest(uuid);
      return uuid === undefined || next === undefined ? word : word.replace(uuid, next);
    }),
    selection,
  };
  if (words.every(({ identifier }) => identifier !== undefined && ASKED_AGAIN.has(identifier.kind))) {
    const cohort = await resolveCohort(question, tools, options).catch((error: unknown) => {
      if (what.length > 0 && isCarrelError(error, 'not-found')) return undefined;
      throw error;
    });
    // A word that is no name any more may have been that of a file.
    if (cohort?.unresolved.every(({ item }) => !isPlainName(item)) === true)
      return { ...cohort, layout: lock.layout };
  }
  const cohort = emptyCohort(lock, tools);
  cohort.question = question;
  cohort.objects = pinned.objects;
  cohort.notes.push(...catalog.notes.map((message) => ({ message })));
  if (words.some(({ identifier }) => identifier === undefined || !NAMES_SERIES.has(identifier.kind)))
    cohort.notes.push({
      message: `the question was a list (${what.slice(0, 3).join(', ')}): its series are followed, nothing is added to it`,
    });
  const taken = new Set<string>();
  const counts = await catalog.seriesByUuid(
    lock.series.map(({ crdc_series_uuid: uuid }) => uuid),
    { signal: tools.signal, columns: [] },
  );
  for (const [at, series] of lock.series.entries()) {
    const next = versions.get(series.crdc_series_uuid);
    const before = pinned.series[at];
    if (series.SeriesInstanceUID === null && before !== undefined) {
      cohort.series.push(before);
      cohort.notes.push({
        item: series.crdc_series_uuid,
        message: `${series.crdc_series_uuid} is known to no table: it stays as pinned`,
      });
    } else if (next !== undefined && !taken.has(next.crdc_series_uuid)) {
      taken.add(next.crdc_series_uuid);
      cohort.series.push({ ...next, ...partOf(series, counts.get(series.crdc_series_uuid)?.instanceCount) });
    }
  }
  if (lock.series.length + lock.files.length === 0)
    throw new CarrelError('usage', 'the lock file pins nothing that could be followed', {
      next: 'carrel get asks anew',
    });
  return cohort;
}

const ASKED_AGAIN = new Set<Identifier['kind']>(['dicom-uid', 'name', 'doi']);
const NAMES_SERIES = new Set<Identifier['kind']>(['crdc-uuid', 'guid', ...ASKED_AGAIN]);

function identify(word: string): Identifier | undefined {
  try {
    return parseIdentifier(word);
  } catch {
    return undefined;
  }
}

function isPlainName(item: string): boolean {
  return identify(item)?.kind === 'name';
}

function emptyCohort(lock: LockFile, tools: Tools): Cohort {
  const { catalog } = tools;
  return {
    archive: tools.archive,
    release: catalog?.releaseName ?? null,
    catalog: catalog === undefined ? null : { version: catalog.version, digest: catalog.digest },
    question: lock.question,
    series: [],
    objects: [],
    notes: [],
    unresolved: [],
    layout: lock.layout,
  };
}

/** By pinned uuid: the version of the same series in the release at hand. */
async function versionsOf(lock: LockFile, tools: Tools): Promise<Map<string, CohortSeries>> {
  const catalog = requireCatalog(tools);
  const uids = new Set(lock.series.flatMap(({ SeriesInstanceUID: uid }) => (uid === null ? [] : [uid])));
  const versions = new Map<string, CohortSeries>();
  if (uids.size === 0) return versions;
  const { rows } = await catalog.select({ series: [...uids] }, { signal: tools.signal });
  const byUid = new Map<string, CohortSeries[]>();
  for (const row of rows) {
    const one = { crdc_series_uuid: row.crdc_series_uuid, row };
    byUid.set(row.SeriesInstanceUID, [...(byUid.get(row.SeriesInstanceUID) ?? []), one]);
  }
  for (const { crdc_series_uuid: uuid, SeriesInstanceUID: uid, collection_id: collection } of lock.series) {
    const found = byUid.get(uid ?? '') ?? [];
    const next =
      found.find((one) => one.crdc_series_uuid === uuid) ??
      found.find(({ row }) => row?.collection_id === collection) ??
      found[0];
    if (next !== undefined) versions.set(uuid, next);
  }
  return versions;
}

/** Where only a part of a series was pinned, only these instances are followed. */
function partOf(series: LockedSeries, count: number | null | undefined): Pick<CohortSeries, 'instances'> {
  if (count === undefined || count === null || series.files.length >= count) return {};
  return { instances: new Set(series.files.map(({ key }) => instanceName(key))) };
}

/** Why series of a lock file are not in the release at hand: `was withdrawn: …`, or that it does not hold them. */
export async function whyGone(
  series: readonly LockedSeries[],
  tools: Tools,
): Promise<{ series: LockedSeries; reason: string }[]> {
  const catalog = requireCatalog(tools);
  const names = series.map(({ crdc_series_uuid: uuid, SeriesInstanceUID: uid }) => uid ?? uuid);
  const withdrawn = await catalog.withdrawn(names, { signal: tools.signal });
  const { rows } = await catalog.select({ series: names }, { signal: tools.signal, columns: [] });
  const there = new Set(rows.map((row) => row.SeriesInstanceUID));
  return series.map((one, at) => {
    const name = names[at] ?? '';
    const gone = withdrawn.get(name);
    if (gone !== undefined) return { series: one, reason: withdrawnText(tools.archive, gone) };
    const reason = there.has(name)
      ? 'the question does not select it any more'
      : `${catalog.releaseName} does not hold it`;
    return { series: one, reason };
  });
}
