import { describe, expect, test } from 'vitest';
import { parseRunFile } from '../../src/copies/index.ts';

const read = (...lines: string[]) => parseRunFile(lines.join('\n'), 'list.s5cmd');

describe('lines of a run file', () => {
  test('are requests with the flags of their line', () => {
    const { requests, problems } = read(
      '# a comment',
      '',
      '  cp s3://b/a/* out/  ',
      'cp -n --flatten --exclude "*.txt" --exclude=x* \'s3://b/with blank\' a\\ b',
      'sync --size-only s3://b/a/* .',
      'cp -c 5 --part-size 50 s3://b/k k\r',
    );
    expect(problems).toEqual([]);
    expect(requests).toEqual([
      { sources: ['s3://b/a/*'], destination: 'out/', origin: 'list.s5cmd:3' },
      {
        noClobber: true,
        flatten: true,
        exclude: ['*.txt', 'x*'],
        sources: ['s3://b/with blank'],
        destination: 'a b',
        origin: 'list.s5cmd:4',
      },
      { sync: 'size', recursive: true, sources: ['s3://b/a/*'], destination: '.', origin: 'list.s5cmd:5' },
      { sources: ['s3://b/k'], destination: 'k', origin: 'list.s5cmd:6' },
    ]);
  });

  test.each([
    ['cp "s3://b/a .', /double quote is opened and never closed/],
    ['cp s3://b/a . # why', /takes one source and one destination, not 4 words/],
    ['cp s3://b/a', /needs a source and a destination/],
    ['cp --exclude', /--exclude needs a value/],
    ['cp --acl public-read s3://b/a .', /--acl of cp is not known, or only for uploads/],
    ['cp file s3://b/', /carrel only reads buckets/],
    ['mv s3://b/a .', /moves objects/],
    ['rm s3://b/a', /use s5cmd/],
    ['sync --delete s3://b/* .', /run it by itself, carrel sync --delete/],
    ['run other.txt', /nests a run file/],
    ['fetch s3://b/a .', /"fetch" is no command of a run file/],
    ['--numworkers 4 cp s3://b/a .', /stands before the command/],
  ])('%s', (line, reason) => {
    const { requests, problems } = read('# first', line, 'cp s3://b/k .');
    expect(requests).toHaveLength(1);
    expect(problems.map(({ origin, error }) => [origin, error.code])).toEqual([
      ['list.s5cmd:2', 'bad-input'],
    ]);
    expect(problems[0]?.error.message).toMatch(reason);
  });
});
