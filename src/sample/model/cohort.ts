/**
 * The patients: many ordinary ones, and some to whom everything happens that ever happened in a real archive.
 * The special ones come first in their collection, so they are there at every scale.
 */
import { createRandom, deriveUid } from '../random.ts';
import { ANALYSIS_RESULTS, BRAIN, COLLECTIONS, PET, PHANTOM, PILOT, SLIDES, TORSO } from './collections.ts';
import { brainStudy, during, petStudy, phantomStudy, slideStudy, torsoStudy } from './series-recipes.ts';
import type { Change, Collection, PatientModel, SampleModel, SeriesModel, StudyModel } from './types.ts';

/** A PatientID that two collections use for two different people, as 89 do in the real tables. */
const SHARED_PATIENT_ID = 'SAMPLE-0042';

/** Changes some fields of one series of a study. */
function withSeries(study: StudyModel, key: string, fields: Partial<SeriesModel>): StudyModel {
  return {
    ...study,
    series: study.series.map((member) => (member.key === key ? { ...member, ...fields } : member)),
  };
}

/** Gives one series of a study a history of changes. */
function withChanges(study: StudyModel, key: string, ...changes: Change[]): StudyModel {
  return withSeries(study, key, { changes });
}

/** What UIDs and pixels of patient number `index` are drawn from. */
function originOf(collection: Collection, index: number): string {
  return `${collection.id}/${index}`;
}

/** Patient number `index` of a collection with defaults drawn for them; `fields` overrides. */
function person(
  seed: string,
  collection: Collection,
  index: number,
  fields: Pick<PatientModel, 'studies'> & Partial<PatientModel>,
): PatientModel {
  const random = createRandom(seed, 'person', collection.id, index);
  const prefix = collection.name.replace('Sample-', '').toUpperCase();
  return {
    collection,
    id: `${prefix}-${String(index + 1).padStart(4, '0')}`,
    origin: originOf(collection, index),
    sex: random.pick(['F', 'M', 'F', 'M', null]),
    age: random.next() < 0.8 ? `${String(Math.floor(random.between(31, 88))).padStart(3, '0')}Y` : null,
    ...fields,
  };
}

/** A patient of `sample_torso`. */
function torsoPatient(seed: string, index: number): PatientModel {
  const random = createRandom(seed, 'torso', index);
  const ordinary = torsoStudy('baseline', random, { rtstruct: index % 3 === 0, sr: index % 2 === 0 });
  const study = withSeries(ordinary, 'seg', { present: [{ from: 2, to: 3 }] });
  const followUp = torsoStudy('follow-up', random, { rtstruct: false, sr: false });
  const studies = ((): StudyModel[] => {
    switch (index) {
      case 0: // one instance corrected
        return [withChanges(study, 'ct-body', { release: 2, action: 'correct', instance: 7 })];
      case 1: // one instance added
        return [withChanges(study, 'ct-body', { release: 2, action: 'add', instance: 50 })];
      case 2: // one instance removed
        return [withChanges(study, 'ct-body', { release: 3, action: 'remove', instance: 11 })];
      case 3: // a study retired with the second release
        return [study, during({ ...followUp, series: followUp.series.slice(1, 2) }, 1, 1)];
      case 4: // a series retired with the third release: its bucket changed its name in between
        return [withSeries(study, 'ct-lung', { present: [{ from: 1, to: 2 }] })];
      case 5: // gone for one release, then back
        return [
          withSeries(study, 'ct-lung', {
            present: [
              { from: 1, to: 1 },
              { from: 3, to: 3 },
            ],
          }),
        ];
      case 6: {
        // a study withdrawn: listed by releases 1 and 2, then wiped from everywhere
        const withdrawn = during({ ...followUp, series: followUp.series.slice(0, 1) }, 1, 2);
        return [study, withSeries(withdrawn, 'ct-body', { withdrawn: 3, instances: 12, spacing: 30 })];
      }
      case 7:
        return [during(study, 2, 3)];
      case 8:
        return [during(study, 3, 3)];
      default:
        return [study];
    }
  })();
  return person(seed, TORSO, index, index === 9 ? { studies, id: SHARED_PATIENT_ID } : { studies });
}

