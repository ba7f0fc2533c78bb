/** `carrel get --to tar|zip`: the whole cohort as one file or one stream. */
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { type CohortPlan, type GetOptions, getArchive, type Tools } from '../cohort/index.ts';
import { CarrelError } from '../errors.ts';
import type { Run } from './command.ts';
import { toJson } from './output/json.ts';
import { createProgress } from './output/progress.ts';
import { formatBytes, formatCount, formatSeconds } from './output/text.ts';
import { printable, shortPath, write } from './terminal.ts';

/** Where the archive goes: undefined for stdout. Throws `usage` for what cannot take one. */
export function archivePath(run: Run, output: string): string | undefined {
  if (output === '.')
    throw new CarrelError('usage', 'an archive needs a file: -o FILE, or -o - for stdout', { item: '-o' });
  if (output !== '-') return resolve(run.terminal.cwd, output);
  if (run.json)
    throw new CarrelError('usage', '--json and -o - would both write to stdout', {
      item: '--json',
      next: 'give a file with -o FILE',
    });
  if ((run.terminal.out as { isTTY?: boolean }).isTTY === true)
    throw new CarrelError('usage', 'an archive does not go to a terminal', {
      item: '-o -',
      next: 'give a file with -o FILE, or pipe it: carrel get … --to tar -o - | tar -x',
    });
  return undefined;
}

/** Fetches into the archive. A file appears when it is whole; a stream that breaks off has no end mark. */
export async function writeArchive(
  run: Run,
  plan: CohortPlan,
  tools: Tools,
  options: GetOptions & { format: 'tar' | 'zip'; path: string | undefined },
): Promise<void> {
  const { path } = options;
  // A device or a pipe is written to as it is: what is renamed onto it would take its place.
  const info = path === undefined ? undefined : await stat(path).catch(() => undefined);
  if (info?.isDirectory() === true)
    throw new CarrelError('usage', `${path} is a folder; an archive needs a file`, {
      item: path,
      next: '-o FILE',
    });
  const asItIs = info !== undefined && !info.isFile();
  const temporary = path === undefined || asItIs ? path : `${path}.${process.pid}.part`;
  const handle = temporary === undefined ? undefined : await openFor(temporary);
  // Stdout is the archive: what is said goes to stderr.
  const out = path === undefined ? run.terminal.err : run.terminal.out;
  const progress = await createProgress({ ...run, terminal: { ...run.terminal, out } });
  try {
    const { totals } = await getArchive(plan, tools, {
      ...options,
      spool: path === undefined || asItIs ? undefined : dirname(path),
      onEvent: progress.report,
      async write(bytes) {
        if (handle !== undefined) await handle.writeFile(bytes);
        else if (!(await write(run.terminal.out, bytes))) throw unwritten(run);
      },
    }).finally(progress.end);
    if (handle !== undefined && temporary !== undefined && path !== undefined) {
      if (!asItIs) await handle.sync();
      await handle.close();
      if (!asItIs) await rename(temporary, path);
    }
    const { planned, fetched, bytesFetched, milliseconds, verifiedBy, requests } = totals;
    const where = path === undefined ? '-' : shortPath(run.terminal.cwd, path);
    if (run.json) {
      const summary = { planned, fetched, failed: 0, bytesFetched, verifiedBy, requests, milliseconds };
      await write(out, `${toJson({ type: 'summary', ...summary, archive: where, exit: 0 })}\n`);
      return;
    }
    const evidence = Object.entries(verifiedBy).map(([kind, count]) => `${formatCount(count)} by ${kind}`);
    await write(
      out,
      `complete: ${formatCount(fetched)} files (${formatBytes(bytesFetched)} in ${formatSeconds(milliseconds / 1000)}), verified: ${evidence.join(', ')}, and carrel.lock.json in ${printable(where)}\n`,
    );
  } catch (error) {
    if (handle !== undefined && temporary !== undefined) {
      await handle.close().catch(() => {});
      if (!asItIs) await rm(temporary, { force: true });
    }
    throw error;
  }
}

/** Why stdout took no more. */
function unwritten(run: Run): CarrelError {
  const cause = (run.terminal.out as Writable).errored;
  return (cause as { code?: unknown } | null)?.code === 'ENOSPC'
    ? new CarrelError('no-space', 'the disk behind stdout is full', { item: '-o -', cause })
    : new CarrelError('interrupted', 'whoever read the archive stopped reading', { item: '-o -', cause });
}

async function openFor(path: string): Promise<FileHandle> {
  return await open(path, 'w').catch((cause: unknown) => {
    throw new CarrelError('permission', `cannot write ${path}: ${(cause as Error).message}`, {
      item: path,
      cause,
    });
  });
}
