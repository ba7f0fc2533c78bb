import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Listener, listen } from '../../../src/serve/index.ts';
import { createHttpPool, type HttpPool } from '../../../src/stores/index.ts';
import { chooseSdk, parseSdkLocations, sdkPlatform } from '../../../src/tcia/ascp/sdk-locations.ts';
import { findKey, installAscp, planAscp } from '../../../src/tcia/index.ts';
import { makeTar } from '../unzip/make-tar.ts';
import { makeZip } from '../unzip/make-zip.ts';
import { FAKE_ASCP } from './rig.ts';

const LIST = `---
# locations
- url: https://sdk.example/1.1.2/linux-amd64-1.1.2.tar.gz
  version: 1.1.2
  os: linux
  arch: x86_64
  platform: linux-x86_64
  comment: ascp 4.4.3.891 GLIBC 2.17
- url: "https://sdk.example/1.1.10/linux-amd64.tar.gz"
  version: 1.1.10 # newest
  platform: 'linux-x86_64'
  comment: "Beta \\"version\\": not for production."
  unknown_key: x
- version: 9
  platform: linux-x86_64
- url: https://sdk.example/mac.zip
  version: 1.1.9
  platform: osx-universal
- url: https://sdk.example/win.zip
  version: 1.1.9
  os: windows
  arch: x86_64
`;

let root: string;
let http: HttpPool;
let listener: Listener | undefined;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'carrel-install-'));
  http = createHttpPool();
});
afterEach(async () => {
  await http.close();
  await listener?.close();
  listener = undefined;
  await rm(root, { recursive: true, force: true });
});

async function sdk(program?: string | Uint8Array): Promise<Buffer> {
  return gzipSync(
    makeTar([
      { name: 'linux-amd64/bin/', kind: '5' },
      { name: 'linux-amd64/bin/ascp', bytes: program ?? (await readFile(FAKE_ASCP)), mode: 0o755 },
      { name: 'linux-amd64/lib/libcrypto.so.3', bytes: 'library' },
      { name: 'linux-amd64/lib/libcrypto.so', kind: '2', link: 'libcrypto.so.3' },
      { name: 'linux-amd64/lib/libgone.so', kind: '2', link: '/usr/lib/libgone.so' },
      { name: 'linux-amd64/aspera/aspera-license', bytes: 'licence' },
      { name: 'linux-amd64/include/transferd.proto', bytes: 'not wanted' },
    ]),
  );
}

