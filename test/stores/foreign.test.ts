/** The contract against servers that other people wrote. */
import { test } from 'vitest';
import { createOpenStore, type Place, type S3CredentialProvider } from '../../src/stores/index.ts';
import { encodeKey } from '../../src/stores/object-key.ts';
import { CONTRACT_OBJECTS, type StoreUnderTest, testStore } from '../contract/store.ts';
import {
  type ForeignServer,
  findTool,
  ROOT,
  s3Request,
  startFakeGcs,
  startMoto,
  startVersitygw,
} from './foreign-servers.ts';

const tools = {
  versitygw: findTool('versitygw'),
  moto: findTool('moto_server'),
  fakeGcs: findTool('fake-gcs-server'),
};

/** Everybody may read and list. `s3:HeadObject` is no real action, but moto asks for it. */
function publicPolicy(bucket: string): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: '*',
        Action: ['s3:GetObject', 's3:ListBucket'],
        Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
      },
    ],
  });
}

/** Fills a bucket over S3 and opens it. */
async function overS3(
  server: ForeignServer,
  access: 'anonymous' | 'signed',
  options: { headers?: Record<string, string>; credentials?: S3CredentialProvider } = {},
): Promise<StoreUnderTest> {
  const bucket = access === 'signed' ? 'private-bucket' : 'public-bucket';
  const put = (key: string, body: Uint8Array) =>
    s3Request(server.url, 'PUT', `/${bucket}/${encodeKey(key)}`, {
      body,
      ...(options.headers === undefined ? {} : { headers: options.headers }),
    });
  await s3Request(server.url, 'PUT', `/${bucket}`);
  for (const [key, bytes] of Object.entries(CONTRACT_OBJECTS)) await put(key, bytes);
  if (access === 'anonymous') {
    await s3Request(server.url, 'PUT', `/${bucket}`, { query: { policy: '' }, body: publicPolicy(bucket) });
  }
  const place: Place = { protocol: 's3', endpoint: server.url, bucket, access };
  const open = createOpenStore({ http: { env: {} }, credentials: options.credentials ?? (async () => ROOT) });
  return {
    store: open(place),
    async replace(key, bytes) {
      await put(key, bytes);
    },
    async close() {
      await open.close();
      await server.close();
    },
  };
}

/** Fills a bucket of fake-gcs-server and opens it. */
async function overGcs(server: ForeignServer): Promise<StoreUnderTest> {
  const post = async (path: string, body: Uint8Array | string, type: string) => {
    const response = await fetch(`${server.url}${path}`, {
      method: 'POST',
      body: Buffer.from(body),
      headers: { 'content-type': type },
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  };
  const put = (key: string, bytes: Uint8Array) =>
    post(
      `/upload/storage/v1/b/bucket/o?uploadType=media&name=${encodeURIComponent(key)}`,
      bytes,
      'application/octet-stream',
    );
  await post('/storage/v1/b?project=test', JSON.stringify({ name: 'bucket' }), 'application/json');
  for (const [key, bytes] of Object.entries(CONTRACT_OBJECTS)) await put(key, bytes);
  const open = createOpenStore({ http: { env: {} } });
  return {
    store: open({ protocol: 'gcs', endpoint: server.url, bucket: 'bucket' }),
    replace: put,
    async close() {
      await open.close();
      await server.close();
    },
  };
}

/** Runs `define` where the program is there; otherwise one skipped test that says how to get it. */
function withTool(tool: string | undefined, name: string, define: (path: string) => void): void {
  if (tool === undefined) test.skip(`${name} is missing (scripts/fetch-test-tools.sh)`, () => {});
  else define(tool);
}

withTool(tools.versitygw, 'versitygw', (path) => {
  testStore('s3, versitygw, anonymous', async () => overS3(await startVersitygw(path), 'anonymous'));
  testStore('s3, versitygw, signed', async () => overS3(await startVersitygw(path), 'signed'), {
    'digests in listings': 'in a private bucket an ETag may be that of an encrypted object, which is no MD5',
  });
});

withTool(tools.moto, 'moto_server', (path) => {
  testStore('s3, moto, anonymous', async () => overS3(await startMoto(path), 'anonymous'));
});

withTool(tools.fakeGcs, 'fake-gcs-server', (path) => {
  testStore('gcs, fake-gcs-server', async () => overGcs(await startFakeGcs(path)));
});
