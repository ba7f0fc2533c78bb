/** Adding tables to a version that is installed already, one process at a time. */
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CarrelError } from '../errors.ts';
import { stopIfAborted } from './abort.ts';
import {
  type CatalogFile,
  type CatalogFileEntry,
  readCatalogFile,
  sha256Of,
  sizeProblem,
  writeCatalogFile,
} from './catalog-file.ts';
import { describeInstalled, type InstalledCatalog } from './catalogs.ts';
import { hostTag, isAlive } from './layout.ts';

/**
 * Moves the tables of `incoming` that are new, or whose installed files are damaged, into `folder`; then `catalog.json`
 * is replaced in one step. Throws `bad-input` where an installed table of the same version has other bytes.
 */
export async function addToInstalled(options: {
  folder: string;
  incoming: string;
  content: CatalogFile;
  signal: AbortSignal | undefined;
}): Promise<InstalledCatalog> {
  const { folder, incoming, content } = options;
  return withLock(join(folder, '.lock'), options.signal, async () => {
    const installed = await readCatalogFile(folder);
    if (installed === undefined)
      throw new CarrelError('busy', `${folder} was removed meanwhile`, {
        item: folder,
        next: 'run the command again',
        retryable: true,
      });
    const tables = new Map(installed.tables.map((table) => [table.name, table]));
    const added: string[] = [];
    for (const table of content.tables) {
      const there = tables.get(table.name);
      const digests = table.files.map(({ sha256 }) => sha256).join();
      const same = there !== undefined && there.files.map(({ sha256 }) => sha256).join() === digests;
      if (there !== undefined && !same) {
        throw new CarrelError('bad-input', `another table ${table.name} is installed as ${content.version}`, {
          item: table.name,
          next: `remove the version first: carrel catalog remove ${content.version}`,
        });
      }
      if (there !== undefined && (await isWhole(folder, there.files))) continue;
      for (const file of table.files) {
        await mkdir(dirname(join(folder, file.path)), { recursive: true });
        await rename(join(incoming, file.path), join(folder, file.path));
      }
      tables.set(table.name, table);
      added.push(table.name);
    }
    const schemas = { ...installed.schemas };
    for (const [name, file] of Object.entries(content.schemas)) {
      if (schemas[name] !== undefined) continue;
      await rename(join(incoming, file.path), join(folder, file.path));
      schemas[name] = file;
    }
    const merged: CatalogFile = {
      ...installed,
      tables: [...tables.values()],
      schemas,
      sources: added.length === 0 ? installed.sources : [...installed.sources, ...content.sources],
    };
    const changed = added.length > 0 || Object.keys(schemas).length !== Object.keys(installed.schemas).length;
    if (changed) await writeCatalogFile(folder, merged);
    return describeInstalled(folder, merged, added);
  });
}

/** True where the installed bytes are still those that were installed; else they are replaced. */
async function isWhole(folder: string, files: CatalogFileEntry[]): Promise<boolean> {
  for (const file of files) {
    if ((await sizeProblem(folder, file)) !== undefined) return false;
    if ((await sha256Of(join(folder, file.path))) !== file.sha256) return false;
  }
  return true;
}

/** Holds a lock file while `work` runs. A lock whose process is gone is taken over; after `patienceMs` of waiting: `busy`. */
export async function withLock<T>(
  path: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
  patienceMs = 30_000,
  onWait?: () => void,
): Promise<T> {
  let waiting = false;
  const deadline = Date.now() + patienceMs;
  for (;;) {
    stopIfAborted(signal);
    try {
      const file = await open(path, 'wx');
      await file.writeFile(`${hostTag()} ${process.pid}`);
      await file.close();
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (await isAbandoned(path)) await rm(path, { force: true });
      else if (Date.now() > deadline) {
        throw new CarrelError(
          'busy',
          `another process has been changing ${dirname(path)} for ${patienceMs / 1000} s`,
          {
            item: path,
            next: 'wait for it; if there is none, delete the lock file',
            retryable: true,
          },
        );
      } else {
        if (!waiting) onWait?.();
        waiting = true;
        await sleep(50, undefined, { signal }).catch(() => undefined);
      }
    }
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

/** True for the lock of a process of this machine that is gone, and for one that was never filled in. */
async function isAbandoned(path: string): Promise<boolean> {
  const [host, pid] = (await readFile(path, 'utf8').catch(() => '')).split(' ');
  if (pid === undefined) {
    const made = await stat(path).catch(() => undefined);
    return made !== undefined && Date.now() - made.mtimeMs > 10_000;
  }
  return host === hostTag() && !isAlive(Number(pid));
}
