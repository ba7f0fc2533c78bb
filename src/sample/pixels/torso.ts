/** A torso of ellipsoids: Hounsfield units for CT, uptake for PET. Heights run from -200 (pelvis) to 200 (neck). */
import type { Random } from '../random.ts';
import type { Ellipsoid } from './ellipsoids.ts';

/** Organs that are segmented and outlined, in the order of their segment numbers. */
export const SEGMENTED_ORGANS = ['Left lung', 'Right lung', 'Liver', 'Lesion'] as const;

/** Values of tissues in HU. */
const HU = {
  fat: -90,
  soft: 45,
  lung: -780,
  liver: 85,
  heart: 60,
  bone: 520,
  kidney: 130,
  lesion: 70,
} as const;

/** A torso in HU that differs from patient to patient in size and in the place of its lesion. */
export function torsoBody(random: Random): Ellipsoid[] {
  const size = random.between(0.9, 1.08);
  const part = (
    name: string,
    centre: [number, number, number],
    radii: [number, number, number],
    value: number,
  ): Ellipsoid => ({
    name,
    centre: [centre[0] * size, centre[1] * size, centre[2]],
    radii: [radii[0] * size, radii[1] * size, radii[2]],
    value,
  });
  const side = random.next() < 0.5 ? -1 : 1;
  const lesion = random.between(9, 17);
  return [
    part('Skin', [0, 0, 0], [172, 118, 420], HU.fat),
    part('Muscle', [0, 2, 0], [156, 103, 400], HU.soft),
    part('Right lung', [-74, -6, 85], [54, 72, 105], HU.lung),
    part('Left lung', [74, -6, 85], [52, 70, 102], HU.lung),
    part('Heart', [22, -28, 50], [44, 40, 52], HU.heart),
    part('Liver', [-62, -10, -55], [82, 70, 58], HU.liver),
    part('Right kidney', [-62, 52, -110], [24, 22, 52], HU.kidney),
    part('Left kidney', [62, 52, -100], [24, 22, 52], HU.kidney),
    part('Spine', [0, 74, 0], [20, 20, 420], HU.bone),
    part('Spinal canal', [0, 82, 0], [7, 6, 420], HU.soft),
    part(
      'Lesion',
      [side * random.between(60, 88), random.between(-30, 20), random.between(60, 120)],
      [lesion, lesion, lesion],
      HU.lesion,
    ),
  ];
}

/** Uptake of FDG (counts) by organ; what is not named takes up little. */
const UPTAKE: Readonly<Record<string, number>> = {
  Skin: 250,
  Muscle: 400,
  'Right lung': 180,
  'Left lung': 180,
  Heart: 2600,
  Liver: 1300,
  'Right kidney': 2900,
  'Left kidney': 2900,
  Lesion: 6200,
};

/** The same torso as uptake. */
export function torsoUptake(body: readonly Ellipsoid[]): Ellipsoid[] {
  return body.map((part) => ({ ...part, value: UPTAKE[part.name] ?? 350 }));
}
