/** One share of a cohort for one machine of many: the same on each of them, without talking. */
import { createHash } from 'node:crypto';
import { CarrelError } from '../errors.ts';
import { balancedParts, type LockFile, type LockPart } from '../manifests/index.ts';
import { licensesOf } from './license-policy.ts';
import type { Cohort, CohortObject, CohortSeries } from './question.ts';

/** Which share. */
export interface PartChoice {
  /** From 1. */
  index: number;
  of: number;
}

/**
 * Reads `3/10`.
 *
 * @param base number of the first share as the caller counts: 1 (`1/10` … `10/10`) or 0 (`0/10` … `9/10`)
 * @throws `usage`
 */
export function parsePart(text: string, base: 0 | 1 = 1): PartChoice {
  const [, index, of] = /^\s*(\d{1,7})\s*\/\s*(\d{1,7})\s*$/.exec(text) ?? [];
  const choice = { index: Number(index) - base + 1, of: Number(of) };
  if (index !== undefined && choice.index >= 1 && choice.index <= choice.of) return choice;
  const next =
    Number(index) === 0
      ? 'shares are counted from 1; with --part-base 0 from 0'
      : base === 0 && Number(index) === Number(of)
        ? 'with --part-base 0 the last share is one less than their number'
        : 'write it as 3/10: the third of ten';
  throw new CarrelError('usage', `${JSON.stringify(text)} is no share`, { item: text, next });
}

/** `3-of-10`; undefined for a whole cohort. */
export function partName({ part }: { part?: LockPart | undefined }): string | undefined {
  return part === undefined ? undefined : `${part.index}-of-${part.of}`;
}

/** `carrel.lock.json` → `carrel.lock.3-of-10.json` for a share. */
export function nameOfPart(name: string, owner: { part?: LockPart | undefined }): string {
  const part = partName(owner);
  return part === undefined ? name : name.replace(/(\.jsonl?)$/, `.${part}$1`);
}

/** The digest of all names of a cohort: series versions by uuid, other objects by key. */
export function digestOfNames(series: Iterable<string>, objects: Iterable<string>): LockPart['cohort'] {
  const hash = createHash('sha256');
  for (const uuid of [...series].sort()) hash.update(`series ${uuid}\n`);
  for (const key of [...objects].sort()) hash.update(`object ${key}\n`);
  return `sha256:${hash.digest('hex')}`;
}

/**
 * Takes a share: whole series, dealt out by bytes as the tables tell them, before anything is listed. Every machine that
 * has the same tables and asks the same gets the same shares.
 */
export function takePart(cohort: Cohort, { index, of }: PartChoice): Cohort {
  type Item = { series: CohortSeries } | { object: CohortObject };
  const items: Item[] = [
    ...cohort.series.map((series) => ({ series })),
    ...cohort.objects.map((object) => ({ object })),
  ];
  const mine = balancedParts(items, of, {
    weight: (item) => ('series' in item ? bytesOf(item.series) : (item.object.location.size ?? 0)),
    name: (item) => ('series' in item ? item.series.crdc_series_uuid : item.object.location.key),
  })[index - 1];
  const series = (mine ?? []).flatMap((item) => ('series' in item ? [item.series] : []));
  const objects = (mine ?? []).flatMap((item) => ('object' in item ? [item.object] : []));
  const part: LockPart = {
    index,
    of,
    series: series.length,
    objects: objects.length,
    cohort: digestOfNames(
      cohort.series.map(({ crdc_series_uuid: uuid }) => uuid),
      cohort.objects.map(({ location }) => location.key),
    ),
  };
  return { ...cohort, series, objects, part, wholeLicenses: licensesOf(cohort) };
}

function bytesOf({ row, locked, locations }: CohortSeries): number {
  const sum = (files: readonly { size?: number | undefined }[]) =>
    files.reduce((bytes, { size }) => bytes + (size ?? 0), 0);
  return row?.bytes ?? sum(locked?.files ?? locations ?? []);
}

/**
 * Joins the lock files of all shares.
 *
 * @throws `bad-input` naming what is missing, doubled or of another cohort: nothing is written then
 */
export function joinParts(locks: readonly LockFile[]): LockFile {
  const parts = locks.flatMap((lock) => (lock.part === undefined ? [] : [{ lock, part: lock.part }]));
  parts.sort((a, b) => a.part.index - b.part.index);
  const [first] = parts;
  const refuse = (message: string, next: string) => new CarrelError('bad-input', message, { next });
  if (first === undefined)
    throw refuse('no lock file of a share was found', 'fetch with carrel get --part 1/10 first');
  const { of, cohort } = first.part;
  const strange = parts.find(({ part }) => part.of !== of || part.cohort !== cohort);
  if (strange !== undefined)
    throw refuse(
      `share ${first.part.index} of ${of} and share ${strange.part.index} of ${strange.part.of} belong to different cohorts`,
      'every share must ask the same of the same release and tables; remove the lock files of other runs',
    );
  const there = new Set(parts.map(({ part }) => part.index));
  const missing = Array.from({ length: of }, (_, at) => at + 1).filter((index) => !there.has(index));
  if (missing.length > 0)
    throw refuse(
      `${missing.length} of ${of} shares are missing: ${missing.slice(0, 20).join(', ')}${missing.length > 20 ? ', …' : ''}`,
      `carrel get … --part ${missing[0]}/${of}`,
    );
  const short = parts.find(
    ({ lock, part }) => lock.series.length < part.series || lock.files.length < part.objects,
  );
  if (short !== undefined)
    throw refuse(
      `share ${short.part.index} of ${of} pins ${short.lock.series.length} of its ${short.part.series} series`,
      `carrel get … --part ${short.part.index}/${of} again`,
    );
  const series = parts.flatMap(({ lock }) => lock.series);
  const files = parts.flatMap(({ lock }) => lock.files);
  const names = digestOfNames(
    series.map(({ crdc_series_uuid: uuid }) => uuid),
    files.map(({ key }) => key),
  );
  if (names !== cohort)
    throw refuse(
      'the shares together are not the cohort that they were taken from',
      'fetch all shares again',
    );
  const { part: _, ...whole } = first.lock;
  return { ...whole, series, files };
}
