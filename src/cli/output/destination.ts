/** Where an answer goes: stdout, or a file that appears under its name when it is whole. */
import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, realpath, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { finished, pipeline } from 'node:stream/promises';
import { CarrelError } from '../../errors.ts';
import { type Terminal, write } from '../terminal.ts';

/** Runs some work whose stdout is the file named by `-o`; without one it is the terminal's. */
export async function withDestination<T>(
  terminal: Terminal,
  output: string | undefined,
  work: (terminal: Terminal) => Promise<T>,
): Promise<T> {
  if (output === undefined) return await work(terminal);
  const { target, asItIs } = await targetOf(terminal, output);
  const part = asItIs
    ? target
    : join(dirname(target), `.${basename(target).slice(0, 100)}.${randomUUID()}.part`);
  const stream = createWriteStream(part, { flags: asItIs ? 'w' : 'wx' });
  // Awaited below; until then a failure must not end the process.
  const ended = finished(stream);
  ended.catch(() => undefined);
  try {
    const result = await work({ ...terminal, out: stream });
    stream.end();
    await ended.catch((cause: unknown) => {
      throw cannotWrite(target, cause);
    });
    if (!asItIs)
      await rename(part, target).catch((cause: unknown) => {
        throw cannotWrite(target, cause);
      });
    return result;
  } finally {
    stream.destroy();
    if (!asItIs) await rm(part, { force: true });
  }
}

/**
 * The file that `-o` means. A link is followed, so that it stays one; what is no file (`/dev/null`, a named pipe) is
 * written to as it is, for renaming something onto it would take its place. Throws `permission` for a folder.
 */
async function targetOf(terminal: Terminal, output: string): Promise<{ target: string; asItIs: boolean }> {
  if (output === '')
    throw new CarrelError('usage', '-o names no file', { next: 'name a file, or leave -o out for stdout' });
  const named = resolve(terminal.cwd, output);
  const target = await realpath(named).catch(() => named);
  const there = await stat(target).catch(() => undefined);
  if (there?.isDirectory() === true)
    throw new CarrelError('permission', `${named} is a folder`, {
      item: named,
      next: 'name a file in it',
    });
  return { target, asItIs: there !== undefined && !there.isFile() };
}

/**
 * Binary answers: to the file named by `-o`, or through a temporary file to a pipe; never to a terminal.
 *
 * @throws `usage` where stdout is a terminal
 */
export async function withBinaryDestination<T>(
  terminal: Terminal,
  output: string | undefined,
  work: (path: string) => Promise<T>,
): Promise<T> {
  const named = output === undefined ? undefined : await targetOf(terminal, output);
  if (named?.asItIs === false) return await work(named.target);
  if (named === undefined && terminal.out.isTTY === true) {
    throw new CarrelError('usage', 'Parquet is not for terminals', {
      next: 'name a file with -o FILE, or send it through a pipe',
    });
  }
  const folder = await mkdtemp(join(tmpdir(), 'carrel-answer-'));
  try {
    const path = join(folder, 'answer');
    const result = await work(path);
    if (named !== undefined) {
      await pipeline(createReadStream(path), createWriteStream(named.target)).catch((cause: unknown) => {
        throw cannotWrite(named.target, cause);
      });
      return result;
    }
    for await (const chunk of createReadStream(path))
      if (!(await write(terminal.out, chunk as Buffer))) break;
    return result;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function cannotWrite(target: string, cause: unknown): CarrelError {
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  const full = ['ENOSPC', 'EDQUOT'].includes(code);
  return new CarrelError(full ? 'no-space' : 'permission', `cannot write ${target}: ${reasonOf(cause)}`, {
    item: target,
    next: full
      ? 'make room, or name a file elsewhere'
      : 'name a file in a folder that exists and that you may write to',
    cause,
  });
}

/** The reason without the path of the temporary file, which nobody asked about. */
function reasonOf(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'its folder does not exist';
  if (code === 'ENOSPC') return 'no space is left';
  return /^[A-Z]+: ([^,]+),/.exec(message)?.[1] ?? message;
}
