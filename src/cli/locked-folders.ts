/** A folder with a lock file of a cohort, one of packages of TCIA, a list of what came from NBIA, or several of them; each is held against its own. */
import { stat } from 'node:fs/promises';
import {
  isFolderGood,
  type LockedFolder,
  lockedFiles,
  openLockedFolder,
  verifyFolder,
} from '../cohort/index.ts';
import { isCarrelError } from '../errors.ts';
import {
  type NbiaFolder,
  openNbiaFolder,
  openPackageFolder,
  type PackageFolder,
  packageFiles,
  verifyNbiaFolder,
  verifyPackageFolder,
} from '../tcia/index.ts';
import type { TransferEvent, VerifyReport } from '../transfer/index.ts';

/** What a folder is held against; at least one of the three. */
export interface LockedFolders {
  directory: string;
  cohort: LockedFolder | undefined;
  packages: PackageFolder | undefined;
  /** Only where the folder itself was named: the list is part of it. */
  nbia: NbiaFolder | undefined;
  /** Pinned by the lock files; a list of checksums tells no sizes. */
  bytes: number;
}

/** What was found. */
export interface LockedFoldersReport {
  /** Of all together; `extra` is what none of them names. */
  all: VerifyReport;
  cohort: VerifyReport | undefined;
  packages: VerifyReport | undefined;
  nbia: VerifyReport | undefined;
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
  const nbia = isFile ? undefined : await openNbiaFolder(path);
  const cohort =
    packages !== undefined && isFile
      ? undefined
      : await openLockedFolder(path, directory).catch((error: unknown) => {
          if ((packages ?? nbia) !== undefined && isCarrelError(error, 'not-found')) return undefined;
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
    nbia,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
  };
}

/** Verifies a folder against each of its lock files and lists, one after the other. */
export async function verifyLockedFolders(
  { cohort, packages, nbia }: LockedFolders,
  options: {
    mode: 'full' | 'size';
    extra: boolean;
    onEvent: (event: TransferEvent) => void;
    signal: AbortSignal;
  },
): Promise<LockedFoldersReport> {
  const ofCohort = cohort === undefined ? undefined : await verifyFolder(cohort, options);
  const ofPackages = packages === undefined ? undefined : await verifyPackageFolder(packages, options);
  const ofNbia = nbia === undefined ? undefined : await verifyNbiaFolder(nbia, options);
  return { all: join([ofCohort, ofPackages, ofNbia]), cohort: ofCohort, packages: ofPackages, nbia: ofNbia };
}

/** True for a part that was asked for and is not as pinned. */
export function isBad(report: VerifyReport | undefined): report is VerifyReport {
  return report !== undefined && !isFolderGood(report);
}

function join(some: readonly (VerifyReport | undefined)[]): VerifyReport {
  const reports = some.filter((one) => one !== undefined);
  const [first, ...others] = reports.map(({ extra }) => extra);
  const known = others.map((extra) => new Set(extra));
  const extra = first?.filter((path) => known.every((names) => names.has(path)));
  return {
    ok: reports.flatMap(({ ok }) => ok),
    missing: reports.flatMap(({ missing }) => missing),
    mismatched: reports.flatMap(({ mismatched }) => mismatched),
    unverifiable: reports.flatMap(({ unverifiable }) => unverifiable),
    ...(extra === undefined ? {} : { extra }),
  };
}
