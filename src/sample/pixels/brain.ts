/** A head of ellipsoids, in the signal of three MR contrasts. */
import type { Random } from '../random.ts';
import type { Ellipsoid } from './ellipsoids.ts';

/** Signal by tissue and contrast. */
const SIGNAL = {
  T1: { scalp: 900, skull: 90, grey: 420, white: 610, fluid: 120, lesion: 980 },
  T2: { scalp: 620, skull: 70, grey: 560, white: 400, fluid: 1400, lesion: 1050 },
  FLAIR: { scalp: 580, skull: 70, grey: 520, white: 410, fluid: 90, lesion: 1180 },
} as const;

/** A contrast of the head. */
export type HeadContrast = keyof typeof SIGNAL;

/** True for the contrasts that the head has signals for. */
export function isHeadContrast(text: string): text is HeadContrast {
  return Object.hasOwn(SIGNAL, text);
}

/** A head for one contrast; the same `random` gives the same anatomy for all three. */
export function brainBody(random: Random, contrast: HeadContrast): Ellipsoid[] {
  const signal = SIGNAL[contrast];
  const size = random.between(0.94, 1.05);
  const part = (
    name: string,
    centre: [number, number, number],
    radii: [number, number, number],
    value: number,
  ): Ellipsoid => ({ name, centre, radii: [radii[0] * size, radii[1] * size, radii[2] * size], value });
  const side = random.next() < 0.5 ? -1 : 1;
  const lesion = random.between(8, 15);
  return [
    part('Scalp', [0, 0, 0], [78, 98, 92], signal.scalp),
    part('Skull', [0, 0, 0], [73, 93, 87], signal.skull),
    part('Grey matter', [0, 0, 0], [67, 86, 80], signal.grey),
    part('White matter', [0, 0, 4], [54, 71, 64], signal.white),
    part('Right ventricle', [-13, -4, 12], [9, 28, 20], signal.fluid),
    part('Left ventricle', [13, -4, 12], [9, 28, 20], signal.fluid),
    part('Cerebellum', [0, 48, -48], [42, 28, 24], signal.grey),
    part(
      'Lesion',
      [side * random.between(24, 38), random.between(-38, 20), random.between(0, 34)],
      [lesion, lesion, lesion],
      signal.lesion,
    ),
  ];
}
