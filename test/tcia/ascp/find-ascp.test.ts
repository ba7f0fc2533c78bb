import { createHash, createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { asperaFolders } from '../../../src/tcia/ascp/find-ascp.ts';
import { ascpVersion, findAscp, findKey, requireAscp } from '../../../src/tcia/index.ts';
import { FAKE_ASCP } from './rig.ts';

let root: string;
let machine: { env: Record<string, string>; platform: NodeJS.Platform; home: string };
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'carrel-find-'));
  machine = {
    env: { PATH: join(root, 'path'), CARREL_STATE_DIR: join(root, 'state') },
    platform: 'linux',
    home: join(root, 'home'),
  };
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function put(path: string, text = '#!/bin/sh\n', mode = 0o755): Promise<string> {
  const whole = join(root, path);
  await mkdir(dirname(whole), { recursive: true });
  await writeFile(whole, text);
  await chmod(whole, mode);
  return whole;
}

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
const PEM = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();

describe('ascp is found', () => {
  test('in this order: named, in the variable, installed by carrel, on the path, in a product of IBM', async () => {
    // /opt/aspera may hold one on the machine that runs this.
    expect(findAscp(machine)?.origin ?? 'IBM Aspera High-Speed Transfer').toBe(
      'IBM Aspera High-Speed Transfer',
    );
    const connect = await put('home/.aspera/connect/bin/ascp');
    expect(findAscp(machine)).toEqual({ path: connect, origin: 'IBM Aspera Connect' });
    const sdk = await put('home/.aspera/sdk/ascp');
    expect(findAscp(machine)).toEqual({ path: sdk, origin: 'IBM Aspera Transfer SDK' });
    const path = await put('path/ascp');
    expect(findAscp(machine)).toEqual({ path, origin: 'PATH' });
    const own = await put('state/ascp/ascp');
    expect(findAscp(machine)).toEqual({ path: own, origin: 'installed by carrel' });
    machine.env['CARREL_ASCP'] = sdk;
    expect(findAscp(machine)).toEqual({ path: sdk, origin: 'CARREL_ASCP' });
    expect(findAscp({ ...machine, ascp: connect })).toEqual({ path: connect, origin: '--ascp' });
    expect(findAscp({ ...machine, ascp: dirname(connect) })).toEqual({ path: connect, origin: '--ascp' });
  });

  test('what is no program is passed over, and refused where it was named', async () => {
    const plain = await put('path/ascp', 'text', 0o644);
    await put('home/.aspera/sdk/ascp');
    expect(findAscp(machine)?.origin).toBe('IBM Aspera Transfer SDK');
    expect(() => findAscp({ ...machine, ascp: plain })).toThrow('not a program');
    expect(() => findAscp({ ...machine, ascp: join(root, 'none') })).toThrow('does not exist');
  });

  test('on macOS and Windows in their own places', () => {
    const folders = (platform: NodeJS.Platform) =>
      asperaFolders({ env: { LOCALAPPDATA: 'L' }, platform, home: 'H' }).map(({ bin }) =>
        bin.replaceAll('\\', '/'),
      );
    expect(folders('darwin')).toContain('/Applications/IBM Aspera.app/Contents/Resources/transferd/bin');
    expect(folders('darwin')).toContain('/Applications/IBM Aspera Connect.app/Contents/Resources');
    expect(folders('win32')).toContain('L/Programs/Aspera/Aspera Connect/bin');
  });

  test('where there is none, the error says how to get one', () => {
    const nowhere = { ...machine, env: { ...machine.env, CARREL_ASCP: '' } };
    if (findAscp(nowhere) !== undefined) return;
    expect(() => requireAscp(nowhere)).toThrow('there is no ascp on this machine');
  });
});

describe('the version of ascp', () => {
  test('is what it says itself', async () => {
    expect(await ascpVersion(FAKE_ASCP, { env: { ...process.env, FAKE_ASCP_VERSION: '4.4.5.1' } })).toBe(
      '4.4.5.1',
    );
  });

  test('a program that is another, that fails, that cannot be started, that hangs', async () => {
    const other = await put('other', '#!/bin/sh\necho hello\n');
    const failing = await put('failing', '#!/bin/sh\necho GLIBC_2.28 not found >&2\nexit 1\n');
    const foreign = await put('foreign', 'not a program');
    const hanging = await put('hanging', '#!/bin/sh\nexec sleep 100\n');
    const { env } = process;
    await expect(ascpVersion(other, { env })).rejects.toThrow('does not say its version');
    await expect(ascpVersion(failing, { env })).rejects.toThrow('GLIBC_2.28 not found');
    await expect(ascpVersion(foreign, { env })).rejects.toMatchObject({ code: 'unsupported' });
    await expect(ascpVersion(hanging, { env, timeoutMs: 200 })).rejects.toThrow('did not answer');
  });
});

describe('the client key is found', () => {
  test('named, in the variable, beside ascp, in products; the RSA key before the old one', async () => {
    expect(findKey(machine)).toBeUndefined();
    const old = await put('home/.aspera/connect/etc/asperaweb_id_dsa.openssh', PEM);
    expect(findKey(machine)).toEqual({ origin: 'IBM Aspera Connect', path: old });
    const good = await put('home/.aspera/connect/etc/aspera_tokenauth_id_rsa', PEM);
    expect(findKey(machine)).toEqual({ origin: 'IBM Aspera Connect', path: good });
    const beside = await put('elsewhere/etc/aspera_tokenauth_id_rsa', PEM);
    const ascp = join(root, 'elsewhere/bin/ascp');
    expect(findKey({ ...machine, ascp })).toEqual({ origin: 'beside ascp', path: beside });
    machine.env['CARREL_ASCP_KEY'] = old;
    expect(findKey(machine)).toEqual({ origin: 'CARREL_ASCP_KEY', path: old });
    expect(findKey({ ...machine, key: good })).toEqual({ origin: '--ssh-key', path: good });
  });

  test('a file that is no key is passed over, and refused where it was named', async () => {
    const text = await put('home/.aspera/sdk/aspera_bypass_rsa.pem', 'no key');
    expect(findKey(machine)).toBeUndefined();
    expect(() => findKey({ ...machine, key: text })).toThrow('not a private key');
    expect(() => findKey({ ...machine, key: join(root, 'none') })).toThrow('cannot be read');
  });

  test('in the gem of ascli, turned into PEM, if its bytes are the known ones', async () => {
    const der = privateKey.export({ type: 'pkcs1', format: 'der' });
    const path = await put('home/.gem/ruby/3.3.0/gems/aspera-cli-4.26.1/lib/aspera/data/2');
    await writeFile(path, der);
    expect(findKey(machine)).toBeUndefined();
    const gemKeySha256 = createHash('sha256').update(der).digest('hex');
    const found = findKey({ ...machine, gemKeySha256 });
    expect(found).toEqual({ origin: 'ascli', path, pem: PEM });
    expect(createPrivateKey(found?.pem ?? '').asymmetricKeyType).toBe('rsa');
    const other = {
      ...machine,
      home: join(root, 'nobody'),
      env: { GEM_HOME: join(machine.home, '.gem/ruby/3.3.0') },
    };
    expect(findKey({ ...other, gemKeySha256 })?.path).toBe(path);
  });
});
