/** What a run leaves beside the files of a package: the lock file, and a list of checksums where the package has none. */
import { join } from 'node:path';
import type { NamePolicy } from '../../cohort/index.ts';
import { isCarrelError } from '../../errors.ts';
import { safeSegment } from '../../transfer/index.ts';
import type { FaspexClient } from '../faspex/faspex-client.ts';
import { writePackageLock } from '../package-lock/package-folder.ts';
import { type LockedPackage, PACKAGE_LOCK_NAME, type PackageLock } from '../package-lock/package-lock.ts';
import { createPackageLock } from '../package-lock/print-package-lock.ts';
import { writeOwnSums } from '../sums/own-sums.ts';
import type { PackageChoice } from './choose-files.ts';
import { PACKAGE_LAYOUT } from './package-layout.ts';
import type { PlacedFile } from './place-files.ts';
import type { PackagePlan } from './plan-package.ts';

/** What was left. */
export interface SettledFolder {
  lock: PackageLock | undefined;
  lockPath: string;
  ownSums: string | undefined;
}

/** Writes both; nothing where nothing came. */
export async function settleFolder(about: {
  plan: PackagePlan;
  placed: readonly PlacedFile[];
  options: {
    directory: string;
    choice?: PackageChoice | undefined;
    layout?: string | undefined;
    names?: NamePolicy | undefined;
    signal: AbortSignal;
  };
  client: FaspexClient;
}): Promise<SettledFolder> {
  const { plan, placed, options, client } = about;
  const { directory, signal } = options;
  const lockPath = join(directory, PACKAGE_LOCK_NAME);
  if (placed.length === 0) return { lock: undefined, lockPath, ownSums: undefined };
  const ownSums = plan.sums.length > 0 ? undefined : await writeOwn(directory, placed, signal);
  const lock = createPackageLock([lockedPackage(plan, placed, options, client)]);
  return { lock: await writePackageLock(directory, lock), lockPath, ownSums };
}

function lockedPackage(
  { info, target, whole, name }: PackagePlan,
  placed: readonly PlacedFile[],
  { choice = {}, layout = PACKAGE_LAYOUT, names = 'strict' }: Parameters<typeof settleFolder>[0]['options'],
  { link }: FaspexClient,
): LockedPackage {
  const { collection, download } = target;
  const { minSize, maxSize, include = [], exclude = [], kinds = [] } = choice;
  const sized = minSize !== undefined || maxSize !== undefined;
  const question = {
    // Sizes are no part of a lock file: what they chose is named one by one.
    paths: sized ? placed.map(({ path }) => path) : [...(choice.paths ?? [])],
    include: [...include, ...kinds.map((kind) => `*.${kind.replace(/^\.+/, '')}`)],
    exclude: [...exclude],
  };
  return {
    host: new URL(link.origin).host,
    package_id: link.packageId,
    package_uuid: info.uuid ?? null,
    title: info.title ?? null,
    collection:
      collection === undefined
        ? null
        : {
            slug: collection.slug,
            version: collection.version,
            doi: collection.doi,
            download: download?.id,
          },
    layout: stableLayout(layout, target, name),
    names,
    question: whole ? { paths: [], include: [], exclude: [] } : question,
    files: placed.map(({ path, local, bytes, found, evidence }) => ({
      path,
      local,
      size: bytes,
      digests: found,
      evidence,
    })),
  };
}

/**
 * The layout as it gives the same names again when the package is named by its data set: a link alone has called it by the title
 * that its server tells. Undefined where a template cannot say that.
 */
function stableLayout(
  layout: string,
  { collection, name: known }: PackagePlan['target'],
  name: string,
): string | undefined {
  if (collection === undefined || known !== undefined || !layout.includes('{package}')) return layout;
  const folder = safeSegment(name);
  return /[{}]/.test(folder) ? undefined : layout.replaceAll('{package}', () => folder);
}

/** In the folder that all files of the package share, else in the destination. */
async function writeOwn(
  directory: string,
  placed: readonly PlacedFile[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const first = placed[0]?.local.split('/')[0] ?? '';
  const shared = placed.every(({ local }) => local.startsWith(`${first}/`));
  const folder = shared ? join(directory, first) : directory;
  const files = placed.map(({ local, found }) => ({
    path: shared ? local.slice(first.length + 1) : local,
    digests: found,
  }));
  try {
    return (await writeOwnSums(folder, files, { signal })).path;
  } catch (error) {
    // The name is taken by a file of the package: the lock file has the digests, too.
    if (isCarrelError(error, 'unsafe')) return undefined;
    throw error;
  }
}
