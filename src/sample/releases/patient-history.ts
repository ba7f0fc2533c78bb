/** The history of one patient over all releases: renders its files, versions its tree, and lists what came out. */
import { createHash } from 'node:crypto';
import { type FileParts, type SeriesContext, studyContexts } from '../dicom/context.ts';
import { OBJECT_TYPES } from '../dicom/render.ts';
import { type PatientModel, RELEASES, type Release, type SeriesModel } from '../model/types.ts';
import type { SeriesVersion } from './series-version.ts';
import { retireMissing, revise, type Submission, type Version } from './tree.ts';

/** A rendered file. */
interface Rendered {
  parts: FileParts;
  md5: string;
  size: number;
  index: number;
}

/** What became of a patient. */
export interface PatientHistory {
  /** Its version in each release that holds it. */
  patients: Map<Release, Version>;
  series: SeriesVersion[];
  /** Contents of a file of one of the series, by SOPInstanceUID and MD5. */
  contents(sopInstanceUid: string, md5: string): FileParts;
}

/** Which instances a series has in a release, and whether each is still in its flawed state; undefined: not there. */
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

/** Renders and versions one patient. */
export function patientHistory(seed: string, patient: PatientModel): PatientHistory {
  const files = new Map<string, Rendered>();
  const contexts = new Map<string, SeriesContext>();
  const studies = patient.studies.map((study) => [...studyContexts(seed, patient, study).values()]);
  const renderers = new Map(
    studies.flat().map((context) => [context, OBJECT_TYPES[context.series.kind].render(context)]),
  );
  const submit = (context: SeriesContext, release: Release): Submission | undefined => {
    const children = instancesIn(context.series, release)?.map(({ index, flawed }): Submission => {
      const id = context.sopUid(index);
      const key = `${id}/${flawed}`;
      let rendered = files.get(key);
      if (rendered === undefined) {
        const parts = renderers.get(context)?.(index, flawed) ?? [];
        rendered = { parts, index, ...measure(parts) };
        files.set(key, rendered);
        files.set(`${id}/${rendered.md5}`, rendered);
      }
      return { id, md5: rendered.md5, children: [] };
    });
    if (children === undefined) return undefined;
    contexts.set(seriesKey(context.studyUid, context.seriesUid), context);
    return { id: context.seriesUid, children };
  };
  const patients = new Map<Release, Version>();
  const series = new Map<Version, SeriesVersion>();
  let previous: Version | undefined;
  for (const release of RELEASES) {
    const children = studies.flatMap((study): Submission[] => {
      const members = study.flatMap((context) => submit(context, release) ?? []);
      return members.length === 0 ? [] : [{ id: study[0]?.studyUid ?? '', children: members }];
    });
    if (children.length === 0) {
      if (previous !== undefined) retireMissing([previous], new Set(), release);
      previous = undefined;
      continue;
    }
    const path = [seed, patient.collection.id];
    previous = revise(previous, { id: patient.id, children }, 'patient', path, release);
    patients.set(release, previous);
    for (const study of previous.children) {
      for (const version of study.children) {
        const context = contexts.get(seriesKey(study.id, version.id));
        if (context === undefined || series.has(version)) continue;
        const members = version.children.map(({ id, uuid, hash }) => {
          const rendered = files.get(`${id}/${hash}`);
          return {
            uuid,
            sopInstanceUid: id,
            md5: hash,
            size: rendered?.size ?? 0,
            index: rendered?.index ?? 0,
          };
        });
        series.set(version, { context, version, files: members });
      }
    }
  }
  return {
    patients,
    series: [...series.values()],
    contents: (sopInstanceUid, md5) => files.get(`${sopInstanceUid}/${md5}`)?.parts ?? [],
  };
}

function seriesKey(studyUid: string, seriesUid: string): string {
  return `${studyUid}/${seriesUid}`;
}

/** MD5 and length of a file. */
function measure(parts: FileParts): { md5: string; size: number } {
  const hash = createHash('md5');
  let size = 0;
  for (const part of parts) {
    hash.update(part);
    size += part.byteLength;
  }
  return { md5: hash.digest('hex'), size };
}
