/**
 * One transfer per folder: a lock file with the process that holds it.
 */
import { link, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import * as v from 'valibot';
import { CarrelError } from '../errors.ts';
import { systemCode } from './disk-error.ts';

/** How often a holder shows that it lives. */
const HEARTBEAT_MS = 30_000;

/** A lock of another host (a shared file system) is left over when its holder was silent for so long. */
const SILENT_MS = 10 * 60_000;

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
  for (let round = 0; ; round += 1) {
    if (await create(file, text)) break;
    const found = await readLock(file);
    if (found === undefined) continue;
    if (round >= 20 || (await isHeld(found, mine))) throw busy(found.holder, file);
    await removeStale(file, found.text);
  }
  ours.add(file);
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

interface Found {
  text: string;
  holder: Holder | undefined;
  silentMs: number;
}

async function isHeld({ holder, silentMs }: Found, mine: Holder): Promise<boolean> {
  // Half written: its owner is writing it now, or was killed doing so.
  if (holder === undefined) return silentMs < 2_000;
  if (holder.host !== mine.host) return silentMs < SILENT_MS;
  if (holder.pid === mine.pid && holder.started === mine.started) return false; // not in `ours`: left over
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
    return { text, holder: parsed.success ? parsed.output : undefined, silentMs: Date.now() - mtimeMs };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Moves a left-over lock away; puts it back if it is not the one that was judged (another process was faster). */
async function removeStale(file: string, judged: string): Promise<void> {
  const aside = `${file}.stale.${process.pid}`;
  try {
    await rename(file, aside);
    if ((await readFile(aside, 'utf8')) !== judged) await link(aside, file).catch(() => {});
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  } finally {
    await rm(aside, { force: true });
  }
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
