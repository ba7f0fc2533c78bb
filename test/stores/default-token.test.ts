import { createVerify, generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createDefaultToken } from '../../src/stores/gcs/default-token.ts';
import { createHttpPool, type HttpPool } from '../../src/stores/index.ts';

let server: Server;
let pool: HttpPool;
let folder: string;
let uri: string;
let asked: URLSearchParams[];
let answer: { status: number; body: string };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carrel-token-'));
  pool = createHttpPool({ env: {} });
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (piece: Buffer) => {
      text += piece.toString();
    });
    request.on('end', () => {
      asked.push(new URLSearchParams(text));
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
});
afterAll(async () => {
  await pool.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  asked = [];
  answer = { status: 200, body: JSON.stringify({ access_token: 'a-token', expires_in: 600 }) };
});

async function fileWith(content: unknown): Promise<string> {
  const file = join(folder, 'application_default_credentials.json');
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

const user = () => ({
  type: 'authorized_user',
  client_id: 'the-client',
  client_secret: 'the-secret',
  refresh_token: 'the-refresh',
  token_uri: uri,
});

describe('application default credentials', () => {
  test('of a user are exchanged, and the token is kept until shortly before its end', async () => {
    await fileWith(user());
    let now = 1_000_000;
    const token = createDefaultToken({ env: { CLOUDSDK_CONFIG: folder }, pool, now: () => now });
    expect([await token(), await token()]).toEqual(['a-token', 'a-token']);
    expect(asked.map((form) => Object.fromEntries(form))).toEqual([
      {
        grant_type: 'refresh_token',
        client_id: 'the-client',
        client_secret: 'the-secret',
        refresh_token: 'the-refresh',
      },
    ]);
    now += 500_000;
    await token();
    expect(asked).toHaveLength(2);
  });

  test('of a service account sign a statement that its public key proves', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const file = await fileWith({
      type: 'service_account',
      client_email: 'reader@lab.example',
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      private_key_id: 'k1',
      token_uri: uri,
    });
    const env = { GOOGLE_APPLICATION_CREDENTIALS: file };
    expect(await createDefaultToken({ env, pool, now: () => 1_700_000_000_000 })()).toBe('a-token');
    const [head = '', claims = '', signature = ''] = (asked[0]?.get('assertion') ?? '').split('.');
    expect(
      createVerify('RSA-SHA256').update(`${head}.${claims}`).verify(publicKey, signature, 'base64url'),
    ).toBe(true);
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toEqual({
      iss: 'reader@lab.example',
      scope: 'https://www.googleapis.com/auth/devstorage.read_only',
      aud: uri,
      iat: 1_700_000_000,
      exp: 1_700_003_600,
    });
  });

  test('are not needed', async () => {
    expect(await createDefaultToken({ env: { HOME: join(folder, 'nobody') }, pool })()).toBeUndefined();
    expect(await createDefaultToken({ env: {}, pool })()).toBeUndefined();
  });

  test.each([
    ['a refusal', () => fileWith(user()), { status: 400, body: '{"error":"invalid_grant the-refresh"}' }],
    ['an answer that is no token', () => fileWith(user()), { status: 200, body: 'the-secret' }],
    [
      'a file of another kind',
      () => fileWith({ type: 'external_account', client_secret: 'the-secret' }),
      undefined,
    ],
    ['a broken file', () => fileWith('{"client_secret": "the-secret'), undefined],
    [
      'a key that cannot sign',
      () =>
        fileWith({ type: 'service_account', client_email: 'a', private_key: 'the-secret', token_uri: uri }),
      undefined,
    ],
  ])('%s is permission, names the file and tells no secret', async (_, make, reply) => {
    const file = await make();
    if (reply !== undefined) answer = reply;
    const error = await createDefaultToken({ env: { GOOGLE_APPLICATION_CREDENTIALS: file }, pool })().catch(
      (one: unknown) => one,
    );
    expect(error).toMatchObject({ code: 'permission', item: file });
    expect(String(error) + JSON.stringify(error)).not.toMatch(/the-secret|the-refresh/);
  });

  test('a file that is named and missing is said', async () => {
    const env = { GOOGLE_APPLICATION_CREDENTIALS: join(folder, 'missing.json') };
    await expect(createDefaultToken({ env, pool })()).rejects.toMatchObject({ code: 'permission' });
  });
});
