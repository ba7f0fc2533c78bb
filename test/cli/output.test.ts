import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { byteRate } from '../../src/cli/numbers.ts';
import { formatBars, showsBlocks } from '../../src/cli/output/bars.ts';
import { type RowFormat, writeRows } from '../../src/cli/output/rows.ts';
import { formatBytes, formatTable, shorten } from '../../src/cli/output/text.ts';
import { printable, type Terminal, wantsColor } from '../../src/cli/terminal.ts';

function capture(): { terminal: Terminal; text: () => string } {
  const pieces: string[] = [];
  const out = new Writable({
    write(chunk: Buffer, _encoding, done) {
      pieces.push(chunk.toString());
      done();
    },
  });
  return { terminal: { out, err: out, in: process.stdin, env: {}, cwd: '/' }, text: () => pieces.join('') };
}

async function render(format: RowFormat, rows: unknown[][], columns = ['name', 'n']): Promise<string> {
  const { terminal, text } = capture();
  await writeRows(terminal, { columns, numeric: [1], rows: [rows.slice(0, 1), rows.slice(1)] }, format);
  return text();
}

describe('answers', () => {
  const rows = [
    ['plain', 1],
    ['a "quoted", text', 22],
    [null, 3],
  ];

  test('as a table', async () => {
    expect(await render('table', rows)).toBe(
      'name               n\n────────────────  ──\nplain              1\na "quoted", text  22\n                   3\n',
    );
  });
  test('as csv (RFC 4180)', async () => {
    expect(await render('csv', rows)).toBe('name,n\nplain,1\n"a ""quoted"", text",22\n,3\n');
  });
  test('as tsv', async () => {
    expect(await render('tsv', [['a\tb', 1]])).toBe('name\tn\n"a\tb"\t1\n');
  });
  test('as json and jsonl, which parse', async () => {
    const objects = rows.map(([name, n]) => ({ name, n }));
    expect(JSON.parse(await render('json', rows))).toEqual(objects);
    expect(
      (await render('jsonl', rows))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(objects);
    expect(JSON.parse(await render('json', []))).toEqual([]);
  });
  test('as markdown, with bars escaped', async () => {
    expect(await render('markdown', [['a|b', 1]])).toBe('| name | n |\n| --- | --- |\n| a\\|b | 1 |\n');
  });

  test('control characters of DICOM texts never reach a terminal, and JSON keeps them', async () => {
    const text = 'scan\u0000\u001b[31m\u0001';
    expect(await render('table', [[text, 1]])).toContain('scan\\x00\\x1b[31m\\x01');
    expect(JSON.parse(await render('jsonl', [[text, 1]]))).toEqual({ name: text, n: 1 });
    expect(printable('\u202eevil')).toBe('\\x202eevil');
  });

  test('a table is fitted to the terminal, widest columns first, cut in the middle', () => {
    const lines = formatTable(
      ['uid', 'n'],
      [['1.2.840.113654.2.55.229650531101716203536241646069123704792', 7]],
      { width: 30 },
    ).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(30);
    expect(lines[2]).toMatch(/^1\.2\.840.*….*4792 {2}7$/);
    expect(shorten('abcdefghij', 5)).toBe('ab…ij');
  });

  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [105_000, '105 kB'],
    [999_600, '1.00 MB'],
    [99_944_891_647_274, '99.9 TB'],
    [null, '?'],
  ])('%s bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  test.each([
    ['800k', 800_000],
    ['50M', 50_000_000],
    ['1.5G', 1_500_000_000],
    ['10MiB', 10_485_760],
    ['5MB/s', 5_000_000],
  ])('the rate %s is %s bytes a second', (text, rate) => {
    expect(byteRate(text)).toBe(rate);
  });
  test.each([['0'], ['fast'], ['-5M'], ['']])('%j is no rate', (text) => {
    expect(() => byteRate(text)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});

describe('colour', () => {
  test.each([
    [{ isTTY: true }, {}, 'auto', true],
    [{ isTTY: false }, {}, 'auto', false],
    [{ isTTY: true }, { NO_COLOR: '1' }, 'auto', false],
    [{ isTTY: true }, { NO_COLOR: '' }, 'auto', true],
    [{ isTTY: true }, { TERM: 'dumb' }, 'auto', false],
    [{ isTTY: false }, {}, 'always', true],
    [{ isTTY: true }, {}, 'never', false],
  ] as const)('%j with %j and --color %s: %s', (stream, env, mode, expected) => {
    expect(wantsColor(stream, env, mode)).toBe(expected);
  });
});

describe('bars', () => {
  const bars = [
    { label: 'CT', value: 1000, text: '1,000' },
    { label: 'a very long description of a series', value: 1, text: '1' },
    { label: 'none', value: 0, text: '0' },
  ];
  test('fit the width; something is never drawn as nothing, nothing never as something', () => {
    const lines = formatBars(bars, { width: 30, blocks: true }).split('\n');
    expect(lines.map((line) => line.length <= 30)).toEqual([true, true, true]);
    expect(lines).toEqual([
      expect.stringMatching(/^CT +1,000 {2}█+$/),
      expect.stringMatching(/^a ver.*….* {2,}1 {2}▏$/),
      expect.stringMatching(/^none +0$/),
    ]);
    expect(formatBars(bars.slice(0, 1), { width: 30, blocks: false })).toMatch(/^CT {2}1,000 {2}#+$/);
    expect(formatBars([], { width: 30, blocks: true })).toBe('');
  });
  test.each([
    [{ LANG: 'en_US.UTF-8' }, true],
    [{ LC_ALL: 'C', LANG: 'en_US.UTF-8' }, false],
    [{ LC_ALL: '', LANG: 'de_DE.utf8' }, true],
    [{ LANG: 'C.UTF-8', TERM: 'dumb' }, false],
    [{}, false],
  ])('%j shows blocks: %s', (env, expected) => {
    expect(showsBlocks(env)).toBe(expected);
  });
});

test('columns that nobody would miss are left out before others are cut beyond use', () => {
  const head = ['id', 'title', 'uuid', 'size'];
  const rows = [['lung_pet_ct_dx_annotations', 'A title of some length', 'e127d258-37c2-47bb', '12 GB']];
  const text = formatTable(head, rows, { width: 60, right: [3], optional: [2], whole: [0] });
  const lines = text.split('\n');
  expect(lines.every((line) => line.length <= 60)).toBe(true);
  expect(lines[0]).toMatch(/^id +title +size {2}…$/);
  expect(lines[2]).toMatch(/^lung_pet_ct_dx_annotations {2}A title of some length {2}12 GB$/);
  expect(formatTable(head, rows, { width: 60, right: [3] }).split('\n')[0]).toMatch(/uuid/);
});
