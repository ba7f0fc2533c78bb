/** A folder with a lock file of a cohort, one of packages of TCIA, or both; each is held against its own. */
import { stat } from 'node:fs/promises';
import {
  isFolderGood,
  type LockedFolder,
  lockedFiles,
  openLockedFolder,
  verifyFolder,
} from '../cohort/index.ts';
import { isCarrelError } from '../errors.ts';
import { openPackageFolder, type PackageFolder, packageFiles, verifyPackageFolder } from '../tcia/index.ts';
import type { TransferEvent, VerifyReport } from '../transfer/index.ts';

/** What a folder is held against; at least one of the two. */
export interface LockedFolders {
  directory: string;
  cohort: LockedFolder | undefined;
  packages: PackageFolder | undefined;
  /** Pinned by both. */
  bytes: number;
}

/** What was found. */
export interface LockedFoldersReport {
  /** Of both together; `extra` is what neither names. */
  all: VerifyReport;
  cohort: VerifyReport | undefined;
  packages: VerifyReport | undefined;
}

/**
 * Finds the lock files of a folder, or takes one by its own path.
 *
 * @param directory the folder, where the lock file lies elsewhere
 * @throws CarrelError `not-found` where there is none; `bad-input`, `unsupported` or `unsafe` for one that cannot be believed
 */
export async function openLockedFolders(path: string, directory?: string): Promise<LockedFolders> {
  const packages = await openPackageFolder(path, directory);
  const isFile = (await stat(path).catch(() => undefined))?.isFile() ?? false;
  const cohort =
    packages !== undefined && isFile
      ? undefined
      : await openLockedFolder(path, directory).catch((error: unknown) => {
          if (packages !== undefined && isCarrelError(error, 'not-found')) return undefined;
          throw error;
        });
  const files = [
    ...(cohort === undefined ? [] : lockedFiles(cohort.lock)),
    ...(packages === undefined ? [] : packageFiles(packages.lock)),
  ];
  return {
    directory: cohort?.directory ?? packages?.directory ?? path,
    cohort,
    packages,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
  };
}

/** Verifies a folder against each of its lock files, one after the other. */
export async function verifyLockedFolders(
  { cohort, packages }: LockedFolders,
  options: {
    mode: 'full' | 'size';
    extra: boolean;
    onEvent: (event: TransferEvent) => void;
    signal: AbortSignal;
  },
): Promise<LockedFoldersReport> {
  const ofCohort = cohort === undefined ? undefined : await verifyFolder(cohort, options);
  const ofPackages = packages === undefined ? undefined : await verifyPackageFolder(packages, options);
  return { all: join(ofCohort, ofPackages), cohort: ofCohort, packages: ofPackages };
}

/** True for a part that was asked for and is not as pinned. */
export function isBad(report: VerifyReport | undefined): report is VerifyReport {
  return report !== undefined && !isFolderGood(report);
}

/** What fetches the packages of a folder again. */
export function fetchAgainCommand({ packages }: LockedFolders, where: string): string {
  const slugs = packages?.lock.packages.map(({ collection }) => collection?.slug ?? 'LINK') ?? [];
  return `carrel tcia get ${[...new Set(slugs)].join(' ')} -o ${where}`;
}

function join(a: VerifyReport | undefined, b: VerifyReport | undefined): VerifyReport {
  const reports = [a, b].filter((one) => one !== undefined);
  const [first, second] = reports.map(({ extra }) => extra);
  const known = new Set(second);
  const extra = second === undefined ? first : first?.filter((path) => known.has(path));
  return {
    ok: reports.flatMap(({ ok }) => ok),
    missing: reports.flatMap(({ missing }) => missing),
    mismatched: reports.flatMap(({ mismatched }) => mismatched),
    unverifiable: reports.flatMap(({ unverifiable }) => unverifiable),
    ...(extra === undefined ? {} : { extra }),
  };
}
