/**
 * What a test has to know about the sample: which series were revised, moved, withdrawn and so on, with the uuids of
 * all their versions. Found in the model by what happens to each series; uuids come from the same versioning that
 * the generator uses, with names of states in place of digests (a uuid depends on what changed, not on its bytes).
 */
import type { SeriesContext } from './dicom/context.ts';
import { OBJECT_TYPES } from './dicom/render.ts';
import { buildModel } from './model/cohort.ts';
import { PILOT } from './model/collections.ts';
import { LATEST_RELEASE, RELEASES, type Release } from './model/types.ts';
import { bucketsOf, sourceOf } from './releases/series-version.ts';
import { patientContexts, versionPatient } from './releases/version-patient.ts';
import { catalogVersionOf } from './tables/catalog.ts';
import { DEFAULT_SEED } from './version.ts';

/** One version of a series. */
export interface SeriesVersionFact {
  /** `crdc_series_uuid`: folder in the bucket. */
  uuid: string;
  /** First and last release that hold it. */
  from: Release;
  to: Release;
  /** `crdc_instance_uuid` by SOPInstanceUID, in the order of the slices. */
  instances: ReadonlyMap<string, string>;
}

/** A series with all its versions, oldest first. */
export interface SeriesFact {
  collectionId: string;
  patientId: string;
  studyInstanceUid: string;
  seriesInstanceUid: string;
  modality: string;
  analysisResultId: string | null;
  /** Bucket on `disk` and `aws`. */
  bucket: string;
  /** Licence (short name) by release. */
  license: Record<Release, string>;
  versions: SeriesVersionFact[];
}

/** What is to be known. */
export interface SampleFacts {
  /** What each release published, withdrawn series included where it still had them. */
  releases: { number: Release; name: string; catalogVersion: string; series: number; files: number }[];
  /** Every series in every collection that ever held it. */
  series: SeriesFact[];
  /** One instance was corrected with v2: its uuid is new, those of its siblings are not. */
  corrected: SeriesFact;
  /** One instance was added with v2. */
  added: SeriesFact;
  /** One instance was removed with v3. */
  removed: SeriesFact;
  /** Corrected with v2 and with v3: three versions. */
  revisedTwice: SeriesFact;
  /** In v1 and v2 only, in the bucket whose name on `gcs` changed in between: two rows in the prior table. */
  retired: SeriesFact;
  /** In v1 and v2 only; the prior table has a second row of twice the size for v2. */
  doubled: SeriesFact;
  /** In v1 and v3, under two uuids. */
  broughtBack: SeriesFact;
  /** In v1 and v2; wiped from buckets and from the tables of v3. */
  withdrawn: SeriesFact;
  /** The same files in two collections, one after the other; the first does not exist any more. */
  moved: { from: SeriesFact; to: SeriesFact }[];
  /** A PatientID of two people in two collections. */
  sharedPatientId: string;
  /** PatientIDs with blanks, in the form of a UID, and with an equals sign. */
  oddPatientIds: { blanks: string; uid: string; equals: string };
  /** A UID that is a study of one patient and a series of another. */
  ambiguousUid: string;
  /** A series whose SeriesDescription has control bytes in the tables. */
  controlBytes: SeriesFact;
  /** Collections whose licence changed while uuids stayed. */
  licenseChanged: string[];
  /** A selection of at least a thousand files at scale 1. */
  largeSelection: { collection: string; modality: string; files: number };
}

/** The facts about the sample of that seed and scale. Takes some milliseconds; nothing is written. */
export function sampleFacts(options: { seed?: string; scale?: number } = {}): SampleFacts {
  const { seed = DEFAULT_SEED, scale = 1 } = options;
  const model = buildModel({ seed, scale });
  const known = new Map<SeriesFact, SeriesContext>();
  const facts = new Map<SeriesContext, SeriesFact>();
  for (const patient of model.patients) {
    const versions = versionPatient(patient, patientContexts(seed, patient), (context, index, flawed) =>
      [context.sopUid(index), flawed].join(),
    );
    for (const { context, version } of versions.series) {
      const fact = facts.get(context) ?? describe(context);
      facts.set(context, fact);
      known.set(fact, context);
      fact.versions.push({
        uuid: version.uuid,
        from: version.rev,
        to: version.final ?? LATEST_RELEASE,
        instances: new Map(version.children.map(({ id, uuid }) => [id, uuid])),
      });
    }
  }
  return collectFacts(known);
}

