/**
 * One transfer per folder: a lock file with the process that holds it.
 */
import { link, open, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { CarrelError } from '../../errors.ts';
import { systemCode } from '../disk-error.ts';

/** How often a holder shows that it lives. */
const HEARTBEAT_MS = 30_000;

/** A lock of another host (a shared file system) is left over when its holder was silent for so long. */
const SILENT_MS = 10 * 60_000;

/** The removal of a left-over lock takes milliseconds; its own lock is left over after this. */
const GUARD_MS = 3_000;

const holderShape = v.object({ pid: v.number(), host: v.string(), started: v.string() });

/** Who holds a lock. `started` tells a process from a later one with the same pid. */
type Holder = v.InferOutput<typeof holderShape>;

/** Locks of this process: pid and start time cannot tell two runs within one process apart. */
const ours = new Set<string>();

/**
 * Takes the lock at `file`. A lock whose process is gone is taken over.
 *
 * @returns how to give it back.
 * @throws CarrelError `busy`, naming the process, where another transfer works in the folder.
 */
export async function lockFolder(file: string): Promise<() => Promise<void>> {
  const mine: Holder = { pid: process.pid, host: hostname(), started: await startOf(process.pid) };
  const text = `${JSON.stringify(mine)}\n`;
  if (ours.has(file)) throw busy(mine, file);
  ours.add(file);
  try {
    await take(file, text, mine);
  } catch (error) {
    ours.delete(file);
    throw error;
  }
  await clearBeside(file, mine);
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => {});
  }, HEARTBEAT_MS);
  heartbeat.unref();
  return async () => {
    clearInterval(heartbeat);
    ours.delete(file);
    await rm(file, { force: true });
  };
}

/**
 * Creates the lock, and clears away what is left over of another. A process that was killed while it cleared away is waited
 * for until its own lock counts as left over.
 */
async function take(file: string, text: string, mine: Holder): Promise<void> {
  const until = performance.now() + 2 * GUARD_MS;
  do {
    if (await create(file, text)) return;
    const found = await readLock(file);
    if (found !== undefined && (await isHeld(found, mine))) throw busy(found.holder, file);
    if (!(await removeStale(file, text, mine))) await sleep(50);
  } while (performance.now() < until);
  throw busy(undefined, file);
}

interface Found {
  holder: Holder | undefined;
  silentMs: number;
}

async function isHeld({ holder, silentMs }: Found, mine: Holder): Promise<boolean> {
  // Half written: its owner is writing it now, or was killed doing so.
  if (holder === undefined) return silentMs < 2_000;
  if (holder.host !== mine.host) return silentMs < SILENT_MS;
  // Our own pid and yet not ours: left by a container that was killed, or by a caller that was in the way before.
  if (holder.pid === mine.pid && holder.started === mine.started) return false;
  return isAlive(holder.pid) && (await startOf(holder.pid)) === holder.started;
}

/** The lock appears whole or not at all: written beside, then linked. */
async function create(file: string, text: string): Promise<boolean> {
  const beside = `${file}.${process.pid}`;
  const handle = await open(beside, 'w');
  await handle.writeFile(text);
  await handle.close();
  try {
    await link(beside, file);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    // File systems without hard links: exclusive creation, which may be seen half written.
    return await createExclusive(file, text);
  } finally {
    await rm(beside, { force: true });
  }
}

/** Removes what processes left that were killed while they made a lock, or while they cleared one away. */
async function clearBeside(file: string, mine: Holder): Promise<void> {
  await clearGuard(`${file}.takeover`, mine);
  for (const name of await readdir(dirname(file)).catch(() => [])) {
    const pid = name.startsWith(`${basename(file)}.`) ? Number(name.slice(basename(file).length + 1)) : 0;
    if (Number.isSafeInteger(pid) && pid > 0 && !isAlive(pid))
      await rm(join(dirname(file), name), { force: true });
  }
}

async function createExclusive(file: string, text: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(text);
    await handle.close();
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function readLock(file: string): Promise<Found | undefined> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(file, 'utf8'), stat(file)]);
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), holderShape), text);
    return { holder: parsed.success ? parsed.output : undefined, silentMs: Date.now() - mtimeMs };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Removes a left-over lock. Only who holds a second lock may do so, and looks again before: otherwise a process that
 * had judged the old lock could remove the one that a faster process made meanwhile. False where another holds it.
 */
async function removeStale(file: string, text: string, mine: Holder): Promise<boolean> {
  const guard = `${file}.takeover`;
  if (!(await createExclusive(guard, text))) {
    await clearGuard(guard, mine);
    return false;
  }
  try {
    const found = await readLock(file);
    if (found !== undefined && !(await isHeld(found, mine))) await rm(file, { force: true });
    return true;
  } finally {
    await rm(guard, { force: true });
  }
}

/** Removes the lock of a removal whose process is gone, or that has taken far too long. */
async function clearGuard(guard: string, mine: Holder): Promise<void> {
  const found = await readLock(guard);
  if (found === undefined) return;
  const gone = found.holder?.host === mine.host && !(await isHeld(found, mine));
  if (gone || found.silentMs > GUARD_MS) await rm(guard, { force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

/** When a process started, in ticks since boot (proc(5), field 22); empty where the system does not say. */
async function startOf(pid: number): Promise<string> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name of the command stands in parentheses and may hold anything, blanks and parentheses included.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function busy(holder: Holder | undefined, file: string): CarrelError {
  const who = holder === undefined ? 'another process' : `process ${holder.pid} on ${holder.host}`;
  return new CarrelError('busy', `${who} is already working in this folder`, {
    item: file,
    next: 'wait for it to end, or choose another folder',
    retryable: true,
  });
}
