/** What is told while a package comes: events of a transfer, and receipts. */
import { CarrelError } from '../../errors.ts';
import type { Evidence, TransferEvent } from '../../transfer/index.ts';
import type { PackageLock } from '../package-lock/package-lock.ts';
import { openPackageReceipts, type PackageReceiptHeader } from '../package-lock/package-receipts.ts';
import type { TransportEvent } from '../transport.ts';
import { type RefusedFile, shownPath } from './name-files.ts';
import type { PackageTarget } from './package-target.ts';
import type { PlacedFile, WantedFile } from './place-files.ts';
import type { PackagePlan } from './plan-package.ts';

/** Milliseconds between two events of progress, and how far back a rate looks. */
const EVERY_MS = 100;
const WINDOW_MS = 5000;

/** Tells of one package. */
export interface PackageReporter {
  note: (message: string) => void;
  /** Who moves the bytes: `ascp 4.4.7`. */
  via: (transport: string) => void;
  begin: (plan: PackagePlan, present: readonly PlacedFile[], refused: readonly RefusedFile[]) => void;
  transport: (event: TransportEvent) => void;
  placed: (file: PlacedFile, attempts: number) => void;
  failed: ((file: Pick<WantedFile, 'path' | 'local'>, error: CarrelError, attempts: number) => void) & {
    list: { path: string; local: string; error: CarrelError; attempts: number }[];
  };
  /** In the order of the plan. */
  placedFiles: () => PlacedFile[];
  /** Those that neither came nor failed. */
  unsettled: (files: readonly WantedFile[]) => WantedFile[];
  end: (lock: PackageLock | undefined) => void;
}

/** Makes a reporter. */
export function createReporter(
  { link }: PackageTarget,
  options: {
    directory: string;
    receipts?: PackageReceiptHeader | undefined;
    onEvent?: ((event: TransferEvent) => void) | undefined;
  },
): PackageReporter {
  const emit = options.onEvent ?? (() => {});
  const host = new URL(link.origin).host;
  const header = options.receipts ?? { command: 'tcia get', version: null };
  const receipts = openPackageReceipts(options.directory, header);
  const nameOf = ({ path, local }: Pick<WantedFile, 'path' | 'local'>) => ({
    host,
    packageId: link.packageId,
    path,
    local,
  });
  const placed = new Map<string, PlacedFile>();
  const list: { path: string; local: string; error: CarrelError; attempts: number }[] = [];
  /** Files that came, proven or not yet: what people want to see grow. */
  const came = new Set<string>();
  const samples: [number, number][] = [];
  let plan: PackagePlan | undefined;
  let [retries, base, moved, last] = [0, 0, 0, 0];
  let started = performance.now();
  let mirror: string | undefined;
  const progress = (now: boolean): void => {
    const time = performance.now();
    if (plan === undefined || (!now && time - last < EVERY_MS)) return;
    last = time;
    samples.push([time, moved]);
    while (samples.length > 2 && time - (samples[0]?.[0] ?? 0) > WINDOW_MS) samples.shift();
    const [from, had] = samples[0] ?? [started, 0];
    const bytesPerSecond = Math.round(((moved - had) * 1000) / Math.max(1, time - from));
    const totals = { totalFiles: plan.files.length, totalBytes: plan.bytes };
    emit({
      type: 'progress',
      files: came.size,
      bytes: base + moved,
      ...totals,
      bytesPerSecond,
      retries,
      mirror,
    });
  };
  const failed = Object.assign(
    (file: Pick<WantedFile, 'path' | 'local'>, error: CarrelError, attempts: number): void => {
      came.delete(file.path);
      list.push({ path: file.path, local: file.local, error, attempts });
      receipts.failure({ ...nameOf(file), error, attempts });
      emit({ type: 'failure', path: shownPath(file.local), error: aboutLocal(error, file), attempts });
    },
    { list },
  );
  const verifiedBy = ({ evidence, found }: PlacedFile): Evidence =>
    evidence === 'sums'
      ? found[0]?.startsWith('sha256:') === true
        ? 'sha256'
        : 'md5'
      : evidence === 'size'
        ? 'size'
        : 'none';
  return {
    via(transport) {
      mirror = transport;
    },
    note: (message) => emit({ type: 'note', message }),
    begin(of, present, refused) {
      plan = of;
      started = performance.now();
      base = present.reduce((sum, { bytes }) => sum + bytes, 0);
      emit({
        type: 'plan',
        files: of.files.length,
        bytes: of.bytes,
        present: present.length,
        presentBytes: base,
      });
      for (const file of present) {
        placed.set(file.path, file);
        came.add(file.path);
        receipts.present();
        const { local: path, bytes, found } = file;
        emit({
          type: 'file',
          path,
          bytes,
          digest: found[0],
          verifiedBy: verifiedBy(file),
          how: 'present',
          attempts: 0,
          milliseconds: 0,
        });
      }
      for (const { path, error } of refused) failed({ path, local: path }, error, 0);
    },
    transport(event) {
      if (event.type === 'note') emit({ type: 'note', message: event.message });
      else if (event.type === 'file-done') {
        came.add(event.path);
        progress(false);
      } else if (event.type === 'attempt-failed') {
        retries += 1;
        const { attempt, delayMs: waitMs, error } = event;
        emit({
          type: 'retry',
          path: plan?.name ?? link.name,
          mirror: mirror ?? host,
          attempt,
          waitMs,
          reason: error.message,
        });
      } else if (event.type === 'bytes') {
        moved = event.bytes;
        progress(false);
      }
    },
    placed(file, attempts) {
      placed.set(file.path, file);
      came.add(file.path);
      const milliseconds = Math.round(performance.now() - started);
      const { bytes, found, evidence } = file;
      const digest = found[0];
      receipts.file({
        ...nameOf(file),
        bytes,
        digest: digest ?? null,
        evidence,
        transport: mirror ?? host,
        attempts,
        milliseconds,
      });
      emit({
        type: 'file',
        path: file.local,
        bytes,
        digest,
        verifiedBy: verifiedBy(file),
        how: 'fetched',
        mirror,
        attempts,
        milliseconds,
      });
      progress(false);
    },
    failed,
    placedFiles: () => (plan?.files ?? []).flatMap(({ path }) => placed.get(path) ?? []),
    unsettled: (files) =>
      files.filter(({ path }) => !placed.has(path) && !list.some((one) => one.path === path)),
    end(lock) {
      if (plan !== undefined) progress(true);
      receipts.end(lock);
    },
  };
}

/** What went wrong, said of the local name as every event is. */
function aboutLocal(error: CarrelError, { path, local }: Pick<WantedFile, 'path' | 'local'>): CarrelError {
  if (path === local || !error.message.startsWith(`${path}: `)) return error;
  const { code, item, next, retryable, status } = error;
  const message = `${local}${error.message.slice(path.length)}`;
  return new CarrelError(code, message, { item, next, retryable, status, cause: error });
}
