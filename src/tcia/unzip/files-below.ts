/** Files that appear below one folder when they are whole, and never outside of it. */
import { type FileHandle, mkdir, open, realpath, rename, rm } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { CarrelError, isCarrelError } from '../../errors.ts';
import { checkPlan } from '../../transfer/index.ts';

/** A file that is being written under the name `<local>.part`. */
export interface GrowingFile {
  write(chunk: Uint8Array): Promise<void>;
  /** Gives it its name; one of that name is replaced. */
  finish(): Promise<void>;
  /** Removes what was written. Does nothing after `finish`. */
  discard(): Promise<void>;
}

/** Opens files below a folder. */
export interface FilesBelow {
  /**
   * Begins a file and the folders above it. `local` has `/` between names and was seen by `checkLocals`.
   *
   * @throws CarrelError `unsafe` where a symbolic link would lead out of the folder; `no-space`, `permission`
   */
  begin(local: string, options?: { mode?: number | undefined }): Promise<GrowingFile>;
}

/**
 * Refuses names that could hurt: absolute, `..`, control characters, reserved by Windows, two files under one name.
 *
 * @throws CarrelError `unsafe`
 */
export function checkLocals(locals: readonly string[]): void {
  checkPlan(locals.map((path) => ({ path, digests: [], sources: [] })));
}

/** Files below `folder`, which exists. */
export function createFilesBelow(folder: string): FilesBelow {
  const seen = new Set<string>();
  let root: string | undefined;
  return {
    async begin(local, { mode = 0o666 } = {}) {
      const target = join(folder, ...local.split('/'));
      const part = `${target}.part`;
      return await onDisk(target, async () => {
        root ??= await realpath(folder);
        const parent = dirname(target);
        if (!seen.has(parent)) {
          await mkdir(parent, { recursive: true });
          const real = await realpath(parent);
          if (real !== root && !real.startsWith(root.endsWith(sep) ? root : `${root}${sep}`)) {
            throw new CarrelError('unsafe', `${local}: a symbolic link leads out of ${folder}`, {
              item: local,
              next: 'remove the link, or choose an empty folder',
            });
          }
          seen.add(parent);
        }
        await rm(part, { force: true });
        // Exclusive: a link that somebody puts there meanwhile is not followed.
        return growing(await open(part, 'wx', mode), part, target);
      });
    },
  };
}

function growing(file: FileHandle, part: string, target: string): GrowingFile {
  let state: 'open' | 'ended' = 'open';
  return {
    write: (chunk) => onDisk(target, () => file.writeFile(chunk)),
    finish: () =>
      onDisk(target, async () => {
        await file.close();
        await rename(part, target);
        state = 'ended';
      }),
    async discard() {
      if (state === 'ended') return;
      state = 'ended';
      await file.close().catch(() => {});
      await rm(part, { force: true });
    },
  };
}

async function onDisk<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (isCarrelError(cause)) throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    const full = code === 'ENOSPC' || code === 'EDQUOT';
    throw new CarrelError(full ? 'no-space' : 'permission', `${path}: ${(cause as Error).message}`, {
      item: path,
      next: full ? 'free some space, or choose another folder' : 'choose a folder that you may write to',
      cause,
    });
  }
}
