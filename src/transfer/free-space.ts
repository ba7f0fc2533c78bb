/**
 * Does the plan fit on the disk? Asked before the first byte, because a full disk after three hours helps nobody.
 */
import { statfs } from 'node:fs/promises';
import { CarrelError } from '../errors.ts';

/** Bytes that the user may still write to the file system of a folder; undefined where it does not say. */
export type FreeSpace = (folder: string) => Promise<number | undefined>;

/** What `statfs` says to this user (blocks that are kept for root are not counted). */
export const freeSpace: FreeSpace = async (folder) => {
  try {
    const { bavail, bsize, blocks } = await statfs(folder);
    // Some network and FUSE file systems answer zeros, which means "no idea" and not "full".
    return blocks === 0 ? undefined : bavail * bsize;
  } catch {
    return undefined;
  }
};

/**
 * Refuses what does not fit.
 *
 * @param need bytes still to be written
 * @param reserve bytes to leave free
 * @throws CarrelError `no-space`, naming both figures
 */
export async function checkSpace(
  folder: string,
  need: number,
  options: { reserve: number; freeSpace?: FreeSpace | undefined },
): Promise<void> {
  if (need <= 0) return;
  const have = await (options.freeSpace ?? freeSpace)(folder);
  if (have === undefined || need + options.reserve <= have) return;
  const reserve = options.reserve > 0 ? ` and ${sizeText(options.reserve)} are to stay free` : '';
  throw new CarrelError('no-space', `${sizeText(need)} are needed${reserve}, ${sizeText(have)} are free`, {
    item: folder,
    next: 'free space, choose another folder, or select less',
  });
}

/** `12.3 GB (12345678901 bytes)`: units of a thousand, as disks are sold, and the exact figure. */
function sizeText(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return unit === 0 ? `${bytes} bytes` : `${value.toFixed(1)} ${units[unit]} (${bytes} bytes)`;
}
