/** `carrel.receipts.jsonl`: what was fetched when and how it was proven; appended, never changed. */
import { createHash } from 'node:crypto';
import { appendFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { receiptSchemaText } from '../../scripts/write-receipt-schema.ts';
import { receiptSchema } from '../../src/cohort/receipt-schema.ts';
import { filesBelow, jsonLines, openReadingRoom, type ReadingRoom } from './carrel.ts';

let room: ReadingRoom;
const question = ['--collection', 'sample_pet', '--modality', 'CT', '--limit', '1'];

beforeAll(async () => {
  room = await openReadingRoom();
});
afterAll(async () => await room?.close());
beforeEach(() => {
  room.s3.faults.length = 0;
  room.gcs.faults.length = 0;
});

const receiptsOf = async (folder: string) => await readFile(join(folder, 'carrel.receipts.jsonl'), 'utf8');

test('every file has its line; the last one names the lock file; a run that does nothing adds nothing', async () => {
  const folder = await room.newFolder();
  expect((await room.run(['get', ...question, '-o', folder])).code).toBe(0);
  const text = await receiptsOf(folder);
  const lines = jsonLines(text);
  const lock = await readFile(join(folder, 'carrel.lock.json'));
  const files = await filesBelow(folder);
  expect(lines[0]).toMatchObject({ type: 'run', receipts: 1, command: 'get', release: 'v3' });
  expect(lines.at(-1)).toMatchObject({
    type: 'end',
    fetched: files.size,
    failed: 0,
    lock: `sha256:${createHash('sha256').update(lock).digest('hex')}`,
  });
  for (const line of lines) expect(v.safeParse(receiptSchema, line).success, JSON.stringify(line)).toBe(true);
  expect(await readFile('docs/carrel-receipts.schema.json', 'utf8')).toBe(receiptSchemaText());
  const receipts = lines.filter(({ type }) => type === 'file');
  expect(receipts.map(({ path }) => path).sort((a, b) => (String(a) < String(b) ? -1 : 1))).toEqual(
    [...files.keys()].sort(),
  );
  for (const receipt of receipts) {
    const bytes = files.get(String(receipt['path'])) ?? Buffer.of();
    expect(receipt).toMatchObject({
      bytes: bytes.length,
      digest: `md5:${createHash('md5').update(bytes).digest('hex')}`,
      verifiedBy: 'md5',
      how: 'fetched',
      mirror: 'aws',
      attempts: 1,
    });
  }
  expect((await room.run(['get', ...question, '-o', folder])).code).toBe(0);
  expect(await receiptsOf(folder)).toBe(text);
});

test('a later run is added after the line that a kill tore; failures have lines too', async () => {
  const folder = await room.newFolder();
  await room.run(['get', ...question, '-o', folder]);
  const before = await receiptsOf(folder);
  await appendFile(join(folder, 'carrel.receipts.jsonl'), '{"type":"fil');
  const [gone = '', other = ''] = [...(await filesBelow(folder)).keys()];
  await rm(join(folder, gone));
  await rm(join(folder, other));
  const name = gone.split('/').at(-1) ?? '';
  for (const server of [room.s3, room.gcs])
    server.faults.push({ path: name, fault: { kind: 'status', status: 403 } });
  await room.run(['get', ...question, '-o', folder]);
  const after = await receiptsOf(folder);
  expect(after.startsWith(`${before}{"type":"fil\n`)).toBe(true);
  const added = jsonLines(after.slice(before.length).replace('{"type":"fil\n', ''));
  expect(added.map(({ type }) => type).sort((a, b) => (String(a) < String(b) ? -1 : 1))).toEqual([
    'end',
    'failure',
    'file',
    'run',
  ]);
  expect(added.find(({ type }) => type === 'failure')).toMatchObject({ path: gone, code: 'permission' });
});

test('a run that is killed leaves the receipts of what it had, a second ago at the latest', async () => {
  const folder = await room.newFolder();
  room.s3.faults.push({ path: '.dcm', fault: { kind: 'delay', milliseconds: 400 } });
  const { child, done } = room.start(['get', ...question, '-o', folder, '--jobs', '2']);
  const written = async () => (await receiptsOf(folder).catch(() => '')).includes('"type":"file"');
  while (child.exitCode === null && !(await written()))
    await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill('SIGKILL');
  await done;
  const kinds = jsonLines(await receiptsOf(folder)).map(({ type }) => type);
  expect(kinds[0]).toBe('run');
  expect(kinds).not.toContain('end');
});
