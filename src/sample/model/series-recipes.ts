/** Recipes for series: what a study of each kind holds when nothing special happens to it. */
import type { Random } from '../random.ts';
import { ORGAN_SEGMENTATIONS } from './collections.ts';
import { EQUIPMENT } from './equipment.ts';
import { LATEST_RELEASE, type Release, type SeriesModel, type StudyModel } from './types.ts';

/** What every recipe leaves at its default. */
function series(
  fields: Pick<SeriesModel, 'key' | 'kind' | 'number' | 'description' | 'equipment'> & Partial<SeriesModel>,
): SeriesModel {
  return {
    bodyPart: null,
    instances: 1,
    spacing: 5,
    variety: '',
    present: [{ from: 1, to: LATEST_RELEASE }],
    changes: [],
    ...fields,
  };
}

/** A day in the shifted calendar of the sample. */
function drawDate(random: Random): string {
  const day = new Date(Date.UTC(2001, 0, 1) + Math.floor(random.between(0, 3650)) * 86_400_000);
  return day.toISOString().slice(0, 10);
}

/** A study of the trunk: two CT series, segmentations, now and then a structure set and a report. */
export function torsoStudy(
  key: string,
  random: Random,
  extras: { rtstruct: boolean; sr: boolean },
): StudyModel {
  const equipment = random.pick(EQUIPMENT.ct);
  const program = EQUIPMENT.program[0];
  const members = [
    series({
      key: 'ct-body',
      kind: 'ct',
      number: 2,
      description: 'Body 5.0, B30f, axial',
      bodyPart: 'CHEST',
      equipment,
      instances: 50,
      spacing: 8,
      variety: 'B30f',
    }),
    series({
      key: 'ct-lung',
      kind: 'ct',
      number: 3,
      description: "Lung 5.0 B60f 'sharp'",
      bodyPart: 'CHEST',
      equipment,
      instances: 24,
      spacing: 9,
      variety: 'B60f',
    }),
    series({
      key: 'seg',
      kind: 'seg',
      number: 300,
      description: 'Organs and lesion',
      bodyPart: 'CHEST', // that of the images; in `sample_pet` nobody filled it in
      equipment: program,
      of: 'ct-body',
      analysisResult: ORGAN_SEGMENTATIONS,
    }),
  ];
  if (extras.rtstruct) {
    members.push(
      series({
        key: 'rtstruct',
        kind: 'rtstruct',
        number: 400,
        description: 'Outlines for planning',
        bodyPart: 'CHEST',
        equipment: program,
        of: 'ct-body',
      }),
    );
  }
  if (extras.sr) {
    members.push(
      series({
        key: 'sr',
        kind: 'sr',
        number: 500,
        description: 'Measurements of the lesion',
        equipment: program,
        of: 'ct-body',
      }),
    );
  }
  return { key, date: drawDate(random), description: 'CT CHEST/ABDOMEN W CONTRAST', series: members };
}

/** A study of the head: three MR contrasts. */
export function brainStudy(key: string, random: Random): StudyModel {
  const equipment = random.pick(EQUIPMENT.mr);
  const contrasts = [
    ['T1', 'T1 post Gd, sagittal reformat to axial'],
    ['T2', 'T2 TSE axial'],
    ['FLAIR', 'FLAIR, Schädel'],
  ] as const;
  const members = contrasts.map(([variety, description], position) =>
    series({
      key: `mr-${variety.toLowerCase()}`,
      kind: 'mr',
      number: 4 + position,
      description,
      bodyPart: 'BRAIN',
      equipment,
      instances: 22,
      spacing: 6,
      variety,
    }),
  );
  return { key, date: drawDate(random), description: 'MRI BRAIN W/O & W CONTRAST', series: members };
}

/** A PET study with its CT. */
export function petStudy(key: string, random: Random, extras: { seg: boolean }): StudyModel {
  const equipment = random.pick(EQUIPMENT.pet);
  const members = [
    series({
      key: 'ct-low-dose',
      kind: 'ct',
      number: 2,
      description: 'CT WB 8.0 low dose',
      bodyPart: 'WHOLEBODY',
      equipment,
      instances: 36,
      spacing: 10,
      variety: 'B19f',
    }),
    series({
      key: 'pt',
      kind: 'pt',
      number: 605,
      description: 'PET WB (AC)',
      bodyPart: 'WHOLEBODY',
      equipment,
      instances: 36,
      spacing: 10,
      variety: 'AC',
    }),
  ];
  if (extras.seg) {
    members.push(
      series({
        key: 'seg',
        kind: 'seg',
        number: 300,
        description: 'Organs and lesion',
        equipment: EQUIPMENT.program[0],
        of: 'ct-low-dose',
        analysisResult: ORGAN_SEGMENTATIONS,
      }),
    );
  }
  return { key, date: drawDate(random), description: 'PET/CT WHOLE BODY', series: members };
}

/** A slide: one series, a pyramid of three levels and a thumbnail. */
export function slideStudy(key: string, random: Random): StudyModel {
  return {
    key,
    date: drawDate(random),
    description: 'Histopathology',
    series: [
      series({
        key: 'sm',
        kind: 'sm',
        number: 1,
        description: 'Breast, H&E, 20x',
        equipment: EQUIPMENT.slide[0],
        instances: 4,
        variety: 'HE',
      }),
    ],
  };
}

/** A test object scanned with several kernels. */
export function phantomStudy(key: string, random: Random): StudyModel {
  const equipment = random.pick(EQUIPMENT.ct);
  const members = ['B19f', 'B30f', 'B60f', 'STANDARD'].map((variety, position) =>
    series({
      key: `ct-${variety.toLowerCase()}`,
      kind: 'ct',
      number: 2 + position,
      description: `QA cylinder, ${variety}`,
      bodyPart: position % 2 === 0 ? 'PHANTOM' : 'Phantom',
      equipment,
      instances: 14,
      spacing: 10,
      variety,
    }),
  );
  return { key, date: drawDate(random), description: 'QUALITY ASSURANCE', series: members };
}

/** The study with every series present in those releases only. */
export function during(study: StudyModel, from: Release, to: Release): StudyModel {
  return { ...study, series: study.series.map((member) => ({ ...member, present: [{ from, to }] })) };
}
