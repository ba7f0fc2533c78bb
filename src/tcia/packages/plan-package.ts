/** From a package and a choice to the files that will be fetched, with their local names. */
import type { NamePolicy } from '../../cohort/index.ts';
import { CarrelError } from '../../errors.ts';
import type { FaspexClient } from '../faspex/faspex-client.ts';
import type { PackageInfo } from '../faspex/package-info.ts';
import { chooseFiles, isChoice, type PackageChoice } from './choose-files.ts';
import { type ListFilesOptions, listFiles, shortListing } from './list-files.ts';
import { nameFiles, type RefusedFile } from './name-files.ts';
import { PACKAGE_LAYOUT, readPackageLayout } from './package-layout.ts';
import type { PackageTarget } from './package-target.ts';
import type { WantedFile } from './place-files.ts';

/** How a package is planned. */
export interface PlanPackageOptions {
  choice?: PackageChoice | undefined;
  /** Default `{package}/{path}`. */
  layout?: string | undefined;
  /** Default `strict`. */
  names?: NamePolicy | undefined;
  /** Fetch what is listed although the list is known to be short. */
  allowPartial?: boolean | undefined;
  /** Names of other packages of this run; those of this one are added. */
  taken?: Set<string> | undefined;
  onPage?: ListFilesOptions['onPage'];
  signal?: AbortSignal | undefined;
}

/** What will be fetched. */
export interface PackagePlan {
  target: PackageTarget;
  info: PackageInfo;
  /** What `{package}` stands for. */
  name: string;
  files: WantedFile[];
  refused: RefusedFile[];
  /** Where the names come from; see `ListedPackage`. */
  listing: 'sums' | 'browse';
  /** False: the list is known to be short, and was allowed to be. */
  complete: boolean;
  /** Lists of checksums of the package. */
  sums: string[];
  /** False where the package has none, or it could not be fetched. */
  proven: boolean;
  /** Bytes where every size is known, or where it is the whole package and the server counts them. */
  bytes: number | undefined;
  /** True where everything is asked for. */
  whole: boolean;
  notes: string[];
}

/**
 * Lists, chooses, names.
 *
 * @throws CarrelError `partial` for a listing that is short; as `listFiles`, `chooseFiles`, `readPackageLayout`, `nameFiles`
 */
export async function planPackage(
  client: FaspexClient,
  target: PackageTarget,
  options: PlanPackageOptions & Pick<ListFilesOptions, 'fetchSums' | 'sizes'>,
): Promise<PackagePlan> {
  const { choice = {}, signal, allowPartial = false } = options;
  const info = await client.info(signal);
  const title = info.title ?? client.link.name;
  const name = target.name ?? info.title ?? `package ${client.link.packageId}`;
  const layout = readPackageLayout(options.layout ?? PACKAGE_LAYOUT, {
    package: name,
    collection: target.collection?.name,
    version: target.collection?.version ?? undefined,
  });
  const sized = choice.minSize !== undefined || choice.maxSize !== undefined;
  const listed = await listFiles(client, {
    paths: choice.paths,
    sizes: options.sizes || sized,
    fetchSums: options.fetchSums,
    onPage: options.onPage,
    signal,
  });
  const notes: string[] = [];
  if (listed.complete === false && !allowPartial) throw shortListing(title, listed.reasons);
  if (listed.complete !== true) {
    const sure = listed.complete === false ? 'is short' : 'may be short, for its server does not count';
    notes.push(`the list of files of ${title} ${sure}: ${listed.reasons.slice(0, 3).join('; ')}`);
  }
  const { files: chosen, unsized } = chooseFiles(listed.files, choice, title);
  if (unsized > 0)
    notes.push(`left out, for their size is not known: ${unsized} ${unsized === 1 ? 'file' : 'files'}`);
  const { named, refused } = nameFiles(chosen, {
    layout,
    names: options.names ?? 'strict',
    taken: options.taken,
  });
  if (chosen.length === 0) {
    throw new CarrelError('not-found', `nothing in ${title} is what was asked for`, {
      item: client.link.name,
      next: 'carrel tcia browse shows what is there; take fewer conditions',
    });
  }
  const whole = !isChoice(choice);
  const known = named.every(({ size }) => size !== undefined);
  const sum = named.reduce((total, { size = 0 }) => total + size, 0);
  return {
    target,
    info,
    name,
    files: named.map(({ path, local, size }) => ({
      path,
      local,
      size,
      digests: listed.digests?.get(path) ?? [],
    })),
    refused,
    listing: listed.source,
    complete: listed.complete !== false,
    sums: listed.sums,
    proven: (listed.digests?.size ?? 0) > 0,
    bytes: known ? sum : whole ? info.bytes : undefined,
    whole,
    notes,
  };
}
