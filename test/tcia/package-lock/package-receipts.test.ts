/** Receipts of packages: the lines of docs/receipts.md, and what upstream did not prove. */
import { createHash } from 'node:crypto';
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { receiptSchema } from '../../../src/cohort/receipt-schema.ts';
import { CarrelError } from '../../../src/errors.ts';
import { createPackageLock, openPackageReceipts, printPackageLock } from '../../../src/tcia/index.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carrel-package-receipts-'));
});
afterEach(async () => await rm(folder, { recursive: true, force: true }));

const MD5 = 'md5:d41d8cd98f00b204e9800998ecf8427e' as const;
const NAME = { host: 'faspex.example', packageId: '739', path: 'SVS/a: b.svs', local: 'SVS/a_ b.svs' };
const HOW = { bytes: 7, transport: 'ascp 4.4.7', attempts: 1, milliseconds: 12.6 };
const HEADER = { command: 'tcia get', version: '0.1.0' };

async function lines(): Promise<Record<string, unknown>[]> {
  const text = await readFile(join(folder, 'carrel.receipts.jsonl'), 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line.startsWith('{"type"') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('every line has the published form, and says what proved the bytes', async () => {
  const receipts = openPackageReceipts(folder, HEADER);
  receipts.file({ ...NAME, ...HOW, digest: MD5, evidence: 'sums' });
  receipts.file({ ...NAME, ...HOW, digest: null, evidence: 'size' });
  receipts.file({ ...NAME, ...HOW, digest: MD5, evidence: 'own' });
  receipts.file({ ...NAME, ...HOW, digest: null, evidence: 'none' });
  receipts.present();
  const lock = createPackageLock([]);
  receipts.end(lock);
  const found = await lines();
  for (const line of found) expect(v.safeParse(receiptSchema, line).success, JSON.stringify(line)).toBe(true);
  expect(found[0]).toMatchObject({ type: 'run', receipts: 1, ...HEADER, archive: 'tcia', release: null });
  expect(found[1]).toEqual({
    type: 'file',
    run: found[0]?.['run'],
    key: 'faspex.example/739/SVS/a: b.svs',
    path: 'SVS/a_ b.svs',
    bytes: 7,
    digest: MD5,
    verifiedBy: 'md5',
    how: 'fetched',
    mirror: 'ascp 4.4.7',
    attempts: 1,
    milliseconds: 13,
    evidence: 'sums',
  });
  expect(found.slice(2, 5)).toMatchObject([
    { verifiedBy: 'size', evidence: 'size', note: 'upstream gave no digest' },
    { verifiedBy: 'none', evidence: 'own', digest: MD5, note: 'upstream gave no digest' },
    { verifiedBy: 'none', evidence: 'none', note: 'upstream gave no digest' },
  ]);
  expect(found[5]).toMatchObject({
    type: 'end',
    fetched: 4,
    present: 1,
    failed: 0,
    lock: `sha256:${createHash('sha256').update(printPackageLock(lock)).digest('hex')}`,
  });
});

test('a run that fetches nothing and fails nowhere writes nothing', async () => {
  const receipts = openPackageReceipts(folder, HEADER);
  receipts.present();
  receipts.end(createPackageLock([]));
  expect(await lines()).toEqual([]);
});

test('a failure has a line, without the secrets of a link', async () => {
  const receipts = openPackageReceipts(folder, HEADER);
  const message =
    'https://u:pw@faspex.example/aspera/faspex/public?context=eyJwYXNzY29kZSI6InMifQ failed, passcode=d846fe and token: ATM2_x';
  receipts.failure({ ...NAME, attempts: 2, error: new CarrelError('network', message) });
  receipts.end(undefined);
  const found = await lines();
  expect(found.map(({ type }) => type)).toEqual(['run', 'failure', 'end']);
  expect(found[1]).toMatchObject({ code: 'network', attempts: 2 });
  expect(JSON.stringify(found)).not.toMatch(/eyJ|d846fe|ATM2|u:pw/);
  expect(found[2]).toMatchObject({ failed: 1, lock: null });
});

test('lines come after one that a kill tore', async () => {
  await appendFile(join(folder, 'carrel.receipts.jsonl'), '{"type":"file","run":"1');
  const receipts = openPackageReceipts(folder, HEADER);
  receipts.file({ ...NAME, ...HOW, digest: MD5, evidence: 'sums' });
  receipts.end(undefined);
  expect((await lines()).map(({ type }) => type)).toEqual(['run', 'file', 'end']);
});
