/**
 * Writes objects into the buckets. Synchronously: for small files, one call into the kernel after the other takes half
 * the time of handing each to a thread and back.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { FileParts } from '../dicom/context.ts';

/** Writes `<bucket>/<folder>/<name>` below a root; the name must be new. */
export type ObjectWriter = (bucket: string, folder: string, name: string, parts: FileParts) => void;

/** A writer below `root`. */
export function createObjectWriter(root: string): ObjectWriter {
  const made = new Set<string>();
  return (bucket, folder, name, parts) => {
    const target = path.join(root, bucket, folder);
    if (!made.has(target)) {
      mkdirSync(target, { recursive: true });
      made.add(target);
    }
    writeFileSync(path.join(target, name), Buffer.concat(parts), { flag: 'wx' });
  };
}