async function install(options: Partial<Parameters<typeof installAscp>[0]> = {}) {
  const folder = join(root, 'data', 'ascp');
  return await installAscp({
    source: { url: '' },
    http,
    folder,
    env: process.env,
    platform: 'linux',
    retryDelayMs: 1,
    ...options,
  });
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('IBM’s list of SDKs', () => {
  test('is a flat list of plain and quoted texts; what cannot be used is passed over', () => {
    expect(parseSdkLocations(LIST)).toEqual([
      {
        url: 'https://sdk.example/1.1.2/linux-amd64-1.1.2.tar.gz',
        version: '1.1.2',
        platform: 'linux-x86_64',
        comment: 'ascp 4.4.3.891 GLIBC 2.17',
      },
      {
        url: 'https://sdk.example/1.1.10/linux-amd64.tar.gz',
        version: '1.1.10',
        platform: 'linux-x86_64',
        comment: 'Beta "version": not for production.',
      },
      { url: 'https://sdk.example/mac.zip', version: '1.1.9', platform: 'osx-universal', comment: '' },
      { url: 'https://sdk.example/win.zip', version: '1.1.9', platform: 'windows-x86_64', comment: '' },
    ]);
    expect(() => parseSdkLocations('<html>sign in</html>')).toThrow('not IBM’s list');
  });

  test('the newest archive for the system is taken; others are named', () => {
    const list = parseSdkLocations(LIST);
    expect(chooseSdk(list, 'linux', 'x64').version).toBe('1.1.10');
    expect(chooseSdk(list, 'darwin', 'arm64').url).toContain('mac.zip');
    expect(chooseSdk(list, 'win32', 'x64').url).toContain('win.zip');
    expect(() => chooseSdk(list, 'linux', 'riscv64')).toThrow('IBM has no ascp');
    expect(() => chooseSdk(list, 'linux', 'arm64')).toThrow('linux-arm64');
    expect(sdkPlatform('linux', 's390x')).toBe('linux-s390');
    expect(sdkPlatform('freebsd', 'x64')).toBeUndefined();
  });
});

describe('ascp is installed', () => {
  test('from an archive on this disk, without a network: flat, executable, proven', async () => {
    const archive = join(root, 'sdk.tar.gz');
    const bytes = await sdk();
    await writeFile(archive, bytes);
    const url = pathToFileURL(archive).href;
    expect(await planAscp({ http, from: url })).toEqual({ url });
    const installed = await install({ source: { url }, sha256: sha256(bytes) });
    const folder = join(root, 'data', 'ascp');
    expect(installed).toEqual({
      path: join(folder, 'ascp'),
      version: '4.4.7.1234',
      sha256: sha256(bytes),
      licensed: true,
      files: 4,
    });
    expect((await readdir(folder)).toSorted()).toEqual([
      'ascp',
      'aspera-license',
      'libcrypto.so',
      'libcrypto.so.3',
    ]);
    expect(await readFile(join(folder, 'libcrypto.so'), 'utf8')).toBe('library');
    expect(await readdir(join(root, 'data'))).toEqual(['ascp']);
  });

  test('by way of the list, over HTTP, after a redirect and a failure; an earlier one is replaced', async () => {
    const bytes = await sdk();
    let failures = 1;
    listener = await listen({
      fetch: async (request) => {
        const { pathname, origin } = new URL(request.url);
        if (pathname === '/sdk_location') return Response.redirect(`${origin}/list.yaml`, 302);
        const platform = sdkPlatform(process.platform, process.arch);
        if (pathname === '/list.yaml')
          return new Response(`- url: ${origin}/sdk.tar.gz\n  version: 1.1.9\n  platform: ${platform}\n`);
        if (failures > 0) {
          failures -= 1;
          return new Response('busy', { status: 503 });
        }
        return new Response(new Uint8Array(bytes));
      },
    });
    const source = await planAscp({ http, from: `${listener.url}/sdk_location` });
    expect(source).toMatchObject({ url: `${listener.url}/sdk.tar.gz`, version: '1.1.9' });
    await mkdir(join(root, 'data', 'ascp'), { recursive: true });
    await writeFile(join(root, 'data', 'ascp', 'ascp'), 'old');
    expect((await install({ source })).version).toBe('4.4.7.1234');
  });

  test('from a ZIP archive', async () => {
    const archive = join(root, 'sdk.zip');
    const program = await readFile(FAKE_ASCP);
    await writeFile(archive, makeZip([{ name: 'mac/bin/ascp', bytes: program }]));
    const installed = await install({ source: { url: archive } });
    expect([installed.version, installed.licensed]).toEqual(['4.4.7.1234', false]);
  });
});

describe('the client key is brought where it is asked for', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const der = privateKey.export({ type: 'pkcs1', format: 'der' });
  const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  const key = () => join(root, 'data', 'ascp', 'aspera_tokenauth_id_rsa');

  async function withKey(keyFrom: string | undefined, gemKeySha256 = sha256(der)) {
    const archive = join(root, 'sdk.tar.gz');
    await writeFile(archive, await sdk());
    return await install({ source: { url: archive }, keyFrom, gemKeySha256 });
  }

  test('from a server, if it is the known one; found beside ascp then, and kept by the next installation', async () => {
    listener = await listen({ fetch: async () => new Response(new Uint8Array(der)) });
    expect((await withKey(`${listener.url}/data/2`)).key).toBe(key());
    expect(await readFile(key(), 'utf8')).toBe(pem);
    expect((await stat(key())).mode & 0o777).toBe(0o600);
    const { path } = await withKey(undefined);
    expect(findKey({ env: {}, home: root, ascp: path })).toEqual({ origin: 'beside ascp', path: key() });
  });

  test('other bytes are refused, and nothing is installed', async () => {
    listener = await listen({ fetch: async () => new Response(pem) });
    await expect(withKey(listener.url)).rejects.toMatchObject({ code: 'verification' });
    await expect(withKey(listener.url, '0'.repeat(64))).rejects.toMatchObject({ code: 'verification' });
    expect(await readdir(join(root, 'data'))).toEqual([]);
  });

  test('from a file: also a key of one’s own in PEM form', async () => {
    await writeFile(join(root, 'own.pem'), pem);
    expect((await withKey(join(root, 'own.pem'), '0'.repeat(64))).key).toBe(key());
    await expect(withKey(join(root, 'none.pem'))).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('nothing is left behind where it goes wrong', () => {
  async function failure(url: string, options: Partial<Parameters<typeof installAscp>[0]> = {}) {
    const error = await install({ source: { url }, ...options }).catch((caught: unknown) => caught);
    expect(await readdir(join(root, 'data')).catch(() => [])).toEqual([]);
    return error;
  }

  test('other bytes than expected', async () => {
    const archive = join(root, 'sdk.tar.gz');
    await writeFile(archive, await sdk());
    expect(await failure(archive, { sha256: '0'.repeat(64) })).toMatchObject({ code: 'verification' });
  });

  test('a program that does not run: the earlier one stays', async () => {
    const archive = join(root, 'sdk.tar.gz');
    await writeFile(archive, await sdk('#!/bin/sh\necho GLIBC_2.28 not found >&2\nexit 1\n'));
    expect(await failure(archive)).toMatchObject({ code: 'unsupported' });
    await mkdir(join(root, 'data', 'ascp'), { recursive: true });
    await writeFile(join(root, 'data', 'ascp', 'ascp'), 'old');
    await expect(install({ source: { url: archive } })).rejects.toThrow('GLIBC');
    expect(await readFile(join(root, 'data', 'ascp', 'ascp'), 'utf8')).toBe('old');
  });

  test('an archive without ascp, a hostile one, one that is cut short, none at all', async () => {
    const archive = join(root, 'sdk.tar.gz');
    await writeFile(archive, gzipSync(makeTar([{ name: 'x/lib/a', bytes: 'x' }])));
    expect(await failure(archive)).toMatchObject({ code: 'bad-input' });
    await writeFile(archive, gzipSync(makeTar([{ name: '../../bin/ascp', bytes: 'x' }])));
    expect(await failure(archive)).toMatchObject({ code: 'unsafe' });
    await writeFile(archive, (await sdk()).subarray(0, 500));
    expect(await failure(archive)).toMatchObject({ code: 'verification' });
    expect(await failure(join(root, 'none.tar.gz'))).toMatchObject({ code: 'not-found' });
  });

  test('a folder that holds other things is not replaced', async () => {
    const archive = join(root, 'sdk.tar.gz');
    await writeFile(archive, await sdk());
    await mkdir(join(root, 'data', 'ascp'), { recursive: true });
    await writeFile(join(root, 'data', 'ascp', 'thesis.txt'), 'mine');
    await expect(install({ source: { url: archive } })).rejects.toMatchObject({ code: 'usage' });
    expect(await readdir(join(root, 'data', 'ascp'))).toEqual(['thesis.txt']);
  });

  test('plain HTTP from another machine, unless the digest is known; addresses that are none', async () => {
    expect(await failure('http://sdk.example/sdk.zip')).toMatchObject({ code: 'unsafe' });
    expect(await failure('ftp://sdk.example/sdk.zip')).toMatchObject({ code: 'usage' });
  });

  test('404 says where to look', async () => {
    listener = await listen({ fetch: async () => new Response('no', { status: 404 }) });
    expect(await failure(`${listener.url}/sdk.zip`)).toMatchObject({ code: 'not-found', status: 404 });
  });
});
