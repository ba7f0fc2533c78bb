import { describe, expect, test } from 'vitest';
import type { Run } from '../../src/cli/command.ts';
import { createProgress } from '../../src/cli/output/progress.ts';
import { settle } from '../../src/cli/settings.ts';
import type { TransferEvent } from '../../src/transfer/index.ts';

const EVENT: TransferEvent = {
  type: 'progress',
  files: 3,
  bytes: 3_000_000,
  totalFiles: 10,
  totalBytes: 10_000_000,
  bytesPerSecond: 1_000_000,
  retries: 2,
  mirror: 'gcs',
};

/** A run whose outputs are kept; `progress` as the flag gives it. */
function runWith(progress: string | undefined, more: Partial<Run> = {}) {
  const err: string[] = [];
  const out: string[] = [];
  const settings = settle({ flags: { progress }, env: {}, cwd: '/', useFiles: false });
  const stream = (into: string[]) => ({ isTTY: false, write: (text: string) => into.push(text) > 0 });
  const paint = { red: String, dim: String, green: String };
  const run = {
    settings,
    json: false,
    quiet: false,
    out: paint,
    err: paint,
    terminal: { env: {}, out: stream(out), err: stream(err) },
    ...more,
  } as unknown as Run;
  return { run, err, out };
}

describe('progress', () => {
  test('as JSON goes to stderr, one event to a line, and leaves stdout to people', async () => {
    const { run, err, out } = runWith('json');
    const { report, end } = await createProgress(run);
    report(EVENT);
    end();
    expect(JSON.parse(err.join(''))).toEqual(EVENT);
    expect(out).toEqual([]);
  });

  test('of --json goes to stdout', async () => {
    const { run, err, out } = runWith(undefined, { json: true });
    (await createProgress(run)).report(EVENT);
    expect(JSON.parse(out.join(''))).toEqual(EVENT);
    expect(err).toEqual([]);
  });

  test.each([
    ['none', {}],
    [undefined, { quiet: true }],
  ])('is silent with %s', async (kind, more) => {
    const { run, err, out } = runWith(kind, more);
    (await createProgress(run)).report({ type: 'note', message: 'x' });
    expect([...err, ...out]).toEqual([]);
  });

  test('as lines says now and then how far it is, from where, and what was tried again', async () => {
    const { run, err } = runWith('lines');
    const { report } = await createProgress(run);
    const now = Date.now;
    try {
      Date.now = () => now() + 20_000;
      report(EVENT);
      report(EVENT);
    } finally {
      Date.now = now;
    }
    expect(err).toEqual(['3 of 10 files, 3.00 MB of 10.0 MB, 1.00 MB/s, 7.0 s left, from gcs, 2 retries\n']);
  });

  test('of no known kind is refused', async () => {
    await expect(createProgress(runWith('loud').run)).rejects.toMatchObject({ code: 'usage', item: 'loud' });
  });
});
