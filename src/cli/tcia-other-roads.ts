/** Downloads of TCIA that are no packages: manifests of NBIA, slides of PathDB, tables and other files, all over HTTPS. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openReceipts, RECEIPTS_NAME } from '../cohort/index.ts';
import { isCarrelError } from '../errors.ts';
import {
  ask,
  lockWebFiles,
  mediaFile,
  nothingChosen,
  type OtherTarget,
  openPackageFolder,
  PACKAGE_LOCK_NAME,
  pathdbFiles,
  planWebFiles,
  type TciaFile,
  type WebFile,
} from '../tcia/index.ts';
import { safeSegment, type TransferEvent, type TransferResult, transfer } from '../transfer/index.ts';
import { VERSION } from '../version.ts';
import type { Run } from './command.ts';
import type { Desk } from './desk.ts';
import { type ExitCode, exitCodeOf } from './exit-codes.ts';
import { toJson } from './output/json.ts';
import { tellNote } from './output/package-report.ts';
import { createProgress } from './output/progress.ts';
import { writeRows } from './output/rows.ts';
import { formatBytes, formatCount, formatSeconds, plural } from './output/text.ts';
import { commonWords, runCommand } from './run-command.ts';
import { tciaServersOf } from './tcia-catalogue.ts';
import type { TciaGetOptions } from './tcia-get-options.ts';
import { printable, shortPath, write } from './terminal.ts';

/** Fetches one. */
export async function getOther(
  run: Run,
  desk: Desk,
  target: OtherTarget,
  options: TciaGetOptions,
  flags: Record<string, unknown>,
): Promise<ExitCode> {
  if (target.download.kind === 'nbia') return await getManifest(run, desk, target, options, flags);
  const files = await planFiles(run, desk, target, options, flags);
  return await getFiles(run, desk, target, files, options);
}

