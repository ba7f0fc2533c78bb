/**
 * Bodies made of ellipsoids, painted slice by slice. The same ellipsoids give the pixels of an image, the bits of
 * its segmentation and the outlines of its structure set, so that these agree by construction.
 */
import type { Random } from '../random.ts';

/** One ellipsoid, axes along the patient axes (mm; x to the left, y to the back, z to the head). */
export interface Ellipsoid {
  name: string;
  centre: readonly [number, number, number];
  radii: readonly [number, number, number];
  /** Stored value before noise: HU, signal or uptake. */
  value: number;
}

/** Axial slices: square pixels, first pixel at `origin` (mm). */
export interface SliceGeometry {
  rows: number;
  columns: number;
  pixelSpacing: number;
  origin: readonly [number, number];
}

/** Geometry of `size` × `size` pixels over `extent` mm, centred on the patient axis. */
export function centredGeometry(size: number, extent: number): SliceGeometry {
  const pixelSpacing = extent / size;
  const first = -extent / 2 + pixelSpacing / 2;
  return { rows: size, columns: size, pixelSpacing, origin: [first, first] };
}

/** Half-axes (mm) of the ellipse in which the plane at height `z` cuts the ellipsoid; undefined outside. */
export function sectionAt(ellipsoid: Ellipsoid, z: number): { rx: number; ry: number } | undefined {
  const distance = (z - ellipsoid.centre[2]) / ellipsoid.radii[2];
  const share = 1 - distance * distance;
  if (share <= 0) return undefined;
  const factor = Math.sqrt(share);
  return { rx: ellipsoid.radii[0] * factor, ry: ellipsoid.radii[1] * factor };
}

/** Calls `span(from, to)` with the pixel offsets of every row that the section covers, `to` excluded. */
export function forEachSpan(
  ellipsoid: Ellipsoid,
  geometry: SliceGeometry,
  z: number,
  span: (from: number, to: number) => void,
): void {
  const section = sectionAt(ellipsoid, z);
  if (section === undefined) return;
  const { rows, columns, pixelSpacing, origin } = geometry;
  const [cx, cy] = ellipsoid.centre;
  const top = Math.max(0, Math.ceil((cy - section.ry - origin[1]) / pixelSpacing));
  const bottom = Math.min(rows - 1, Math.floor((cy + section.ry - origin[1]) / pixelSpacing));
  for (let row = top; row <= bottom; row += 1) {
    const dy = (origin[1] + row * pixelSpacing - cy) / section.ry;
    const half = section.rx * Math.sqrt(Math.max(0, 1 - dy * dy));
    const left = Math.max(0, Math.ceil((cx - half - origin[0]) / pixelSpacing));
    const right = Math.min(columns - 1, Math.floor((cx + half - origin[0]) / pixelSpacing));
    if (right >= left) span(row * columns + left, row * columns + right + 1);
  }
}

/** How a slice is painted. */
export interface PaintOptions {
  /** Value where there is no body. */
  background: number;
  /** Half-width of the uniform noise that is added everywhere. */
  noise: number;
  random: Random;
  /** Paints a dead detector row: the flaw of an instance that is corrected later. */
  flawed: boolean;
}

/** One slice, row by row; later ellipsoids cover earlier ones. Values are rounded and clamped to 16 bits, signed. */
export function paintSlice(
  body: readonly Ellipsoid[],
  geometry: SliceGeometry,
  z: number,
  options: PaintOptions,
): Int16Array {
  const { rows, columns } = geometry;
  const pixels = new Int16Array(rows * columns).fill(options.background);
  for (const ellipsoid of body) {
    forEachSpan(ellipsoid, geometry, z, (from, to) => pixels.fill(ellipsoid.value, from, to));
  }
  if (options.noise > 0) addNoise(pixels, options);
  if (options.flawed) {
    const row = Math.floor(rows / 2) * columns;
    pixels.fill(options.background, row, row + columns);
  }
  return pixels;
}

/** A linear congruential sequence is enough for noise, and fast: the drawn number only seeds it. */
function addNoise(pixels: Int16Array, options: PaintOptions): void {
  let state = Math.floor(options.random.next() * 0x7fffffff);
  const steps = 2 * Math.round(options.noise) + 1;
  for (let index = 0; index < pixels.length; index += 1) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    pixels[index] = (pixels[index] ?? 0) + ((state >>> 16) % steps) - Math.round(options.noise);
  }
}
