/**
 * docs/from-s5cmd.md and docs/from-gsutil.md are true: each row is run in both columns, by a shell, each in a folder of its
 * own that began with the same files, against servers of this machine; then the files, or the output, are compared.
 */
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtInRecord } from '../../src/archives/index.ts';
import { makeCertificate } from '../fixtures/certificate.ts';
import { createPeerHome, findTool, type PeerHome } from '../fixtures/peers.ts';
import { type ObjectServers, startObjectServers } from '../fixtures/servers.ts';
import { type BucketsFixture, writeBuckets } from '../fixtures/tree.ts';
import { findTool as findForeign } from '../stores/foreign-servers.ts';
import { BIN, filesBelow, NODE } from './carrel.ts';

/** Rows of a page: cells without their code marks. */
async function rowsOf(page: string): Promise<string[][]> {
  const text = await readFile(new URL(`../../docs/${page}.md`, import.meta.url), 'utf8');
  return text.split('\n').flatMap((line) => {
    if (!line.startsWith('| `')) return [];
    const cells = line.split(/(?<!\\)\|/).slice(1, -1);
    return [
      cells.map((cell) =>
        cell
          .trim()
          .replace(/^`(.*)`$/, '$1')
          .replaceAll('\\|', '|'),
      ),
    ];
  });
}

const rows = [...(await rowsOf('from-s5cmd')), ...(await rowsOf('from-gsutil'))];
const peerRows = rows.filter(([theirs = '']) => /^(?:s5cmd|aws|gsutil) /.test(theirs));
const ownRows = rows.filter((row) => !peerRows.includes(row));

const tools = {
  s5cmd: findForeign('s5cmd') ?? findTool('s5cmd'),
  aws: findTool('aws'),
  gsutil: findTool('gsutil'),
};

let buckets: BucketsFixture;
let plain: ObjectServers;
let secure: ObjectServers;
let home: PeerHome;
let folder: string;
let env: Record<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carrel-e2e-peers-'));
  buckets = await writeBuckets({
    'pictures/a/1.txt': 'one',
    'pictures/a/2.txt': 'two',
    'pictures/a/1.dat': 'data',
    'pictures/a/c/3.txt': 'three',
    'pictures/a/c/d/4.txt': 'four',
    'pictures/ab/5.txt': 'five',
    'pictures/x/1.txt': 'another one',
    'pictures/x/def': 'x',
    'pictures/x/y/def': 'y',
    'pictures/def': 'z',
    'pictures/top.txt': 'top',
    'pictures/odd/st*r.txt': 'a star',
    'pictures/odd/stair.txt': 'no star',
    'pictures/odd/with blank.txt': 'blank',
  });
  plain = await startObjectServers({ root: buckets.root });
  secure = await startObjectServers({ root: buckets.root, tls: true });
  home = await createPeerHome();
  const record = structuredClone(builtInRecord('idc'));
  record.mirrors = record.mirrors.map((mirror) => ({
    ...mirror,
    endpoint: mirror.name === 'aws' ? plain.s3.url : plain.gcs.url,
  }));
  record.bucketClasses.push({ name: 'pictures', buckets: { aws: 'pictures', gcs: 'pictures' } });
  await writeFile(join(folder, 'archive.json'), JSON.stringify(record));
  const bin = join(folder, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'carrel'), `#!/bin/sh\nexec "${NODE}" "${BIN}" "$@"\n`);
  await chmod(join(bin, 'carrel'), 0o755);
  const certificate = join(home.path, 'cert.pem');
  await writeFile(certificate, (await makeCertificate()).cert);
  await writeFile(
    join(home.path, 'boto'),
    `[Credentials]
gs_json_host = 127.0.0.1
gs_json_port = ${secure.gcs.port}
[Boto]
ca_certificates_file = ${certificate}
[GSUtil]
state_dir = ${home.path}/gsutil
software_update_check_period = 0
default_project_id = none
`,
  );
  const found = Object.values(tools).flatMap((tool) => (tool === undefined ? [] : [dirname(tool)]));
  env = {
    ...home.env,
    PATH: [bin, ...found, process.env['PATH'] ?? ''].join(delimiter),
    S3_ENDPOINT_URL: plain.s3.url,
    AWS_ENDPOINT_URL: plain.s3.url,
    BOTO_CONFIG: join(home.path, 'boto'),
    CLOUDSDK_CONFIG: join(home.path, 'gcloud'),
    CLOUDSDK_CORE_PASS_CREDENTIALS_TO_GSUTIL: '0',
    CARREL_ARCHIVE: join(folder, 'archive.json'),
    CARREL_CACHE_DIR: join(folder, 'cache'),
    CARREL_CONFIG_DIR: join(folder, 'config'),
    NO_PROXY: '127.0.0.1',
  };
}, 60_000);

