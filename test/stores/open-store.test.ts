import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import * as stores from '../../src/stores/index.ts';

const { createHttpPool, createOpenStore } = stores;

describe('createOpenStore', () => {
  test('the same place gives the same store, however it is written down', () => {
    const open = createOpenStore();
    const place = { protocol: 's3', endpoint: 'https://s3.amazonaws.com', bucket: 'b' } as const;
    expect(open(place)).toBe(open({ ...place, access: 'anonymous', addressing: 'path', region: undefined }));
    expect(open(place)).not.toBe(open({ ...place, access: 'signed' }));
    expect(open.openStore(place)).toBe(open(place));
  });

  test.each(['s3.amazonaws.com', 'ftp://x', '', 'https://'])('%j is no endpoint', (endpoint) => {
    expect(() => createOpenStore()({ protocol: 's3', endpoint, bucket: 'b' })).toThrow(/not an endpoint/);
  });

  test('closes its own pool, not one that was given', async () => {
    const pool = createHttpPool({ env: {}, lookup: async () => [] });
    await createOpenStore({ pool }).close();
    await expect(pool.request({ url: 'http://x.test/' })).rejects.toThrow(/unknown/);
    const own = createOpenStore();
    await own.close();
    await expect(own.pool.request({ url: 'http://x.test/' })).rejects.toThrow(/closed/);
    await pool.close();
  });
});

test('nothing heavy is loaded before it is needed', async () => {
  // A loader hook that names every module on stderr.
  const hook =
    'export const load = (url, context, next) => { process._rawDebug(url); return next(url, context); };';
  const register = `import { register } from 'node:module'; register('data:text/javascript,${encodeURIComponent(hook)}');`;
  const script = `
    import { createOpenStore } from './src/stores/index.ts';
    createOpenStore()({ protocol: 's3', endpoint: 'https://s3.amazonaws.com', bucket: 'b' });
    createOpenStore()({ protocol: 'gcs', endpoint: 'https://storage.googleapis.com', bucket: 'b' });
  `;
  const imports = ['--import', 'tsx', '--import', `data:text/javascript,${encodeURIComponent(register)}`];
  const args = [...imports, '--input-type=module', '-e', script];
  const { stderr } = await promisify(execFile)(process.execPath, args);
  expect(stderr).toMatch(/src\/stores\/s3\/s3-store\.ts/);
  expect(stderr).not.toMatch(/fast-xml-parser|smithy|aws-sdk|node-rs/);
});

test('a kept connection does not keep the process alive', async () => {
  const script = `
    import { createServer } from 'node:http';
    import { createHttpPool } from './src/stores/index.ts';
    const server = createServer((request, response) => response.end('x')).listen(0, '127.0.0.1', async () => {
      const pool = createHttpPool({ env: {}, keepAliveMs: 3_600_000 });
      await (await pool.request({ url: 'http://127.0.0.1:' + server.address().port })).bytes();
      server.unref();
    }).on('connection', (socket) => socket.unref());
    server.keepAliveTimeout = 3_600_000; // or the server would end the connection
  `;
  await promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    timeout: 30_000,
  });
});

test('the public surface', () => {
  expect(Object.keys(stores).sort()).toMatchInlineSnapshot(`
    [
      "combineCrc32c",
      "createCrc32c",
      "createHttpPool",
      "createOpenStore",
      "withLimit",
      "withRetry",
    ]
  `);
});
