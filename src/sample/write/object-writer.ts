/** Writes objects into the buckets, many at a time, so that the disk works while the next pixels are drawn. */
import { mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import type { FileParts } from '../dicom/context.ts';

/** Files that are being written at the same time. */
const MAX_PENDING = 24;

/** Takes objects until closed. */
export interface ObjectWriter {
  /** Writes `<bucket>/<folder>/<name>`; resolves when there is room for the next, not when this one is written. */
  put(bucket: string, folder: string, name: string, parts: FileParts): Promise<void>;
  /** Resolves when everything is written; throws the first failure. */
  finish(): Promise<void>;
}

/** A writer below `root`. */
export function createObjectWriter(root: string): ObjectWriter {
  const pending = new Set<Promise<void>>();
  const folders = new Map<string, Promise<unknown>>();
  let failure: { error: unknown } | undefined;
  const write = async (folder: string, name: string, parts: FileParts): Promise<void> => {
    let made = folders.get(folder);
    if (made === undefined) {
      made = mkdir(folder, { recursive: true });
      folders.set(folder, made);
    }
    await made;
    const file = await open(path.join(folder, name), 'wx');
    try {
      await file.writev([...parts]);
    } finally {
      await file.close();
    }
  };
  const check = (): void => {
    if (failure !== undefined) throw failure.error;
  };
  return {
    async put(bucket, folder, name, parts) {
      check();
      const task = write(path.join(root, bucket, folder), name, parts)
        .catch((error: unknown) => {
          failure ??= { error };
        })
        .finally(() => pending.delete(task));
      pending.add(task);
      if (pending.size >= MAX_PENDING) await Promise.race(pending);
    },
    async finish() {
      await Promise.all(pending);
      check();
    },
  };
}
