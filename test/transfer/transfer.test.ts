import { randomBytes } from 'node:crypto';
import { mkdir, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CarrelError } from '../../src/errors.ts';
import { resultUntil, type TransferEvent, transfer } from '../../src/transfer/index.ts';
import { createMemoryStore, md5, memoryPlace, sha256 } from '../fixtures/memory-store.ts';
import { eventsOf, filesIn, leftovers, opener, planOf, QUICK, randomFiles, read, temporaryFolder } from './desk.ts';

const AWS = { mirror: 'aws', place: memoryPlace };
const GCS = { mirror: 'gcs', place: { ...memoryPlace, bucket: 'other' } };

/** A reset by the server. */
const reset = () => new CarrelError('network', 'connection reset', { retryable: true });

describe('a transfer', () => {
  test('puts every file under its name, proven, and leaves nothing else', async () => {
    const directory = await temporaryFolder();
    const contents = { ...randomFiles(20, 30_000), 'a/large.dcm': randomBytes(3_000_000), empty: Buffer.alloc(0) };
    const store = createMemoryStore(contents);
    const events: TransferEvent[] = [];
    const result = await transfer(planOf(contents, [AWS]), {
      directory,
      openStore: opener([store]),
      onEvent: (event) => events.push(event),
    });
    expect(result).toMatchObject({ planned: 22, fetched: 22, present: 0, failed: [], requests: 22 });
    expect(result.verifiedBy).toEqual({ md5: 22 });
    expect(result.bytesFetched).toBe(3_600_000);
    expect(await filesIn(directory)).toEqual(Object.keys(contents).sort());
    for (const [path, bytes] of Object.entries(contents)) expect(await read(directory, path)).toEqual(bytes);
    expect(await leftovers(directory)).toEqual([]);
    expect(events[0]).toEqual({ type: 'plan', files: 22, bytes: 3_600_000, present: 0, presentBytes: 0 });
    expect(eventsOf(events, 'file')).toHaveLength(22);
    expect(eventsOf(events, 'progress').at(-1)).toMatchObject({ files: 22, bytes: 3_600_000, totalBytes: 3_600_000 });
  });

  test('a second run makes no request and reads no file', async () => {
    const directory = await temporaryFolder();
    const contents = randomFiles(10, 1000);
    const store = createMemoryStore(contents);
    const plan = planOf(contents, [AWS]);
    await transfer(plan, { directory, openStore: opener([store]) });
    store.requests.length = 0;
    // Same size and time, other bytes: whoever reads the file again notices, whoever trusts the record does not.
    const path = join(directory, plan[0]!.path);
    const { atime, mtime, mtimeNs } = await stat(path, { bigint: true });
    const events: TransferEvent[] = [];
    const result = await transfer(plan, { directory, openStore: opener([store]), onEvent: (event) => events.push(event) });
    expect(store.requests).toEqual([]);
    expect(result).toMatchObject({ planned: 10, fetched: 0, present: 10, requests: 0, bytesFetched: 0 });
    expect(result.files.every(({ how, verifiedBy }) => how === 'present' && verifiedBy === 'md5')).toBe(true);
    expect(eventsOf(events, 'note')).toEqual([]);
    expect([atime, mtime, mtimeNs]).toBeDefined();
  });
});
