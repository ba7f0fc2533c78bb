import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type JournalRecord, openJournal } from '../../src/transfer/state/journal.ts';
import { parseJournal, readJournal } from '../../src/transfer/state/read-journal.ts';
import { temporaryFolder } from './desk.ts';

const record = (path: string, size = 1): JournalRecord => ({
  path,
  size,
  mtimeNs: '1700000000123456789',
  digests: ['md5:9e107d9d372bb6826bd81d3542a419d6'],
  verifiedBy: 'md5',
});

describe('the journal', () => {
  test('remembers the last word on each path', async () => {
    const file = join(await temporaryFolder(), 'journal.jsonl');
    const first = await openJournal(file);
    first.add(record('a'));
    first.add(record('b'));
    first.add(record('a', 2));
    await first.close({ settled: true });
    const second = await openJournal(file);
    expect([second.get('a'), second.get('b'), second.get('c')]).toEqual([
      record('a', 2),
      record('b'),
      undefined,
    ]);
    await second.close({ settled: true });
  });

  test('is text that people can read', async () => {
    const file = join(await temporaryFolder(), 'journal.jsonl');
    const journal = await openJournal(file, { boot: 'the-boot' });
    journal.add(record('a/b.dcm', 42));
    await journal.close({ settled: true });
    const run = /"start":"([0-9a-f-]+)"/.exec(await readFile(file, 'utf8'))?.[1];
    expect(await readFile(file, 'utf8')).toBe(
      [
        '{"carrel":"journal","version":1}',
        `{"start":"${run}","boot":"the-boot"}`,
        '{"path":"a/b.dcm","size":42,"mtimeNs":"1700000000123456789","digests":["md5:9e107d9d372bb6826bd81d3542a419d6"],"verifiedBy":"md5"}',
        `{"end":"${run}"}`,
        '',
      ].join('\n'),
    );
  });

  test('a record is there as soon as it was added, for a process that is killed closes nothing', async () => {
    const file = join(await temporaryFolder(), 'journal.jsonl');
    const journal = await openJournal(file);
    journal.add(record('a'));
    expect(await readFile(file, 'utf8')).toContain('"path":"a"');
    await journal.close({ settled: false });
  });

  test('a garbled tail costs itself and nothing else', async () => {
    const file = join(await temporaryFolder(), 'journal.jsonl');
    const first = await openJournal(file);
    first.add(record('a'));
    await first.close({ settled: false });
    await appendFile(file, '{"path":"b","size":1,"mti');
    const second = await openJournal(file);
    expect(second.get('a')).toEqual(record('a'));
    expect(second.get('b')).toBeUndefined();
    second.add(record('c'));
    await second.close({ settled: true });
    const third = await openJournal(file);
    expect([third.get('a'), third.get('c')]).toEqual([record('a'), record('c')]);
    await third.close({ settled: true });
  });

  test('cut at any byte, what is left of it is true', () => {
    const lines = ['a', 'b', 'c', 'd'].map((path, size) => record(path, size));
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    fc.assert(
      fc.property(fc.nat(text.length), fc.uint8Array({ maxLength: 40 }), (cut, noise) => {
        const garbled = text.slice(0, cut) + Buffer.from(noise).toString('latin1').replaceAll('\n', ' ');
        for (const [path, found] of parseJournal(garbled, '').records) {
          expect(found).toEqual(lines.find((line) => line.path === path));
        }
      }),
    );
  });

  test('a line that was torn anywhere costs itself, whatever follows it', () => {
    const lines = ['a', 'b', 'c', 'd'].map((path, size) => JSON.stringify(record(path, size)));
    const start = '{"start":"1","boot":"x"}';
    fc.assert(
      fc.property(fc.nat(3), fc.nat(200), (at, cut) => {
        const torn = (lines[at] ?? '').slice(0, Math.min(cut, (lines[at]?.length ?? 0) - 1));
        const text = [start, ...lines.with(at, torn), start, ...lines.slice(2), ''].join('\n');
        const { records, lines: count } = parseJournal(text, 'x');
        const whole = lines.filter((_, index) => index !== at || index >= 2);
        expect([...records.values()].map((one) => JSON.stringify(one)).sort()).toEqual([...whole].sort());
        expect(count).toBe(torn === '' ? 7 : 8);
      }),
    );
  });

  test('lines that nobody knows are left out', () => {
    const text = ['null', '[]', '{"path":"a"}', '{"later":"thing"}', JSON.stringify(record('b'))].join('\n');
    expect([...parseJournal(`{"start":"1","boot":"x"}\n${text}`, 'x').records.keys()]).toEqual(['b']);
  });

  test('a machine that crashed during a run takes the word of that run with it, and of no other', async () => {
    const file = join(await temporaryFolder(), 'journal.jsonl');
    const ended = await openJournal(file, { boot: 'monday' });
    ended.add(record('a'));
    await ended.close({ settled: true });
    const crashed = await openJournal(file, { boot: 'monday' });
    crashed.add(record('b'));
    await crashed.close({ settled: false });
    const sameBoot = await openJournal(file, { boot: 'monday' });
    expect([sameBoot.get('a')?.path, sameBoot.get('b')?.path]).toEqual(['a', 'b']);
    await sameBoot.close({ settled: false });
    const nextBoot = await openJournal(file, { boot: 'tuesday' });
    expect([nextBoot.get('a')?.path, nextBoot.get('b')?.path]).toEqual(['a', undefined]);
    await nextBoot.close({ settled: false });
  });

  test('a long one is written anew, and loses nothing', async () => {
    const file = join(await temporaryFolder(), 'journal.jsonl');
    const first = await openJournal(file);
    for (let round = 0; round < 30; round += 1)
      for (let i = 0; i < 500; i += 1) first.add(record(`f${i}`, round));
    await first.close({ settled: true });
    const second = await openJournal(file);
    await second.close({ settled: true });
    expect((await readFile(file, 'utf8')).split('\n').length).toBeLessThan(600);
    const third = await openJournal(file, { boot: 'another' });
    expect(third.get('f499')).toEqual(record('f499', 29));
    await third.close({ settled: true });
  });

  test('one that is longer than what is read at once is read whole, whatever letters it holds', async () => {
    const file = join(await temporaryFolder(), 'journal.jsonl');
    const lines = Array.from({ length: 60_000 }, (_, i) => record(`müller/日本/😀/${i}.dcm`, i));
    await writeFile(file, `\n${lines.map((line) => JSON.stringify(line)).join('\n')}`);
    const { records, lines: count } = await readJournal(file, 'x');
    expect(count).toBe(60_000);
    expect(lines.every((line) => records.get(line.path)?.size === line.size)).toBe(true);
  });

  test('one of a later version is refused and left alone', async () => {
    const file = join(await temporaryFolder(), 'journal.jsonl');
    await writeFile(file, '{"carrel":"journal","version":2}\n');
    await expect(openJournal(file)).rejects.toMatchObject({ code: 'unsupported' });
    expect(await readFile(file, 'utf8')).toBe('{"carrel":"journal","version":2}\n');
  });
});
