/** A package to verified files, a lock file and receipts. Started again after whatever end, it goes on where it was. */
import { createHash } from 'node:crypto';
import { rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { abortError, type CarrelError, isCarrelError } from '../../errors.ts';
import {
  checkSpace,
  diskError,
  openStateFolder,
  STATE_FOLDER,
  type TransferEvent,
} from '../../transfer/index.ts';
import { createFaspexClient, type FaspexOptions } from '../faspex/faspex-client.ts';
import type { PackageEntry } from '../faspex/package-entry.ts';
import { requestTransferSpec } from '../faspex/request-transfer-spec.ts';
import { openPackageFolder } from '../package-lock/package-folder.ts';
import type { PackageReceiptHeader } from '../package-lock/package-receipts.ts';
import type { SumsList } from '../sums/parse-sums.ts';
import type { TransportJob } from '../transport.ts';
import { fetchBatches } from './fetch-batches.ts';
import { fetchLists } from './fetch-lists.ts';
import { findPresent } from './find-present.ts';
import {
  gatewayOf,
  type OpenedTransport,
  type OpenTransportOptions,
  openTransport,
} from './open-transport.ts';
import type { PackageTarget } from './package-target.ts';
import { type PlacedFile, placeFiles, type WantedFile } from './place-files.ts';
import { type PackagePlan, type PlanPackageOptions, planPackage } from './plan-package.ts';
import { createReporter } from './report-package.ts';
import { settleFolder } from './settle-folder.ts';

/** Bytes to leave free on the disk, as in every transfer. */
const RESERVE_BYTES = 16 << 20;

/** How a package is fetched. */
export interface FetchPackageOptions extends PlanPackageOptions, Omit<OpenTransportOptions, 'onNote'> {
  /** Of packages. */
  faspex: FaspexOptions;
  /** Destination; made if it is missing. */
  directory: string;
  /** Read every file that is here already, instead of believing the journal of what was proven before. */
  recheck?: boolean | undefined;
  receipts?: PackageReceiptHeader | undefined;
  /** What will be fetched, before it is. */
  onPlan?: ((plan: PackagePlan) => void | Promise<void>) | undefined;
  /** Before bytes are asked for, where not everything is here already. */
  onStart?: ((absent: number) => void | Promise<void>) | undefined;
  onEvent?: ((event: TransferEvent) => void) | undefined;
  signal: AbortSignal;
}

/** How it ended. */
export interface PackageResult {
  plan: PackagePlan;
  /** In the order of the plan; those of earlier runs too. */
  placed: PlacedFile[];
  /** Of these, those that were here already. */
  present: number;
  bytesPresent: number;
  bytesFetched: number;
  failed: { path: string; local: string; error: CarrelError; attempts: number }[];
  /** Who moved bytes; undefined where nobody had to. */
  transport: string | undefined;
  lockPath: string;
  /** The list of checksums that was written, where the package has none. */
  ownSums: string | undefined;
  milliseconds: number;
}

/** Only the plan: nothing is written, no bytes come, so that digests stay unknown. */
export async function previewPackage(
  target: PackageTarget,
  options: PlanPackageOptions & { faspex: FaspexOptions },
): Promise<PackagePlan> {
  return await planPackage(createFaspexClient(target.link, options.faspex), target, {
    ...options,
    sizes: true,
  });
}

/**
 * Fetches a package, or what was chosen of it. Resolves also where single files failed.
 *
 * @throws CarrelError `busy` (another run in this folder), `unsupported` (no `ascp`), `no-space`, `interrupted`, `partial` (a
 *   listing that is short), and as `planPackage`
 */
export async function fetchPackage(
  target: PackageTarget,
  options: FetchPackageOptions,
): Promise<PackageResult> {
  const started = performance.now();
  const { directory, signal } = options;
  const client = createFaspexClient(target.link, options.faspex);
  await client.info(signal);
  const gateway = await gatewayOf(client, options);
  const isNew = (await stat(directory).catch(() => undefined)) === undefined;
  const state = await openStateFolder(directory);
  const folders = foldersOf(directory, target);
  const report = createReporter(target, options);
  let opened: Promise<OpenedTransport> | undefined;
  const open = (): Promise<OpenedTransport> => {
    opened ??= openTransport(client, gateway, { ...options, onNote: report.note });
    return opened;
  };
  const spec: TransportJob['spec'] = async (paths, stop) =>
    await requestTransferSpec(client, paths, { type: (await open()).type, signal: stop });
  const fetchSums = async (entries: readonly PackageEntry[]): Promise<SumsList[]> =>
    await fetchLists(entries, { folder: folders.sums, open, spec, signal, note: report.note });
  let planned = false;
  try {
    const plan = await planPackage(client, target, { ...options, sizes: gateway !== undefined, fetchSums });
    planned = true;
    await options.onPlan?.(plan);
    const { journal } = state;
    const places = { directory, staging: folders.files, journal, signal };
    const earlier = await openPackageFolder(directory);
    const locked = earlier?.lock.packages.find(
      (one) => one.package_id === target.link.packageId && one.host === new URL(target.link.origin).host,
    );
    const { recheck } = options;
    const found = await findPresent(plan.files, { ...places, locked: locked?.files ?? [], recheck });
    // What an earlier run had whole but not yet named: `ascp` gives a file its name when it is whole.
    const staged = await stagedOf(found.absent, folders.files);
    const taken = await placeFiles(staged, places);
    const present = [...found.present, ...taken.placed];
    report.begin(plan, present, plan.refused);
    const here = new Set(present.map(({ path }) => path));
    const absent = plan.files.filter(({ path }) => !here.has(path));
    const need = sizeOf(absent) ?? (plan.bytes === undefined ? 0 : plan.bytes - bytesOf(present));
    // What `ascp` has of files that it goes on with is on the disk already.
    await checkSpace(directory, need - (await partialBytes(absent, folders.files)), {
      reserve: RESERVE_BYTES,
    });
    if (absent.length > 0) await options.onStart?.(absent.length);
    try {
      await fetchBatches(absent, {
        ...places,
        transport: async () => {
          const { transport } = await open();
          report.via(transport.name);
          return transport;
        },
        spec,
        onEvent: report.transport,
        onPlaced: report.placed,
        onFailed: report.failed,
      });
    } catch (error) {
      if (!isCarrelError(error) || error.code === 'interrupted' || error.code === 'unsupported') throw error;
      if (report.placedFiles().length === 0) throw error;
      for (const file of report.unsettled(absent)) report.failed(file, error, 1);
    }
    const placed = report.placedFiles();
    const settled = await settleFolder({ plan, placed, options, client });
    const { failed } = report;
    if (placed.length === plan.files.length) await rm(folders.files, { recursive: true, force: true });
    report.end(settled.lock);
    return {
      plan,
      placed,
      present: present.length,
      bytesPresent: bytesOf(present),
      bytesFetched: bytesOf(placed) - bytesOf(present),
      failed: failed.list,
      transport: opened === undefined ? undefined : (await opened).transport.name,
      lockPath: settled.lockPath,
      ownSums: settled.ownSums,
      milliseconds: Math.round(performance.now() - started),
    };
  } catch (error) {
    report.end(undefined);
    if (signal.aborted) throw abortError(signal);
    throw isCarrelError(error) ? error : diskError(error, directory);
  } finally {
    await state.release({ complete: false });
    // A question that led nowhere leaves no folder behind.
    if (isNew && !planned) await removeState(directory);
  }
}

/** Removes a destination in which there is nothing but state. */
async function removeState(directory: string): Promise<void> {
  await rm(join(directory, STATE_FOLDER), { recursive: true, force: true });
  await rmdir(directory).catch(() => undefined);
}

/** Folders of a package in the state folder; the name of its server may hold a colon. */
function foldersOf(directory: string, { link }: PackageTarget): { files: string; sums: string } {
  const id = createHash('sha256').update(`${link.origin} ${link.packageId}`).digest('hex').slice(0, 16);
  const folder = join(directory, STATE_FOLDER, 'packages', id);
  return { files: join(folder, 'files'), sums: join(folder, 'sums') };
}

/** Files that stand whole in the staging folder, as far as that can be told. */
async function stagedOf(files: readonly WantedFile[], staging: string): Promise<WantedFile[]> {
  const found: WantedFile[] = [];
  if ((await stat(staging).catch(() => undefined)) === undefined) return found;
  for (const file of files) {
    const info = await stat(join(staging, ...file.local.split('/'))).catch(() => undefined);
    if (info?.isFile() !== true) continue;
    const right = file.size === undefined ? file.digests.length > 0 : info.size === file.size;
    if (right) found.push(file);
  }
  return found;
}

/** Bytes of parts that an earlier run left. */
async function partialBytes(files: readonly WantedFile[], staging: string): Promise<number> {
  let sum = 0;
  if ((await stat(staging).catch(() => undefined)) === undefined) return sum;
  for (const { local } of files) {
    const info = await stat(`${join(staging, ...local.split('/'))}.partial`).catch(() => undefined);
    sum += info?.size ?? 0;
  }
  return sum;
}

function bytesOf(files: readonly PlacedFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Bytes of files, where all are known. */
function sizeOf(files: readonly WantedFile[]): number | undefined {
  let sum = 0;
  for (const { size } of files) {
    if (size === undefined) return undefined;
    sum += size;
  }
  return sum;
}
