/** Files that Carrel itself keeps in a destination. */
import { readdir } from 'node:fs/promises';
import { basename, sep } from 'node:path';
import { NBIA_SUMS_NAME } from '../nbia/nbia-sums-name.ts';
import { OWN_SUMS_NAME } from '../sums/own-sums-name.ts';

/** Lock files, receipts and lists of checksums that Carrel wrote below a folder, with `/`. */
export async function ownNames(directory: string): Promise<string[]> {
  const names = await readdir(directory, { recursive: true }).catch(() => []);
  return names
    .map((name) => name.split(sep).join('/'))
    .filter(
      (name) =>
        /^carrel\.(lock|receipts)(\.[\w.-]+)?\.jsonl?$/.test(name) ||
        name === NBIA_SUMS_NAME ||
        basename(name) === OWN_SUMS_NAME,
    );
}