function describe(context: SeriesContext): SeriesFact {
  const { license } = sourceOf(context);
  return {
    collectionId: context.patient.collection.id,
    patientId: context.patient.id,
    studyInstanceUid: context.studyUid,
    seriesInstanceUid: context.seriesUid,
    modality: OBJECT_TYPES[context.series.kind].modality,
    analysisResultId: context.series.analysisResult?.id ?? null,
    bucket: bucketsOf(context).aws,
    license: {
      1: license[1].license_short_name,
      2: license[2].license_short_name,
      3: license[3].license_short_name,
    },
    versions: [],
  };
}

function collectFacts(known: ReadonlyMap<SeriesFact, SeriesContext>): SampleFacts {
  const series = [...known.keys()];
  const first = (what: string, wanted: (context: SeriesContext, fact: SeriesFact) => boolean): SeriesFact => {
    for (const [fact, context] of known) if (wanted(context, fact)) return fact;
    throw new RangeError(`the sample has no series that was ${what}`);
  };
  const changed =
    (...actions: string[]): ((context: SeriesContext) => boolean) =>
    ({ series: { changes } }) =>
      changes.map(({ action }) => action).join() === actions.join();
  const onlyIn1And2 = ({ versions }: SeriesFact): boolean => versions.length === 1 && versions[0]?.to === 2;
  const large = { collection: 'sample_torso', modality: 'CT' };
  return {
    releases: RELEASES.map((release) => ({
      number: release,
      name: `v${release}`,
      catalogVersion: catalogVersionOf(release),
      ...countIn(release, series),
    })),
    series,
    corrected: first('corrected', changed('correct')),
    added: first('extended', changed('add')),
    removed: first('shortened', changed('remove')),
    revisedTwice: first('revised twice', changed('correct', 'correct')),
    retired: first('retired', (context, fact) => {
      const { gcs } = bucketsOf(context);
      return onlyIn1And2(fact) && gcs[1] !== gcs[2] && context.series.withdrawn === undefined;
    }),
    doubled: first('counted twice', ({ series: { doubledIn } }) => doubledIn !== undefined),
    broughtBack: first('brought back', ({ series: { present } }) => present.length > 1),
    withdrawn: first('withdrawn', ({ series: { withdrawn } }) => withdrawn !== undefined),
    moved: series
      .filter(({ collectionId }) => collectionId === PILOT.id)
      .map((from) => ({
        from,
        to: first('moved', (_, fact) => fact !== from && fact.seriesInstanceUid === from.seriesInstanceUid),
      })),
    ...oddities(series, known, first),
    licenseChanged: [
      ...new Set(
        series
          .filter(
            ({ license, analysisResultId }) =>
              analysisResultId === null && new Set(Object.values(license)).size > 1,
          )
          .map(({ collectionId }) => collectionId),
      ),
    ],
    largeSelection: {
      ...large,
      files: countIn(
        LATEST_RELEASE,
        series.filter(
          ({ collectionId, modality }) => collectionId === large.collection && modality === large.modality,
        ),
      ).files,
    },
  };
}

function oddities(
  series: readonly SeriesFact[],
  known: ReadonlyMap<SeriesFact, SeriesContext>,
  first: (what: string, wanted: (context: SeriesContext, fact: SeriesFact) => boolean) => SeriesFact,
): Pick<SampleFacts, 'sharedPatientId' | 'oddPatientIds' | 'ambiguousUid' | 'controlBytes'> {
  const origins = new Map<string, Set<string>>();
  for (const [{ patientId }, context] of known) {
    const people = origins.get(patientId) ?? new Set();
    origins.set(patientId, people.add(context.patient.origin));
  }
  const studies = new Set(series.map(({ studyInstanceUid }) => studyInstanceUid));
  return {
    sharedPatientId: [...origins].find(([, people]) => people.size > 1)?.[0] ?? '',
    oddPatientIds: {
      blanks: first('of a patient with blanks', (_, { patientId }) => patientId.includes(' ')).patientId,
      uid: first('of a patient like a UID', (_, { patientId }) => patientId.startsWith('2.25.')).patientId,
      equals: first('of a patient with =', (_, { patientId }) => patientId.includes('=')).patientId,
    },
    ambiguousUid: first('named like a study', (_, fact) => studies.has(fact.seriesInstanceUid))
      .seriesInstanceUid,
    controlBytes: first(
      'described with control bytes',
      (context) => context.series.tableDescription?.includes('\u0000') === true,
    ),
  };
}

/** Series and files that a release holds. */
function countIn(release: Release, series: readonly SeriesFact[]): { series: number; files: number } {
  const held = series.flatMap(({ versions }) =>
    versions.filter(({ from, to }) => from <= release && release <= to),
  );
  return { series: held.length, files: held.reduce((sum, { instances }) => sum + instances.size, 0) };
}
