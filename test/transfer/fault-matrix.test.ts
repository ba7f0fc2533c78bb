/**
 * The fault matrix: each case through each face, fetched by this thread and by a crew of two. It ends in right bytes or in a
 * failure that names the item and that a later run completes; never in a hang, never in wrong or half a file.
 */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PART_CASES, WIRE_CASES } from '../fixtures/fault-cases.ts';
import { type Face, type FaultRig, openFaultRig, play } from '../fixtures/fault-rig.ts';

let rig: FaultRig;

beforeAll(async () => {
  rig = await openFaultRig();
});
afterAll(async () => await rig?.close());

const FACES: readonly Face[] = ['s3', 'gcs', 'https'];
const THREADS = [1, 2];

/** Objects in parts are 41 MiB each time: every face and every number of threads, but not every pair of them. */
const IN_PARTS: readonly (readonly [Face, number])[] = [
  ['s3', 1],
  ['s3', 2],
  ['gcs', 2],
  ['https', 1],
];

const runs = [
  ...WIRE_CASES.flatMap((one) =>
    (one.faces ?? FACES).flatMap((face) =>
      THREADS.map((threads) => ({ one, what: one.what, face, threads })),
    ),
  ),
  ...PART_CASES.flatMap((one) => IN_PARTS.map(([face, threads]) => ({ one, what: one.what, face, threads }))),
];

describe.concurrent('a server that misbehaves', { timeout: 120_000 }, () => {
  test.each(runs)('$what, through $face, $threads thread(s)', async ({ one, face, threads }) => {
    await play(rig, one, face, threads);
  });
});

test('docs/faults.md counts what is played here', async () => {
  const text = await readFile(new URL('../../docs/faults.md', import.meta.url), 'utf8');
  const inParts = PART_CASES.length * IN_PARTS.length;
  expect(text).toContain(`| ${WIRE_CASES.length} | ${runs.length - inParts} |`);
  expect(text).toContain(`| ${PART_CASES.length} | ${inParts} |`);
});
