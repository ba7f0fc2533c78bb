/** Tissue drawn by a program: pink stroma, white gaps, purple nuclei; as a pyramid of RGB images. */
import type { Random } from '../random.ts';
import { portableSine } from './portable-sine.ts';

/** An RGB image, three bytes per pixel, row by row. */
export interface ColourImage {
  width: number;
  height: number;
  pixels: Uint8Array;
}

const GLASS = [244, 242, 245] as const;
const STROMA = [232, 168, 198] as const;
const NUCLEUS = [92, 58, 138] as const;

/** Draws tissue of that size. */
export function drawTissue(width: number, height: number, random: Random): ColourImage {
  const pixels = new Uint8Array(width * height * 3);
  const phases = Array.from({ length: 6 }, () => random.between(0, 2 * Math.PI));
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = phases;
  // The pattern is a sum of waves in x, in y and along one diagonal each way: tables instead of a sine per pixel.
  const along = (count: number, step: number, phase: number): Float64Array =>
    Float64Array.from({ length: count }, (_, index) => portableSine(index * step + phase));
  const inX = along(width, 0.021, a);
  const inY = along(height, 0.027, b);
  const down = along(width + height, 0.013, c);
  const up = along(width + height, 0.017, d);
  const fineX = along(width, 0.31, e);
  const fineY = along(height, 0.37, f);
  let offset = 0;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const coarse = (inX[x] ?? 0) + (inY[y] ?? 0) + (down[x + y] ?? 0) + (up[x - y + height] ?? 0);
      const fine = (fineX[x] ?? 0) * (fineY[y] ?? 0);
      const colour = coarse < -1.3 ? GLASS : STROMA;
      const shade = coarse < -1.3 ? 0 : Math.round(14 * fine + 9 * coarse);
      pixels[offset] = clamp(colour[0] + shade);
      pixels[offset + 1] = clamp(colour[1] + shade);
      pixels[offset + 2] = clamp(colour[2] + shade);
      offset += 3;
    }
  }
  const image = { width, height, pixels };
  const nuclei = Math.round((width * height) / 420);
  for (let count = 0; count < nuclei; count += 1) drawNucleus(image, random);
  return image;
}

function clamp(value: number): number {
  return Math.max(0, Math.min(255, value));
}

/** A dark ellipse where there is tissue. */
function drawNucleus({ width, height, pixels }: ColourImage, random: Random): void {
  const [cx, cy] = [Math.floor(random.between(0, width)), Math.floor(random.between(0, height))];
  const [rx, ry] = [random.between(2, 5), random.between(2, 5)];
  if ((pixels[(cy * width + cx) * 3 + 1] ?? 0) > 230) return;
  for (let y = Math.max(0, Math.ceil(cy - ry)); y <= Math.min(height - 1, cy + ry); y += 1) {
    for (let x = Math.max(0, Math.ceil(cx - rx)); x <= Math.min(width - 1, cx + rx); x += 1) {
      if (((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 > 1) continue;
      pixels.set(NUCLEUS, (y * width + x) * 3);
    }
  }
}

/** The image at half the size, each pixel the mean of four. */
export function halve({ width, height, pixels }: ColourImage): ColourImage {
  const half = { width: width >> 1, height: height >> 1 };
  const smaller = new Uint8Array(half.width * half.height * 3);
  for (let y = 0; y < half.height; y += 1) {
    for (let x = 0; x < half.width; x += 1) {
      for (let channel = 0; channel < 3; channel += 1) {
        const at = (2 * y * width + 2 * x) * 3 + channel;
        const below = at + width * 3;
        const sum =
          (pixels[at] ?? 0) + (pixels[at + 3] ?? 0) + (pixels[below] ?? 0) + (pixels[below + 3] ?? 0);
        smaller[(y * half.width + x) * 3 + channel] = (sum + 2) >> 2;
      }
    }
  }
  return { ...half, pixels: smaller };
}

/** Tiles of `tile` × `tile` pixels, row by row, those at the edges filled up with glass. */
export function cutTiles({ width, height, pixels }: ColourImage, tile: number): Uint8Array {
  const [across, down] = [Math.ceil(width / tile), Math.ceil(height / tile)];
  const tiles = new Uint8Array(across * down * tile * tile * 3).fill(GLASS[0]);
  for (let y = 0; y < height; y += 1) {
    for (let column = 0; column < across; column += 1) {
      const frame = Math.floor(y / tile) * across + column;
      const from = (y * width + column * tile) * 3;
      const length = Math.min(tile, width - column * tile) * 3;
      tiles.set(pixels.subarray(from, from + length), (frame * tile + (y % tile)) * tile * 3);
    }
  }
  return tiles;
}
