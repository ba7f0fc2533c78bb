/** The test object: a water cylinder with four inserts of known density (HU). */
import type { Ellipsoid } from './ellipsoids.ts';

/** Inserts: name and HU. */
const INSERTS = [
  ['Air', -1000],
  ['Polyethylene', -95],
  ['Acrylic', 120],
  ['Teflon', 990],
] as const;

/** The cylinder lies along z; ellipsoids so long that their sides are straight over the scan. */
export function qaCylinder(): Ellipsoid[] {
  const straight = 100_000;
  const inserts = INSERTS.map(([name, value], position): Ellipsoid => {
    return {
      name,
      centre: [position % 3 === 0 ? 42 : -42, position < 2 ? 42 : -42, 0],
      radii: [14, 14, straight],
      value,
    };
  });
  return [
    { name: 'Shell', centre: [0, 0, 0], radii: [104, 104, straight], value: 120 },
    { name: 'Water', centre: [0, 0, 0], radii: [100, 100, straight], value: 0 },
    ...inserts,
  ];
}