/** A patient of `sample_brain`. */
function brainPatient(seed: string, index: number): PatientModel {
  const study = brainStudy('baseline', createRandom(seed, 'brain', index));
  switch (index) {
    case 0: // a PatientID with blanks
      return person(seed, BRAIN, index, { studies: [study], id: 'ZZ SAMPLE BRAIN 1' });
    case 1: // revised twice: three versions of one series
      return person(seed, BRAIN, index, {
        studies: [
          withChanges(
            study,
            'mr-t1',
            { release: 2, action: 'correct', instance: 3 },
            { release: 3, action: 'correct', instance: 15 },
          ),
        ],
      });
    case 2: // retired with the third release; the prior table then counts it twice for the second
      return person(seed, BRAIN, index, {
        studies: [withSeries(study, 'mr-t2', { present: [{ from: 1, to: 2 }], doubledIn: 2 })],
      });
    case 3: // a PatientID that looks like a UID
      return person(seed, BRAIN, index, { studies: [study], id: deriveUid(seed, 'patient') });
    case 4: // a PatientID with an equals sign
      return person(seed, BRAIN, index, { studies: [study], id: 'BRAIN=0005--B' });
    case 5:
      return person(seed, BRAIN, index, { studies: [during(study, 2, 3)] });
    case 6: // seen twice
      return person(seed, BRAIN, index, {
        studies: [study, brainStudy('follow-up', createRandom(seed, 'brain follow-up', index))],
      });
    default:
      return person(seed, BRAIN, index, { studies: [study] });
  }
}

/** A patient of `sample_pet`; number 0 came from `sample_pilot`. */
function petPatients(seed: string, index: number): PatientModel[] {
  const study = petStudy('baseline', createRandom(seed, 'pet', index), { seg: index % 2 === 0 });
  const digits = person(seed, PET, index, { studies: [study], id: String(100_012 + index) });
  switch (index) {
    case 0: // moved: the same files under another collection from the second release on
      return [
        { ...digits, collection: PILOT, studies: [during(study, 1, 1)] },
        { ...digits, studies: [during(study, 2, 3)] },
      ];
    case 1:
      return [{ ...digits, id: SHARED_PATIENT_ID }];
    case 2: {
      // a series whose UID is also that of another patient's study, as one of LIDC-IDRI is
      const uidOfStudy = { origin: originOf(PET, 3), study: 'baseline' };
      return [{ ...digits, studies: [withSeries(study, 'pt', { uidOfStudy })] }];
    }
    default:
      return [digits];
  }
}

/** A patient of `sample_slides`, a collection that starts with the second release. */
function slidePatient(seed: string, index: number): PatientModel {
  const random = createRandom(seed, 'slides', index);
  const first = during(slideStudy('specimen', random), index === 1 ? 3 : 2, 3);
  const second = slideStudy('specimen-b', random);
  return person(seed, SLIDES, index, {
    sex: 'F',
    studies: index === 0 ? [first, during(second, 3, 3)] : [first],
  });
}

/** A "patient" of `sample_phantom`. */
function phantomPatient(seed: string, index: number): PatientModel {
  const study = phantomStudy('qa', createRandom(seed, 'phantom', index));
  const fields: Partial<PatientModel> = { sex: 'O', age: null };
  if (index > 0) return person(seed, PHANTOM, index, { ...fields, studies: [study] });
  // 720 descriptions of phantom_fda hold control bytes. The files of the sample stay valid; the table has them.
  const odd = withSeries(study, 'ct-b19f', { tableDescription: 'QA cylinder\u0000\u0001, B19f' });
  return person(seed, PHANTOM, index, { ...fields, studies: [odd], id: 'SAMPLE PHANTOM #1' });
}

/** Numbers 0 … for a collection: at least the special ones, and `base * scale` in all. */
function indices(special: number, base: number, scale: number): number[] {
  return Array.from({ length: Math.max(special, Math.round(base * scale)) }, (_, index) => index);
}

/** The whole commons. `scale` multiplies the ordinary patients; 1 is about 40 patients and 3,000 objects. */
export function buildModel(options: { seed: string; scale: number }): SampleModel {
  const { seed, scale } = options;
  const patients = [
    ...indices(10, 15, scale).map((index) => torsoPatient(seed, index)),
    ...indices(6, 10, scale).map((index) => brainPatient(seed, index)),
    ...indices(4, 6, scale).flatMap((index) => petPatients(seed, index)),
    ...indices(2, 4, scale).map((index) => slidePatient(seed, index)),
    ...indices(1, 5, scale).map((index) => phantomPatient(seed, index)),
  ];
  return { seed, scale, collections: [...COLLECTIONS], analysisResults: [...ANALYSIS_RESULTS], patients };
}
