/** One patient with its files: rendered once each, versioned, and listed per series version. */
import { createHash } from 'node:crypto';
import type { FileParts, Renderer, SeriesContext } from '../dicom/context.ts';
import { OBJECT_TYPES } from '../dicom/render.ts';
import type { PatientModel, Release } from '../model/types.ts';
import type { SeriesVersion } from './series-version.ts';
import type { Version } from './tree.ts';
import { patientContexts, versionPatient } from './version-patient.ts';

interface RenderedFile {
  parts: FileParts;
  md5: string;
  size: number;
}

/** What became of a patient. */
export interface PatientHistory {
  /** Its version in each release that holds it. */
  patients: Map<Release, Version>;
  series: SeriesVersion[];
  /** Contents of a file of one of the series, by SOPInstanceUID and MD5. */
  contents(sopInstanceUid: string, md5: string): FileParts;
}

/** Renders and versions one patient. */
export function patientHistory(seed: string, patient: PatientModel): PatientHistory {
  const studies = patientContexts(seed, patient);
  const renderers = new Map<SeriesContext, Renderer>(
    studies.flat().map((context) => [context, OBJECT_TYPES[context.series.kind].render(context)]),
  );
  const byState = new Map<string, RenderedFile>();
  const byDigest = new Map<string, RenderedFile>();
  const versions = versionPatient(patient, studies, (context, index, flawed) => {
    const uid = context.sopUid(index);
    const key = `${uid}/${flawed}`;
    let file = byState.get(key);
    if (file === undefined) {
      file = measure(renderers.get(context)?.(index, flawed) ?? []);
      byState.set(key, file);
      byDigest.set(`${uid}/${file.md5}`, file);
    }
    return file.md5;
  });
  const series = versions.series.map(({ context, version }): SeriesVersion => {
    const files = version.children.map(({ id, uuid, hash }) => ({
      uuid,
      sopInstanceUid: id,
      md5: hash,
      size: byDigest.get(`${id}/${hash}`)?.size ?? 0,
    }));
    return { context, version, files };
  });
  return {
    patients: versions.patients,
    series,
    contents: (sopInstanceUid, md5) => byDigest.get(`${sopInstanceUid}/${md5}`)?.parts ?? [],
  };
}

/** MD5 and length of a file. */
function measure(parts: FileParts): RenderedFile {
  const hash = createHash('md5');
  let size = 0;
  for (const part of parts) {
    hash.update(part);
    size += part.byteLength;
  }
  return { parts, md5: hash.digest('hex'), size };
}