/** A manifest: its series come as `carrel get` fetches any, from the archive where it has them, else from NBIA. */
async function getManifest(
  run: Run,
  desk: Desk,
  { collection, download }: OtherTarget,
  { directory, dryRun, layout, get }: TciaGetOptions,
  flags: Record<string, unknown>,
): Promise<ExitCode> {
  const servers = tciaServersOf(run, flags);
  const asking = { http: desk.pool, signal: run.signal };
  const { url, name } = await mediaFile(download, { ...asking, servers });
  const { text } = await ask({ what: `the manifest ${name}`, url }, asking);
  const folder = await mkdtemp(join(tmpdir(), 'carrel-manifest-'));
  try {
    const path = join(
      folder,
      /\.tcia$/i.test(name) ? safeSegment(name) : `${safeSegment(collection.slug)}.tcia`,
    );
    await writeFile(path, text);
    const words = [path, '-o', directory, ...(dryRun ? ['--dry-run'] : []), ...commonWords(flags)];
    if (layout !== undefined) words.push('--layout', layout);
    // Without a catalogue nobody can tell what the archive has of it.
    if (!(await hasCatalogue(desk))) words.push('--prefer', 'nbia');
    const env = Object.entries(servers).map(([server, address]) => `${server}=${address}`);
    return await runCommand(run, get, words, { CARREL_TCIA_SERVERS: env.join(',') });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function hasCatalogue(desk: Pick<Desk, 'catalog'>): Promise<boolean> {
  try {
    await desk.catalog();
    return true;
  } catch (error) {
    if (!isCarrelError(error, 'not-found')) throw error;
    return false;
  }
}

async function planFiles(
  run: Run,
  desk: Desk,
  { collection, download }: OtherTarget,
  { choice, names, layout, directory, recheck }: TciaGetOptions,
  flags: Record<string, unknown>,
): Promise<WebFile[]> {
  if (layout !== undefined)
    await tellNote(
      run,
      `--layout is for packages; the files of ${download.title} get the names that TCIA gives them`,
    );
  const asking = { http: desk.pool, signal: run.signal, servers: tciaServersOf(run, flags) };
  const files: TciaFile[] =
    download.kind === 'pathdb' ? await pathdbFiles(collection, asking) : [await mediaFile(download, asking)];
  const { keeps, kinds = [], minSize, maxSize } = choice;
  const chosen = files.filter(
    ({ name, size }) =>
      keeps?.(name) !== false &&
      (kinds.length === 0 ||
        kinds.some((kind) => name.toLowerCase().endsWith(`.${kind.toLowerCase().replace(/^\.+/, '')}`))) &&
      (size === undefined || (size >= (minSize ?? 0) && size <= (maxSize ?? Number.POSITIVE_INFINITY))),
  );
  if (chosen.length === 0) throw nothingChosen(download.title, collection.name);
  const earlier = await openPackageFolder(directory);
  const locked = (earlier?.lock.downloads ?? []).filter(
    (one) => one.collection.slug === collection.slug && one.download === download.id,
  );
  const { files: planned, changed } = await planWebFiles(chosen, {
    directory,
    folder: collection.name,
    safeNames: names === 'escape',
    openStore: desk.openStore,
    locked: locked.flatMap((one) => one.files),
    recheck,
    signal: run.signal,
  });
  const [first] = changed;
  if (first !== undefined)
    await tellNote(
      run,
      `changed at TCIA since they came here, and so fetched again: ${plural(changed.length, 'file')}, such as ${first}`,
    );
  return planned;
}

async function getFiles(
  run: Run,
  desk: Desk,
  { collection, download }: OtherTarget,
  files: readonly WebFile[],
  { directory, dryRun }: TciaGetOptions,
): Promise<ExitCode> {
  const known = files.every(({ size }) => size !== undefined);
  const bytes = files.reduce((sum, { size = 0 }) => sum + size, 0);
  const where = printable(shortPath(run.terminal.cwd, directory));
  const size = known ? formatBytes(bytes) : 'size not known';
  if (!run.quiet && !run.json)
    await write(
      run.terminal.err,
      `${run.err.bold(printable(download.title))}: ${plural(files.length, 'file')}, ${size}\n`,
    );
  if (dryRun) {
    if (run.json) {
      for (const file of files)
        await write(
          run.terminal.out,
          `${toJson({ type: 'planned', local: file.path, bytes: file.size ?? null })}\n`,
        );
      await write(
        run.terminal.out,
        `${toJson({ type: 'summary', dryRun: true, planned: files.length, bytes: known ? bytes : null, directory, exit: 0 })}\n`,
      );
    } else {
      const rows = files.map((file) => [formatBytes(file.size), file.path]);
      await writeRows(
        run.terminal,
        { columns: ['size', 'file'], numeric: [0], whole: [1], rows: [rows] },
        'table',
      );
      await write(
        run.terminal.out,
        `dry run: ${plural(files.length, 'file')}, ${size} would be in ${where}\n`,
      );
    }
    return 0;
  }
  const header = { command: 'tcia get', version: VERSION, archive: 'tcia', release: null };
  const receipts = openReceipts(join(directory, RECEIPTS_NAME), header, (path) => path);
  const progress = await createProgress(run);
  const onEvent = (event: TransferEvent): void => {
    progress.report(event);
    receipts.report(event);
  };
  let result: TransferResult;
  try {
    result = await transfer(files, { directory, openStore: desk.openStore, onEvent, signal: run.signal });
  } finally {
    progress.end();
    receipts.end(undefined);
  }
  const lock =
    result.files.length === 0
      ? null
      : await lockWebFiles(
          directory,
          { collection, download, planned: files, files: result.files },
          run.signal,
        );
  const pinned = lock === null ? null : shortPath(run.terminal.cwd, join(directory, PACKAGE_LOCK_NAME));
  const exit = exitOf(result);
  const { fetched, present, failed, bytesFetched, milliseconds } = result;
  if (run.json) {
    const summary = {
      planned: result.planned,
      fetched,
      present,
      failed: failed.length,
      bytesFetched,
      verifiedBy: result.verifiedBy,
      milliseconds,
      directory,
      lock: pinned,
      exit,
    };
    await write(run.terminal.out, `${toJson({ type: 'summary', ...summary })}\n`);
    return exit;
  }
  const word = exit === 0 ? run.out.green('complete') : run.out.red('incomplete');
  await write(
    run.terminal.out,
    `${word}: ${formatCount(fetched)} fetched (${formatBytes(bytesFetched)} in ${formatSeconds(milliseconds / 1000)}), ${formatCount(present)} already here, ${formatCount(failed.length)} failed; TCIA gives no digests of these files\nfiles in ${where}${pinned === null ? '' : `, pinned by ${printable(pinned)}`}\n`,
  );
  return exit;
}

function exitOf({ failed, fetched, present }: TransferResult): ExitCode {
  const [first] = failed;
  if (first === undefined) return 0;
  return fetched + present > 0 ? 3 : exitCodeOf(first.error.code);
}
