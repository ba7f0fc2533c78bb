/** After a crash of the machine, what was flushed is believed, and everything else is read again. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type TransferEvent, type TransferOptions, transfer } from '../../src/transfer/index.ts';
import { createMemoryStore, memoryPlace } from '../fixtures/memory-store.ts';
import { eventsOf, opener, planOf, randomFiles, temporaryFolder } from './desk.ts';

async function scene(fsync: TransferOptions['fsync']) {
  const contents = randomFiles(5, 20_000);
  const store = createMemoryStore(contents);
  const directory = await temporaryFolder();
  const journal = join(directory, '.carrel', 'journal.jsonl');
  const plan = planOf(contents, [{ mirror: 'm', place: memoryPlace }]);
  const get = async () => {
    const events: TransferEvent[] = [];
    const result = await transfer(plan, {
      directory,
      openStore: opener([store]),
      fsync,
      onEvent: (event) => void events.push(event),
    });
    const read = eventsOf(events, 'note').some(({ message }) =>
      message.startsWith('reading files that are here'),
    );
    return { result, read };
  };
  /** The machine was started anew; `end: false`: before the run had ended. */
  const crash = async ({ end = true } = {}) => {
    const lines = (await readFile(journal, 'utf8'))
      .split('\n')
      .filter((line) => end || !line.startsWith('{"end"'));
    await writeFile(
      journal,
      lines.map((line) => line.replace(/"boot":"[^"]*"/, '"boot":"another"')).join('\n'),
    );
  };
  return { get, crash };
}

describe('a machine that crashed', () => {
  test.each([
    ['end', true, false],
    ['end', false, true],
    ['file', true, false],
    ['file', false, false],
    ['never', true, true],
    ['never', false, true],
  ] as const)('with fsync %s, run ended: %s: files are read again: %s', async (fsync, end, read) => {
    const { get, crash } = await scene(fsync);
    expect((await get()).result).toMatchObject({ fetched: 5, verifiedBy: { md5: 5 } });
    // Without a crash nothing is read again, whatever was flushed.
    expect(await get()).toMatchObject({ read: false, result: { present: 5 } });
    const other = await scene(fsync);
    await other.get();
    await other.crash({ end });
    expect(await other.get()).toMatchObject({ read, result: { present: 5, fetched: 0 } });
    await crash({ end });
  });
});
