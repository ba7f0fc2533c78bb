/**
 * One look at each file of a plan: is it there, how long, since when?
 *
 * From memory or a disk of this machine the answer comes in two microseconds, and a request to the pool of threads and back
 * takes ten times as long: there files are asked for one after the other. A server of files takes a thousand times longer:
 * where answers come slowly, several are asked for at once.
 */
import { type BigIntStats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { forEachLimited } from './for-each-limited.ts';

const AT_ONCE = 32;

/** Files between two pauses, in which signals are heard. */
const BATCH = 512;

/** Milliseconds after which a batch is cut short. */
const LONG_MS = 200;

/** Milliseconds for one answer, on the mean of a batch, above which it comes from elsewhere. */
const SLOW_MS = 0.25;

/** A regular file that is there. */
export interface SeenFile {
  size: number;
  /** Nanoseconds since 1970. */
  mtimeNs: string;
}

/**
 * Calls `onFile` for each file that is there, in no particular order. A folder that is missing is asked for once: most runs
 * begin with none of them there.
 *
 * @param directory absolute
 * @throws the reason of `signal`
 */
export async function lookAtFiles<File extends { path: string }>(
  directory: string,
  files: readonly File[],
  signal: AbortSignal,
  onFile: (file: File, index: number, seen: SeenFile) => void,
): Promise<void> {
  /** Folders of files that are not there: whether they are. */
  const folders = new Map<string, boolean>();
  const tell = (file: File, index: number, info: BigIntStats) => {
    if (info.isFile()) onFile(file, index, { size: Number(info.size), mtimeNs: info.mtimeNs.toString() });
  };
  let at = 0;
  for (let near = true; near && at < files.length; ) {
    signal.throwIfAborted();
    const started = performance.now();
    const first = at;
    for (; at < files.length && at < first + BATCH; at += 1) {
      if (at % 16 === 0 && performance.now() - started > LONG_MS) break;
      const file = files[at] as File;
      const folder = folderOf(file.path);
      if (folders.get(folder) === false) continue;
      const info = statOf(`${directory}/${file.path}`);
      if (info !== undefined) tell(file, at, info);
      else if (!folders.has(folder)) folders.set(folder, statOf(join(directory, folder)) !== undefined);
    }
    near = at - first > 0 && (performance.now() - started) / (at - first) < SLOW_MS;
    await setImmediate();
  }
  const rest = Array.from({ length: files.length - at }, (_, index) => at + index);
  await forEachLimited(rest, AT_ONCE, async (index) => {
    signal.throwIfAborted();
    const file = files[index] as File;
    const folder = folderOf(file.path);
    if (folders.get(folder) === false) return;
    const ask = (path: string) => stat(path, { bigint: true }).catch(() => undefined);
    const info = await ask(join(directory, file.path));
    if (info !== undefined) tell(file, index, info);
    else if (!folders.has(folder)) folders.set(folder, (await ask(join(directory, folder))) !== undefined);
  });
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash === -1 ? '' : path.slice(0, slash);
}

/** Whatever hinders the look: the file cannot be used as it is. */
function statOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
