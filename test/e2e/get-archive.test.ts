/** A cohort as one file or one stream; and runs that stop where they are told to. */
import { spawnSync } from 'node:child_process';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { filesBelow, openReadingRoom, type ReadingRoom, summaryOf } from './carrel.ts';

let room: ReadingRoom;
const question = ['--collection', 'sample_pet', '--modality', 'CT'];

beforeAll(async () => {
  room = await openReadingRoom();
});
afterAll(async () => await room?.close());
beforeEach(() => {
  room.s3.faults.length = 0;
  room.gcs.faults.length = 0;
});

describe('carrel get --to', () => {
  test('tar writes to stdout what a plain get puts into a folder, lock file and all', async () => {
    const folder = await room.newFolder('plain');
    expect((await room.run(['get', ...question, '-o', folder])).code).toBe(0);
    const streamed = await room.run(['get', ...question, '--to', 'tar', '-o', '-']);
    expect(streamed.code).toBe(0);
    expect(streamed.stderr).toContain('complete: ');
    const unpacked = await room.newFolder('unpacked');
    await writeFile(join(unpacked, 'a.tar'), streamed.bytes);
    const file = join(await room.newFolder('file'), 'a.tar');
    expect((await room.run(['get', ...question, '--to', 'tar', '-o', file])).code).toBe(0);
    expect((await readFile(file)).equals(streamed.bytes)).toBe(true);
    if (spawnSync('tar', ['-xf', 'a.tar'], { cwd: unpacked }).error !== undefined) return;
    const found = await filesBelow(unpacked);
    found.delete('a.tar');
    const plain = await filesBelow(folder);
    expect([...found.keys()].sort()).toEqual([...plain.keys()].sort());
    for (const [path, bytes] of plain) expect(found.get(path)?.equals(bytes), path).toBe(true);
    expect(await readFile(join(unpacked, 'carrel.lock.json'), 'utf8')).toBe(
      await readFile(join(folder, 'carrel.lock.json'), 'utf8'),
    );
    expect((await room.run(['verify', unpacked])).code).toBe(0);
  });

  test.each(['tar', 'zip'])(
    '%s with a file that fails leaves no file, and a stream without its end',
    async (format) => {
      const name = [
        ...(room.facts.series
          .find((one) => one.collectionId === 'sample_pet' && one.modality === 'CT')
          ?.versions.at(-1)
          ?.instances.values() ?? []),
      ].at(-1);
      for (const server of [room.s3, room.gcs])
        server.faults.push({ path: `${name}.dcm`, fault: { kind: 'status', status: 403 } });
      const folder = await room.newFolder('broken');
      const file = await room.run(['get', ...question, '--to', format, '-o', join(folder, `a.${format}`)]);
      expect(file.code).toBe(8);
      expect(file.stderr).toContain('the archive ends before it');
      expect(await readdir(folder)).toEqual([]);
      const stream = await room.run(['get', ...question, '--to', format, '-o', '-']);
      expect(stream.code).toBe(8);
      if (format === 'tar') {
        expect(stream.bytes.subarray(-1024).equals(Buffer.alloc(1024))).toBe(false);
        // GNU tar forgives a missing end, so there must be more amiss than that.
        const { error, status } = spawnSync('tar', ['-tf', '-'], { input: stream.bytes });
        if (error === undefined) expect(status).not.toBe(0);
      } else expect(stream.bytes.includes('PK\x05\x06')).toBe(false);
    },
  );

  test.each([
    [['--to', 'tar']],
    [['--to', 'zip', '-o', '-', '--json']],
    [['--to', 'tar', '-o', 'a.tar', '--stop-after', '3']],
    [['--to', 'rar', '-o', 'a.rar']],
  ])('%j is refused', async (flags) => {
    expect((await room.run(['get', ...question, ...flags])).code).toBe(2);
  });
});

describe.skipIf(process.platform === 'win32')('a pipe as destination stays one', () => {
  test('of an archive, and of a lock file', async () => {
    const folder = await room.newFolder('pipes');
    const pipe = join(folder, 'pipe');
    spawnSync('mkfifo', [pipe]);
    for (const words of [
      ['--to', 'tar', '-o', pipe],
      ['-o', join(folder, 'files'), '--lock', pipe],
    ]) {
      const [came, end] = await Promise.all([readFile(pipe), room.run(['get', ...question, ...words])]);
      expect(end.code, end.stderr).toBe(0);
      expect(came.includes('carrel_lock') || came.includes('sample')).toBe(true);
      expect((await stat(pipe)).isFIFO()).toBe(true);
    }
    const refused = await room.run(['get', ...question, '--to', 'tar', '-o', folder]);
    expect(refused.code).toBe(2);
    // Receipts stand beside the lock file; nothing was put in place of the pipe, or moved aside.
    expect((await readdir(folder)).sort()).toEqual(['carrel.receipts.jsonl', 'files', 'pipe']);
  });
});

describe('carrel get --stop-after', () => {
  test('stops after so many new files or bytes; the lock file comes with the last ones', async () => {
    const folder = await room.newFolder('bit by bit');
    const get = (...flags: string[]) => room.run(['get', ...question, '-o', folder, '--json', ...flags]);
    const first = await get('--stop-after', '4', '--fetch-order', 'small');
    expect(first.code).toBe(3);
    expect(summaryOf(first)).toMatchObject({ stopped: true, fetched: 4, failed: 0 });
    expect(await readdir(folder)).not.toContain('carrel.lock.json');
    const left = Number(summaryOf(first)['left']);
    const second = await get('--stop-after', '1kB');
    expect(summaryOf(second)).toMatchObject({ fetched: 1, present: 4, left: left - 1 });
    const last = await get('--stop-after', '100000');
    expect(last.code).toBe(0);
    expect(summaryOf(last)).toMatchObject({ fetched: left - 1, present: 5 });
    expect(await readdir(folder)).toContain('carrel.lock.json');
  });

  test.each(['0', 'x', '-3'])('%s is no amount', async (amount) => {
    expect((await room.run(['get', ...question, '-o', 'x', '--stop-after', amount])).code).toBe(2);
  });
});
