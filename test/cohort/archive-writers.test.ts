/** Archives that other programs read, and that break off visibly. */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ArchiveWriter, WriteBytes } from '../../src/cohort/archive-writer.ts';
import { createTar } from '../../src/cohort/tar-writer.ts';
import { createZip } from '../../src/cohort/zip-writer.ts';

const has = (program: string) => spawnSync(program, ['--version']).error === undefined;

const FILES: Record<string, Buffer> = {
  'plain.dcm': randomBytes(1000),
  empty: Buffer.of(),
  'a block/of.dcm': randomBytes(512),
  // Beyond the name of a header, within name and prefix, and beyond both.
  [`${'a'.repeat(90)}/${'b'.repeat(80)}.dcm`]: randomBytes(10),
  [`${'deep/'.repeat(60)}end.dcm`]: randomBytes(11),
  [`${'x'.repeat(120)}.dcm`]: randomBytes(12),
  'Größe/ﷺ 影像.dcm': randomBytes(13),
};

async function archiveOf(create: (write: WriteBytes) => ArchiveWriter, { end = true } = {}): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const archive = create(async (bytes) => void pieces.push(Buffer.from(bytes)));
  for (const [path, bytes] of Object.entries(FILES))
    await archive.add(path, bytes.length, async function* () {
      for (let at = 0; at < bytes.length; at += 300) yield bytes.subarray(at, at + 300);
    });
  if (end) await archive.end();
  return Buffer.concat(pieces);
}

async function onDisk(bytes: Buffer, name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'carrel-archive-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, name), bytes);
  return folder;
}

const READ_ALL = `
import sys, tarfile, zipfile, hashlib
name = sys.argv[1]
if name.endswith('.tar'):
    a = tarfile.open(name); rows = [(m.name, a.extractfile(m).read()) for m in a.getmembers()]
else:
    a = zipfile.ZipFile(name); assert a.testzip() is None; rows = [(n, a.read(n)) for n in a.namelist()]
sys.stdout.buffer.write('\\n'.join(n + ' ' + hashlib.md5(b).hexdigest() for n, b in rows).encode())
`;

describe.each([
  ['tar', createTar],
  ['zip', createZip],
  ['zip', (write: WriteBytes) => createZip(write, { limit: 600, entryLimit: 3 })],
] as const)('%s', (format, create) => {
  test('is the same every time', async () => {
    expect((await archiveOf(create)).equals(await archiveOf(create))).toBe(true);
  });

  test.skipIf(!has('python3'))('is read by Python', async () => {
    const folder = await onDisk(await archiveOf(create), `a.${format}`);
    const read = execFileSync('python3', ['-c', READ_ALL, join(folder, `a.${format}`)]).toString('utf8');
    const { createHash } = await import('node:crypto');
    const expected = Object.entries(FILES).map(
      ([path, bytes]) => `${path} ${createHash('md5').update(bytes).digest('hex')}`,
    );
    expect(read.split('\n')).toEqual(expected);
  });

  test.skipIf(!has(format === 'tar' ? 'tar' : 'unzip'))('is unpacked by the usual program', async () => {
    const folder = await onDisk(await archiveOf(create), `a.${format}`);
    const command = format === 'tar' ? ['tar', '-xf', 'a.tar'] : ['unzip', '-q', 'a.zip'];
    const { status, stderr } = spawnSync(command[0] ?? '', command.slice(1), {
      cwd: folder,
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    });
    expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: '' });
    for (const [path, bytes] of Object.entries(FILES))
      expect((await readFile(join(folder, path))).equals(bytes), path).toBe(true);
  });

  test('refuses a body that has another length than was said', async () => {
    const archive = create(async () => {});
    const adding = archive.add('a', 5, async function* () {
      yield Buffer.from('four');
    });
    await expect(adding).rejects.toThrow('4 bytes instead of 5');
  });
});

test.skipIf(!has('tar'))('a tar without its end is not taken for whole by whoever looks', async () => {
  const bytes = await archiveOf(createTar, { end: false });
  expect(bytes.subarray(-1024).every((byte) => byte === 0)).toBe(false);
});
