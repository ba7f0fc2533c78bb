/**
 * The destinations that were filled on this machine, so that the next one need not fetch what they hold: one line per
 * folder in `destinations.jsonl`, appended in one write and never changed. A line that a kill tore is passed over.
 */
import { appendFile, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { STATE_FOLDER } from '../transfer/index.ts';

const FILE = 'destinations.jsonl';

/** Lines above which the list is written anew, if most of them say nothing any more. */
const COMPACT_LINES = 200;

/** Notes a destination. Failures are silent: they cost only bytes that are fetched once more. */
export async function rememberDestination(stateDir: string, directory: string): Promise<void> {
  try {
    const { folders } = await readList(stateDir);
    if (folders[0] === directory) return;
    await mkdir(stateDir, { recursive: true });
    await appendFile(join(stateDir, FILE), `\n${JSON.stringify({ v: 1, directory })}\n`);
  } catch {
    // Read-only homes are common on clusters.
  }
}

/**
 * Destinations that are still there, the last used first. Those that are gone are left out, and off the list when it
 * has grown long (one that another process adds in this moment may be lost by that; it is noted by its next run).
 */
export async function knownDestinations(stateDir: string): Promise<string[]> {
  const { folders, lines } = await readList(stateDir).catch(() => ({ folders: [], lines: 0 }));
  const there = await Promise.all(
    folders.map((folder) =>
      stat(join(folder, STATE_FOLDER)).then(
        (info) => info.isDirectory(),
        () => false,
      ),
    ),
  );
  const kept = folders.filter((_, at) => there[at]);
  if (lines > COMPACT_LINES && lines > 2 * kept.length) await rewrite(stateDir, kept).catch(() => {});
  return kept;
}

async function readList(stateDir: string): Promise<{ folders: string[]; lines: number }> {
  const text = await readFile(join(stateDir, FILE), 'utf8').catch(() => '');
  const lines = text.split('\n').filter((line) => line !== '');
  const folders = new Set<string>();
  for (const line of lines.toReversed()) {
    const folder = folderIn(line);
    if (folder !== undefined) folders.add(folder);
  }
  return { folders: [...folders], lines: lines.length };
}

function folderIn(line: string): string | undefined {
  try {
    const value = JSON.parse(line) as { directory?: unknown };
    return typeof value.directory === 'string' ? value.directory : undefined;
  } catch {
    return undefined;
  }
}

async function rewrite(stateDir: string, folders: readonly string[]): Promise<void> {
  const temporary = join(stateDir, `.${FILE}.${process.pid}.tmp`);
  try {
    const lines = folders.toReversed().map((directory) => `${JSON.stringify({ v: 1, directory })}\n`);
    await writeFile(temporary, lines.join(''));
    await rename(temporary, join(stateDir, FILE));
  } finally {
    await rm(temporary, { force: true });
  }
}
