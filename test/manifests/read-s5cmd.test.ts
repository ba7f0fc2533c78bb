import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseRunLine, readManifest } from '../../src/manifests/index.ts';

const A = '28621ba9-1aca-4aab-a2a1-f6d2c3e2ab19';
const B = 'f0b76401-c6d1-4b61-a5fd-3fa596e6cc41';
const I = '641121f1-5ca0-42cc-9156-fb5538c14355';

const read = (text: string, origin = 'x.s5cmd') => readManifest(text, { origin });
const urls = (text: string) => read(text).entries.map(({ identifier }) => identifier.text);

describe('s5cmd run files', () => {
  test('header, title and commands as the IDC portal writes them', () => {
    const manifest = read(
      [
        '# To download the files in this manifest, first install s5cmd (https://github.com/peak/s5cmd),',
        '# then run the following command:',
        '# s5cmd --no-sign-request --endpoint-url https://s3.amazonaws.com run study_manifest_aws.s5cmd',
        'study_manifest_cp_command',
        `cp s3://idc-open-data/${A}/* .`,
        `cp s3://idc-open-data/${B}/*  .`,
        '',
      ].join('\n'),
    );
    expect(manifest.format).toBe('s5cmd');
    expect(manifest.endpointHint).toBe('aws');
    expect(manifest.problems).toEqual([]);
    expect(manifest.notes).toEqual(['line 4: title "study_manifest_cp_command" skipped']);
    expect(manifest.entries).toMatchObject([
      {
        line: 5,
        destination: '.',
        identifier: { kind: 'object-url', bucket: 'idc-open-data', seriesUuid: A },
      },
      {
        line: 6,
        destination: '.',
        identifier: { kind: 'object-url', bucket: 'idc-open-data', seriesUuid: B },
      },
    ]);
  });

  test('a GCS header over s3:// lines is a hint, not a change of the lines', () => {
    const manifest = read(
      `# s5cmd --no-sign-request --endpoint-url https://storage.googleapis.com run x\ncp s3://idc-open-data/${A}/* .\n`,
    );
    expect(manifest.endpointHint).toBe('gcs');
    expect(manifest.entries[0]?.identifier).toMatchObject({ scheme: 's3', bucket: 'idc-open-data' });
  });

  test('an endpoint of somebody else is noted, not guessed to be a cloud', () => {
    const manifest = read(`# s5cmd --endpoint-url http://127.0.0.1:9000 run x\ncp s3://b/k.dcm .\n`);
    expect(manifest.endpointHint).toBeUndefined();
    expect(manifest.notes).toEqual([
      'its header names the endpoint http://127.0.0.1:9000; redirect a mirror to use it',
    ]);
  });

  test.each([
    ['CRLF', `cp s3://b/${A}/* .\r\ncp s3://b/${B}/* .\r\n`],
    ['a BOM', `\uFEFFcp s3://b/${A}/* .\ncp s3://b/${B}/* .`],
    ['tabs and leading blanks', `\tcp\ts3://b/${A}/*\t.\n   cp   s3://b/${B}/*    .   `],
    ['old Mac line ends', `cp s3://b/${A}/* .\rcp s3://b/${B}/* .\r`],
    ['quotes', `cp "s3://b/${A}/*" .\ncp 's3://b/${B}/*' "."`],
    ['bare URLs', `s3://b/${A}/*\ns3://b/${B}/*`],
    ['bare URLs with commas', `s3://b/${A}/*,\ns3://b/${B}/*,`],
    ['bare URLs on one line', `s3://b/${A}/* s3://b/${B}/*`],
    ['folders', `cp s3://b/${A}/ .\ncp s3://b/${B}/ .`],
    ['folders without a slash', `cp s3://b/${A} .\ncp s3://b/${B} .`],
    ['sync', `sync s3://b/${A}/* .\nsync --size-only s3://b/${B}/* .`],
    ['flags with values', `cp --concurrency 3 -p 50 s3://b/${A}/* .\ncp --part-size=50 s3://b/${B}/* .`],
    [
      'whole command lines',
      `s5cmd --no-sign-request cp s3://b/${A}/* .\naws s3 cp --recursive s3://b/${B}/ .`,
    ],
    ['gsutil', `gsutil -m cp -r gs://b/${A}/ .\ngcloud storage cp gs://b/${B}/* .`],
    ['a comment at the end', `cp s3://b/${A}/* . # CT\ncp s3://b/${B}/* .`],
    ['no final destination', `cp s3://b/${A}/*\ncp s3://b/${B}/*`],
  ])('%s', (_, text) => {
    const manifest = read(text);
    expect(manifest.format).toBe('s5cmd');
    expect(manifest.problems).toEqual([]);
    expect(
      manifest.entries.map(({ identifier }) => (identifier as { seriesUuid?: string }).seriesUuid),
    ).toEqual([A, B]);
  });

  test('UTF-16 as Windows tools save it', () => {
    const bytes = Buffer.concat([
      Buffer.from([0xff, 0xfe]),
      Buffer.from(`cp s3://b/${A}/* .\r\n`, 'utf16le'),
    ]);
    expect(readManifest(bytes, { origin: 'x' }).entries).toHaveLength(1);
  });

  test('files, gs:// lines and destinations of their own', () => {
    const manifest = read(
      [
        `cp s3://idc-open-data/${A}/${I}.dcm "my folder/${I}.dcm"`,
        `cp gs://public-datasets-idc/${A}/* nlst/100002/`,
      ].join('\n'),
    );
    expect(manifest.entries).toMatchObject([
      { destination: `my folder/${I}.dcm`, identifier: { form: 'object', seriesUuid: A, instanceUuid: I } },
      {
        destination: 'nlst/100002/',
        identifier: { scheme: 'gs', bucket: 'public-datasets-idc', seriesUuid: A },
      },
    ]);
  });

  test('an endpoint inside of a line belongs to that line', () => {
    const manifest = read(`s5cmd --endpoint-url http://127.0.0.1:9000 cp s3://b/k.dcm .\ncp s3://b/l.dcm .`);
    expect(manifest.entries.map(({ endpoint }) => endpoint)).toEqual(['http://127.0.0.1:9000', undefined]);
  });

  test('repeated lines are taken once and counted; another destination is another line', () => {
    const manifest = read(
      `cp s3://b/${A}/* .\ncp s3://b/${A} .\ns3://b/${A}/\ncp s3://b/${A}/* x/\ncp s3://b/${A}/ .`,
    );
    expect(manifest.entries.map(({ line }) => line)).toEqual([1, 3, 4]);
    expect(manifest.notes).toEqual([
      '2 lines repeat earlier ones, taken once (line 2 says what line 1 says)',
    ]);
  });

  test('every unusable line is a problem with its number and the reason', () => {
    const manifest = read(
      [
        `cp s3://b/${A}/* .`,
        'rm s3://b/k',
        'cp local.dcm s3://b/k',
        'cp',
        'second title',
        `cp "s3://b/${B}/* .`,
        'cp s3://b*/k .',
        'run other.s5cmd',
      ].join('\n'),
    );
    expect(manifest.entries).toHaveLength(1);
    expect(manifest.problems.map(({ line, text }) => [line, text])).toEqual([
      [2, 'rm s3://b/k'],
      [3, 'cp local.dcm s3://b/k'],
      [4, 'cp'],
      [5, 'second title'],
      [6, `cp "s3://b/${B}/* .`],
      [7, 'cp s3://b*/k .'],
      [8, 'run other.s5cmd'],
    ]);
    expect(manifest.problems[0]?.reason).toBe('the command rm gets nothing: only cp and sync are read');
    expect(manifest.problems[1]?.reason).toBe('uploads: its source is not in a bucket');
    expect(manifest.problems[4]?.reason).toBe(
      'a double quote is opened and never closed: s5cmd would stop here without a word',
    );
  });

  test('filters that are not obeyed are said', () => {
    const manifest = read(`cp --exclude "*.json" s3://b/${A}/* .\ncp --exclude=x s3://b/${B}/* .`);
    expect(manifest.notes).toEqual([
      'line 1 and 1 more: --exclude is not obeyed: everything that the line names is taken',
    ]);
  });

  test('an unquoted blank in the destination does not change what is fetched', () => {
    const manifest = read(`cp s3://b/${A}/* my folder`);
    expect(manifest.entries).toMatchObject([{ line: 1, identifier: { seriesUuid: A } }]);
    expect(manifest.entries[0]?.destination).toBeUndefined();
    expect(manifest.notes[0]).toContain('more than one destination');
  });

  test('nothing usable is an answer with problems', () => {
    const manifest = read('rm s3://b/k\nmv s3://b/l .\n');
    expect(manifest.entries).toEqual([]);
    expect(manifest.problems).toHaveLength(2);
  });

  test('lines without any URL are never turned into names', () => {
    expect(urls(`cp s3://b/${A}/* .\nnlst`)).toEqual([`s3://b/${A}/*`]);
  });

  test('parseRunLine gives verb, flags and words, unquoted', () => {
    expect(parseRunLine(`cp --exclude '*.json' -s "s3://b/a b/*" dest/`)).toEqual({
      verb: 'cp',
      flags: [{ name: '--exclude', value: '*.json' }, { name: '-s' }],
      words: ['s3://b/a b/*', 'dest/'],
    });
  });

  test('65,000 lines are one reading without a problem', () => {
    const uuid = (n: number) => `28621ba9-1aca-4aab-a2a1-${n.toString(16).padStart(12, '0')}`;
    const text = Array.from({ length: 65_000 }, (_, n) => `cp s3://idc-open-data/${uuid(n)}/* .`).join('\n');
    const manifest = read(text);
    expect(manifest.entries).toHaveLength(65_000);
    expect(manifest.problems).toEqual([]);
    expect(manifest.entries.at(-1)).toMatchObject({ line: 65_000, identifier: { seriesUuid: uuid(64_999) } });
  });
});

