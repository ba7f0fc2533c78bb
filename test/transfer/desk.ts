/** A destination for one test, and the plans and looks at the disk that all tests of this room share. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Source } from '../../src/locations/location.ts';
import type { OpenStore, Place, Store } from '../../src/stores/index.ts';
import type { PlannedFile, TransferEvent } from '../../src/transfer/index.ts';
import { md5 } from '../fixtures/memory-store.ts';

/** A folder that goes away with the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'carrel-transfer-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Every file below a folder with its path, the state folder left out. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((path) => !path.startsWith('.carrel/'))
    .sort();
}

/** What is left of the engine's own files, without the journal, which stays. */
export async function leftovers(folder: string): Promise<string[]> {
  const names = await readdir(join(folder, '.carrel'), { recursive: true });
  return names.filter((name) => name !== 'journal.jsonl').sort();
}

/** The bytes of a file. */
export async function read(folder: string, path: string): Promise<Buffer> {
  return await readFile(join(folder, path));
}

/** A plan for these bytes, with MD5, from one place or several. */
export function planOf(
  contents: Record<string, Uint8Array>,
  sources: { mirror: string; place: Place }[],
  change: (file: PlannedFile) => PlannedFile = (file) => file,
): PlannedFile[] {
  return Object.entries(contents).map(([path, bytes]) =>
    change({
      path,
      size: bytes.length,
      digests: [md5(bytes)],
      sources: sources.map((source): Source => ({ ...source, key: path })),
    }),
  );
}

/** Opens stores by the bucket's name. */
export function opener(stores: Store[]): OpenStore {
  return (place) => {
    const found = stores.find(
      (store) => store.place.bucket === place.bucket && store.place.endpoint === place.endpoint,
    );
    if (found === undefined) throw new Error(`no store for ${place.bucket}`);
    return found;
  };
}

/** Random bytes for some paths. */
export function randomFiles(count: number, bytes: number, prefix = 'series'): Record<string, Buffer> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `${prefix}/${String(index).padStart(5, '0')}.dcm`,
      randomBytes(bytes),
    ]),
  );
}

/** Collects events of one kind. */
export function eventsOf<T extends TransferEvent['type']>(events: TransferEvent[], type: T) {
  return events.filter((event): event is Extract<TransferEvent, { type: T }> => event.type === type);
}

/** Waits that are too short to notice. */
export const QUICK = { baseMs: 1, capMs: 4 };
