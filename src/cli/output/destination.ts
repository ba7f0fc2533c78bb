/** Where an answer goes: stdout, or a file that appears under its name when it is whole. */
import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { CarrelError } from '../../errors.ts';
import { type Terminal, write } from '../terminal.ts';

/** Runs some work whose stdout is the file named by `-o`; without one it is the terminal's. */
export async function withDestination<T>(
  terminal: Terminal,
  output: string | undefined,
  work: (terminal: Terminal) => Promise<T>,
): Promise<T> {
  if (output === undefined) return await work(terminal);
  const target = resolve(terminal.cwd, output);
  const part = join(dirname(target), `.${basename(target).slice(0, 100)}.${randomUUID()}.part`);
  const stream = createWriteStream(part, { flags: 'wx' });
  // Awaited below; until then a failure must not end the process.
  const ended = finished(stream);
  ended.catch(() => undefined);
  try {
    const result = await work({ ...terminal, out: stream });
    stream.end();
    await ended.catch((cause: unknown) => {
      throw cannotWrite(target, cause);
    });
    await rename(part, target).catch((cause: unknown) => {
      throw cannotWrite(target, cause);
    });
    return result;
  } finally {
    stream.destroy();
    await rm(part, { force: true });
  }
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
  if (output !== undefined) return await work(resolve(terminal.cwd, output));
  if (terminal.out.isTTY === true) {
    throw new CarrelError('usage', 'Parquet is not for terminals', {
      next: 'name a file with -o FILE, or send it through a pipe',
    });
  }
  const folder = await mkdtemp(join(tmpdir(), 'carrel-answer-'));
  try {
    const path = join(folder, 'answer');
    const result = await work(path);
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
  return new CarrelError(
    full ? 'no-space' : 'permission',
    `cannot write ${target}: ${(cause as Error).message}`,
    {
      item: target,
      next: full
        ? 'make room, or name a file elsewhere'
        : 'name a file in a folder that exists and that you may write to',
      cause,
    },
  );
}
