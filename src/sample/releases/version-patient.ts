/** The versions of one patient over all releases, from what its owner handed in. */
import { type SeriesContext, studyContexts } from '../dicom/context.ts';
import { type PatientModel, RELEASES, type Release, type SeriesModel } from '../model/types.ts';
import { retireMissing, revise, type Submission, type Version } from './tree.ts';

/** MD5 of the file of instance `index`, before (`flawed`) or after its correction. */
export type DigestOf = (context: SeriesContext, index: number, flawed: boolean) => string;

/** The versions of a patient. */
export interface PatientVersions {
  /** Its version in each release that holds it. */
  patients: Map<Release, Version>;
  /** Every version of every series, oldest first. */
  series: { context: SeriesContext; version: Version }[];
}

/** Which instances a series has in a release, and whether each is still flawed; undefined: it is not there. */
export function instancesIn(
  series: SeriesModel,
  release: Release,
): { index: number; flawed: boolean }[] | undefined {
  if (!series.present.some(({ from, to }) => release >= from && release <= to)) return undefined;
  const indices = new Set(Array.from({ length: series.instances }, (_, index) => index));
  const flawed = new Set<number>();
  for (const change of series.changes) {
    if (change.action === 'correct' && release < change.release) flawed.add(change.instance);
    if (change.action === 'add' && release >= change.release) indices.add(change.instance);
    if (change.action === 'remove' && release >= change.release) indices.delete(change.instance);
  }
  return [...indices].map((index) => ({ index, flawed: flawed.has(index) }));
}

/** The contexts of a patient's series, study by study. */
export function patientContexts(seed: string, patient: PatientModel): SeriesContext[][] {
  return patient.studies.map((study) => [...studyContexts(seed, patient, study).values()]);
}

/** Versions one patient. `studies` are the contexts of `patientContexts`. */
export function versionPatient(
  patient: PatientModel,
  studies: readonly SeriesContext[][],
  digestOf: DigestOf,
): PatientVersions {
  const patients = new Map<Release, Version>();
  const series = new Map<Version, SeriesContext>();
  const seed = studies[0]?.[0]?.seed ?? '';
  let previous: Version | undefined;
  for (const release of RELEASES) {
    const children = studies.flatMap((study) => submitStudy(study, release, digestOf) ?? []);
    if (children.length === 0) {
      if (previous !== undefined) retireMissing([previous], new Set(), release);
      previous = undefined;
      continue;
    }
    const path = [seed, patient.collection.id];
    previous = revise(previous, { id: patient.id, children }, 'patient', path, release);
    patients.set(release, previous);
    for (const study of previous.children) {
      const members = studies.find(([first]) => first?.studyUid === study.id) ?? [];
      for (const version of study.children) {
        const context = members.find(({ seriesUid }) => seriesUid === version.id);
        if (context !== undefined) series.set(version, context);
      }
    }
  }
  return { patients, series: [...series].map(([version, context]) => ({ context, version })) };
}

function submitStudy(
  study: readonly SeriesContext[],
  release: Release,
  digestOf: DigestOf,
): Submission | undefined {
  const children = study.flatMap((context): Submission[] => {
    const instances = instancesIn(context.series, release);
    if (instances === undefined) return [];
    const files = instances.map(({ index, flawed }) => ({
      id: context.sopUid(index),
      md5: digestOf(context, index, flawed),
      children: [],
    }));
    return [{ id: context.seriesUid, children: files }];
  });
  const first = study[0];
  return children.length === 0 || first === undefined ? undefined : { id: first.studyUid, children };
}
