/** The sample, made once for a test file, and removed after it. */
import { createHash } from 'node:crypto';
import { lstat, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { generateSample } from '../../src/sample/index.ts';

/** Registers the hooks; the returned functions work inside tests. `scale` 0 has the special patients only. */
export function sampleMadeOnce(scale: number): { root: () => string; folder: () => string } {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'carrel-sample-'));
    await generateSample({ dir: path.join(folder, 'sample'), scale });
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });
  return { folder: () => folder, root: () => path.join(folder, 'sample') };
}

/** SHA-256 over names and contents of everything below a folder; links count by their target. */
export async function treeDigest(root: string): Promise<string> {
  const hash = createHash('sha256');
  const visit = async (folder: string): Promise<void> => {
    for (const name of (await readdir(folder)).sort()) {
      const file = path.join(folder, name);
      const info = await lstat(file);
      if (info.isDirectory()) {
        hash.update(`d ${name}\n`);
        await visit(file);
        hash.update('end\n');
      } else if (info.isSymbolicLink()) {
        hash.update(`l ${name} ${await readlink(file)}\n`);
      } else {
        const content = createHash('sha256')
          .update(await readFile(file))
          .digest('hex');
        hash.update(`f ${name} ${content}\n`);
      }
    }
  };
  await visit(root);
  return hash.digest('hex');
}

/** Keys of all objects in the buckets, as `bucket/series/instance.dcm`; through no links. */
export async function objectKeys(root: string): Promise<string[]> {
  const buckets = path.join(root, 'buckets');
  const keys: string[] = [];
  for (const bucket of await readdir(buckets)) {
    if ((await lstat(path.join(buckets, bucket))).isSymbolicLink()) continue;
    for (const folder of await readdir(path.join(buckets, bucket))) {
      for (const file of await readdir(path.join(buckets, bucket, folder)))
        keys.push(`${bucket}/${folder}/${file}`);
    }
  }
  return keys.sort();
}
