import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lockFolder } from '../../src/transfer/state/folder-lock.ts';
import { temporaryFolder } from './desk.ts';

const lockFile = async () => join(await temporaryFolder(), 'lock');

describe('the lock of a folder', () => {
  test('is held by one run at a time and leaves nothing behind', async () => {
    const file = await lockFile();
    const unlock = await lockFolder(file);
    await expect(lockFolder(file)).rejects.toMatchObject({
      code: 'busy',
      message: `process ${process.pid} on ${hostname()} is already working in this folder`,
    });
    await unlock();
    await (await lockFolder(file))();
    expect(await readdir(join(file, '..'))).toEqual([]);
  });

  test('of a process that lives is respected', async () => {
    const file = await lockFile();
    const child = spawn('sleep', ['60']);
    try {
      const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8').catch(() => '');
      const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
      await writeFile(file, JSON.stringify({ pid: child.pid, host: hostname(), started }));
      await expect(lockFolder(file)).rejects.toMatchObject({
        code: 'busy',
        message: expect.stringContaining(`${child.pid}`),
      });
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await (await lockFolder(file))();
  });

  test('of another process with the same number is taken over', async () => {
    const file = await lockFile();
    await writeFile(file, JSON.stringify({ pid: process.ppid, host: hostname(), started: 'long ago' }));
    await (await lockFolder(file))();
  });

  test('of our own number, left by a container that was killed, is taken over', async () => {
    const file = await lockFile();
    const unlock = await lockFolder(file);
    const text = await readFile(file, 'utf8');
    await unlock();
    await writeFile(file, text);
    await (await lockFolder(file))();
  });

  test('of another host counts until it has been silent for ten minutes', async () => {
    const file = await lockFile();
    await writeFile(file, JSON.stringify({ pid: 1, host: 'elsewhere', started: '' }));
    await expect(lockFolder(file)).rejects.toMatchObject({ code: 'busy' });
    const old = Date.now() / 1000 - 601;
    await utimes(file, old, old);
    await (await lockFolder(file))();
  });

  test('left over twice, by a process that was killed and by one that was killed clearing away, is waited for and taken', async () => {
    const file = await lockFile();
    await writeFile(file, JSON.stringify({ pid: process.ppid, host: hostname(), started: 'long ago' }));
    await writeFile(`${file}.takeover`, '12345\n');
    await (await lockFolder(file))();
    expect(await readdir(join(file, '..'))).toEqual([]);
  });

  test('what a process left that was killed clearing one away is cleared away at once, be there a lock or not', async () => {
    const file = await lockFile();
    const gone = JSON.stringify({ pid: process.ppid, host: hostname(), started: 'long ago' });
    await writeFile(`${file}.takeover`, gone);
    await (await lockFolder(file))();
    expect(await readdir(join(file, '..'))).toEqual([]);
    await writeFile(file, gone);
    await writeFile(`${file}.takeover`, gone);
    await (await lockFolder(file))();
    expect(await readdir(join(file, '..'))).toEqual([]);
  });

  test('what a process left that was killed making one is cleared away', async () => {
    const file = await lockFile();
    await writeFile(`${file}.4194999`, '{}');
    await writeFile(`${file}.${process.ppid}`, '{}');
    await (await lockFolder(file))();
    expect(await readdir(join(file, '..'))).toEqual([`lock.${process.ppid}`]);
  });

  test('that is half written counts for a moment only', async () => {
    const file = await lockFile();
    await writeFile(file, '{"pid":');
    await expect(lockFolder(file)).rejects.toMatchObject({ code: 'busy' });
    const old = Date.now() / 1000 - 5;
    await utimes(file, old, old);
    await (await lockFolder(file))();
  });

  test('left over is taken by exactly one of many processes', async () => {
    const file = await lockFile();
    await writeFile(file, JSON.stringify({ pid: 999_999_999, host: hostname(), started: '1' }));
    const children = Array.from({ length: 6 }, () =>
      spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'take-lock.ts'), file], {
        stdio: ['pipe', 'pipe', 'inherit'],
      }),
    );
    const answers = await Promise.all(
      children.map(async (child) => String((await once(child.stdout, 'data'))[0])),
    );
    expect(answers.sort()).toEqual(['busy\n', 'busy\n', 'busy\n', 'busy\n', 'busy\n', 'taken\n']);
    await Promise.all(
      children.map(async (child) => {
        child.stdin.end();
        await once(child, 'exit');
      }),
    );
    expect(await readdir(join(file, '..'))).toEqual([]);
  });

  test('two runs of one process are told apart, too', async () => {
    const file = await lockFile();
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(file)));
    const taken = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(taken).toHaveLength(1);
    await Promise.all(taken.map((unlock) => unlock()));
  });
});
