/** A folder that series came to from NBIA: its list of checksums stands for the lock file that NBIA's series cannot have. */
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  type ExpectedFile,
  type TransferEvent,
  type VerifyReport,
  verifyFiles,
} from '../../transfer/index.ts';
import { ownNames } from '../package-lock/own-names.ts';
import { readSums } from '../sums/parse-sums.ts';
import { NBIA_SUMS_NAME } from './nbia-sums-name.ts';
import { doubtFiles } from './series-record.ts';

/** Files of NBIA in a folder, by its list. */
export interface NbiaFolder {
  directory: string;
  sumsPath: string;
  files: ExpectedFile[];
}

/**
 * The files that `carrel.nbia.sums` of a folder names; undefined where there is none.
 *
 * @throws CarrelError `permission` or `bad-input` for a list that cannot be read
 */
export async function openNbiaFolder(
  path: string,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<NbiaFolder | undefined> {
  const directory = resolve(path);
  const sumsPath = join(directory, NBIA_SUMS_NAME);
  if ((await stat(sumsPath).catch(() => undefined))?.isFile() !== true) return undefined;
  const { entries } = await readSums(sumsPath, options);
  const files = entries.map((entry) => ({ path: entry.path, size: undefined, digests: [...entry.digests] }));
  return { directory, sumsPath, files };
}

/** Reads every byte that came from NBIA, and compares it. @throws CarrelError `unsafe` for a list that leads out of the folder */
export async function verifyNbiaFolder(
  { directory, files }: NbiaFolder,
  options: {
    mode?: 'full' | 'size' | undefined;
    extra?: boolean | undefined;
    onEvent?: ((event: TransferEvent) => void) | undefined;
    signal?: AbortSignal | undefined;
  } = {},
): Promise<VerifyReport> {
  const { extra, onEvent, signal } = options;
  const sizes = await Promise.all(
    files.map(async ({ path }) => (await stat(join(directory, path)).catch(() => undefined))?.size),
  );
  // The list has no sizes: those on disk tell progress its end, and prove nothing.
  const sized = files.map((file, at) => ({ ...file, size: sizes[at] }));
  return await verifyFiles(sized, {
    directory,
    // There is nothing but digests to compare with.
    mode: 'full',
    extra,
    ignore: extra === true ? await ownNames(directory) : [],
    onEvent,
    signal,
  });
}

/** Series to fetch again, and the layout that they came with. */
export interface NbiaAgain {
  uids: string[];
  layout: string;
}

/**
 * Which series wrong or missing files belong to, by layout. What the folder remembers of these files is not believed any more, so
 * that the next run asks for their series again.
 *
 * @returns also the files that no series is known of
 */
export async function nbiaSeriesAgain(
  directory: string,
  paths: readonly string[],
): Promise<{ again: NbiaAgain[]; unknown: string[] }> {
  const owners = await doubtFiles(resolve(directory), new Set(paths));
  const byLayout = new Map<string, Set<string>>();
  for (const { uid, layout } of owners.values()) {
    const known = byLayout.get(layout);
    if (known === undefined) byLayout.set(layout, new Set([uid]));
    else known.add(uid);
  }
  return {
    again: [...byLayout].map(([layout, uids]) => ({ layout, uids: [...uids].sort() })),
    unknown: paths.filter((path) => !owners.has(path)),
  };
}
