/** What the writers of objects are told about the series that they write, and how they answer. */
import type { PatientModel, SeriesModel, StudyModel } from '../model/types.ts';
import { deriveUid } from '../random.ts';

/** A series with everything that its files are made from. */
export interface SeriesContext {
  seed: string;
  patient: PatientModel;
  study: StudyModel;
  series: SeriesModel;
  studyUid: string;
  seriesUid: string;
  frameOfReferenceUid: string;
  /** SOPInstanceUID of instance number `index`, from 0. */
  sopUid(index: number): string;
  /** The series that this one was derived from. */
  source?: SeriesContext;
}

/** Parts of a file, in order; joined they are the file. */
export type FileParts = readonly Uint8Array[];

/** Makes the files of one series. `flawed` asks for the state before its correction. */
export type Renderer = (index: number, flawed: boolean) => FileParts;

/** The contexts of all series of a study, by key. */
export function studyContexts(
  seed: string,
  patient: PatientModel,
  study: StudyModel,
): Map<string, SeriesContext> {
  const words = [seed, patient.origin, study.key];
  const studyUid = deriveUid(...words);
  const contexts = new Map<string, SeriesContext>();
  for (const series of study.series) {
    const source = series.of === undefined ? undefined : contexts.get(series.of);
    contexts.set(series.key, {
      seed,
      patient,
      study,
      series,
      studyUid,
      seriesUid:
        series.uidOfStudy === undefined
          ? deriveUid(...words, series.key)
          : deriveUid(seed, series.uidOfStudy.origin, series.uidOfStudy.study),
      frameOfReferenceUid: deriveUid(...words, 'frame of reference'),
      sopUid: (index) => deriveUid(...words, series.key, index),
      ...(source === undefined ? {} : { source }),
    });
  }
  return contexts;
}