afterAll(async () => {
  await Promise.all([plain?.close(), secure?.close()]);
  await buckets?.remove();
  await home?.remove();
  await rm(folder, { recursive: true, force: true });
});

/** A folder with something in it: a file of another content and size, one of the same size but older, one that is nobody's. */
async function newDesk(): Promise<string> {
  const desk = await mkdtemp(join(folder, 'desk-'));
  const files: [string, string, string][] = [
    ['dir/1.txt', 'eno', '2023-01-01'],
    ['dir/2.txt', 'much longer', '2025-01-01'],
    ['dir/1.dat', 'atad', '2025-01-01'],
    ['dir/extra.txt', 'extra', '2025-01-01'],
    [
      'cohort.s5cmd',
      '# a comment\n\ncp s3://pictures/a/* out/\n  cp "s3://pictures/odd/with blank.txt" out/with\\ blank.txt\ncp --flatten --exclude "*.dat" s3://pictures/a/* flat/\nsync s3://pictures/x/* x\ncp -n s3://pictures/top.txt dir/1.txt\n',
      '2025-01-01',
    ],
    [
      'broken.s5cmd',
      'cp s3://pictures/a/* out/\ncp "s3://pictures/top.txt .\nfetch s3://pictures/top.txt .\n',
      '2025-01-01',
    ],
    ['list.txt', 'gs://pictures/a/1.txt\ngs://pictures/x/def\n', '2025-01-01'],
  ];
  await mkdir(join(desk, 'dir'));
  for (const [name, content, day] of files) {
    await writeFile(join(desk, name), content);
    await utimes(join(desk, name), new Date(day), new Date(day));
  }
  return desk;
}

interface Answer {
  code: number;
  stdout: string;
  stderr: string;
  files: Record<string, string>;
}

async function runIn(desk: string, line: string): Promise<Answer> {
  const { code, stdout, stderr } = await new Promise<Omit<Answer, 'files'>>((resolve) => {
    execFile('bash', ['-c', line], { cwd: desk, env, timeout: 60_000 }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout: out, stderr: err }),
    );
  });
  // What lets a second run ask for nothing is no file of the user's.
  const found = [...(await filesBelow(desk))].filter(([path]) => !path.includes('.carrel/'));
  const files = Object.fromEntries(found.map(([path, bytes]) => [path, bytes.toString()]));
  return { code, stdout, stderr, files };
}

const sorted = (text: string): string[] => text.trim().split('\n').sort();

test('the pages have rows', () => {
  expect(peerRows.length).toBeGreaterThan(40);
  expect(ownRows.length).toBeGreaterThan(8);
});

describe('the same with both', () => {
  test.concurrent.each(peerRows.map(([theirs = '', ours = '', same = '']) => ({ theirs, ours, same })))(
    '$theirs',
    async ({ theirs, ours, same }) => {
      const name = theirs.split(' ')[0] as keyof typeof tools;
      const mine = await runIn(await newDesk(), ours);
      expect([mine.code, mine.stderr]).toEqual([0, expect.any(String)]);
      if (tools[name] === undefined) return;
      const other = await runIn(await newDesk(), theirs);
      expect(other.code, other.stderr).toBe(0);
      if (same.includes('files')) expect(mine.files).toEqual(other.files);
      if (same.includes('output')) expect(sorted(mine.stdout)).toEqual(sorted(other.stdout));
      // An empty comparison would prove nothing.
      if (same.includes('output')) expect(mine.stdout).not.toBe('');
    },
    180_000,
  );
});

describe('different on purpose', () => {
  test.each(ownRows.map(([command = '', exit = '']) => ({ command, exit })))(
    '$command ends with $exit',
    async ({ command, exit }) => {
      const desk = await newDesk();
      const before = await filesBelow(desk);
      const { code, stderr, files } = await runIn(desk, command);
      expect(code, stderr).toBe(Number(exit));
      expect(stderr).not.toBe('');
      // What ends badly leaves what was here.
      if (code !== 0 && code !== 3) expect(Object.keys(files).sort()).toEqual([...before.keys()].sort());
    },
  );
});