const samples = new URL('../../../shared/samples/manifests/', import.meta.url);
describe.skipIf(!existsSync(samples))('real manifests (skipped without ../shared/samples)', () => {
  const sample = (name: string) => readManifest(readFileSync(new URL(name, samples)), { origin: name });

  test.each([
    ['study_manifest_aws.s5cmd', 's5cmd', 3, 'aws'],
    ['study_manifest_gcs.s5cmd', 's5cmd', 3, 'gcs'],
    ['study_manifest_bogus.s5cmd', 's5cmd', 3, undefined],
    ['prior_version_manifest.s5cmd', 's5cmd', 5, undefined],
    ['ACNS0332-Test.tcia', 'tcia', 45, undefined],
    ['CPTAC-PDA-demo.tcia', 'tcia', 3, undefined],
  ])('%s', (name, format, entries, hint) => {
    const manifest = sample(name);
    expect(manifest).toMatchObject({ format, origin: name, problems: [] });
    expect(manifest.entries).toHaveLength(entries);
    expect(manifest.endpointHint).toBe(hint);
  });

  test('the bucket that does not exist is kept as it is written: finding out is for others', () => {
    expect(sample('study_manifest_bogus.s5cmd').entries[0]?.identifier).toMatchObject({
      bucket: 'invalid-idc-open-data',
    });
  });
});
