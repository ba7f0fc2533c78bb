/** A finished sample in a folder of caches: made once, shared by all processes. */
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { DEFAULT_SEED, SAMPLE_VERSION } from '../version.ts';
import {
  BUILDING_PREFIX,
  type GenerateSampleOptions,
  generateSample,
  type Sample,
  STAMP_FILE,
} from './generate-sample.ts';

/** Age (ms) from which the leftovers of a killed process are swept away. */
const LEFTOVER_AGE = 3_600_000;

/**
 * The sample below `dir`, generated if it is not there yet, in a folder named after generator, scale and seed. Safe
 * for many processes at once: each builds aside, the first to finish stays, the others use that.
 *
 * @param options.dir - a folder for samples; made if missing
 */
export async function ensureSample(options: GenerateSampleOptions): Promise<Sample> {
  const { scale = 1, seed = DEFAULT_SEED } = options;
  const suffix = seed === DEFAULT_SEED ? '' : `-${encodeURIComponent(seed)}`;
  const root = path.resolve(options.dir, `sample-${SAMPLE_VERSION}-x${scale}${suffix}`);
  const sample: Sample = { root, archivePath: path.join(root, 'archive.json') };
  if (await isFinished(root, scale, seed)) return sample;
  await mkdir(path.dirname(root), { recursive: true });
  await sweep(path.dirname(root));
  try {
    return await generateSample({ ...options, dir: root });
  } catch (error) {
    if (await isFinished(root, scale, seed)) return sample; // another process was faster
    throw error;
  }
}

/** True where the stamp says that this generator finished this sample. */
async function isFinished(root: string, scale: number, seed: string): Promise<boolean> {
  try {
    const stamp: unknown = JSON.parse(await readFile(path.join(root, STAMP_FILE), 'utf8'));
    if (typeof stamp !== 'object' || stamp === null) return false;
    const wanted = { generator: SAMPLE_VERSION, seed, scale };
    return Object.entries(wanted).every(([key, value]) => (stamp as Record<string, unknown>)[key] === value);
  } catch {
    return false;
  }
}

/** Removes folders that a killed process left behind. */
async function sweep(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(BUILDING_PREFIX)) continue;
    const leftover = path.join(parent, name);
    const made = (await stat(leftover).catch(() => undefined))?.mtimeMs ?? Date.now();
    if (Date.now() - made > LEFTOVER_AGE) await rm(leftover, { recursive: true, force: true });
  }
}
