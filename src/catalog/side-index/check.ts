/** Every byte of the side indexes of a folder against what was written. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { stopIfAborted } from '../abort.ts';
import { BUCKET_ITEM, openSideFile } from './side-file.ts';
import { isSideIndexName } from './side-key.ts';

/** One item for each; none where there are none, for answers are right without. */
export async function checkSideIndexes(
  folder: string,
  signal?: AbortSignal,
): Promise<{ table: string; file: string; ok: boolean; problem?: string | undefined }[]> {
  const names = (await readdir(folder)).filter(isSideIndexName);
  const checks = [];
  for (const file of names.sort()) {
    stopIfAborted(signal);
    const problem = await problemOf(join(folder, file), signal);
    checks.push({ table: '(side index)', file, ok: problem === undefined, problem });
  }
  return checks;
}

async function problemOf(path: string, signal: AbortSignal | undefined): Promise<string | undefined> {
  try {
    const opened = await openSideFile(path);
    if (opened === undefined) return 'it cannot be read';
    await opened.file.close();
    const { bucketList, sha256 } = opened.header;
    const end = bucketList.at + (2 ** bucketList.bits + 1) * BUCKET_ITEM - 1;
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path, { end, highWaterMark: 1 << 20, signal }))
      hash.update(chunk as Buffer);
    return hash.digest('hex') === sha256 ? undefined : 'it has other bytes than were written';
  } catch (error) {
    stopIfAborted(signal);
    return error instanceof Error ? error.message : String(error);
  }
}
