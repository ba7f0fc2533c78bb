import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { TransportResult } from '../../../src/tcia/index.ts';
import { type AscpRig, openAscpRig } from './rig.ts';

let rig: AscpRig;
afterEach(() => rig?.remove());

const LARGE = Buffer.alloc(600_000, 'abcdefghi');

function done(result: TransportResult): string[] {
  return result.done.map(({ path }) => path);
}

function failed(result: TransportResult): [string, string][] {
  return result.failed.map(({ path, error }) => [path, error.code]);
}

function failures() {
  return rig.events.flatMap((event) => (event.type === 'attempt-failed' ? [event] : []));
}

async function tree(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  return names
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted();
}

async function privateFolders(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => /^carrel-ascp-(?!test-)/.test(name));
}

describe('a package over ascp', () => {
  test('arrives with its tree, names with blanks and ampersands, and equal base names', async () => {
    rig = await openAscpRig({
      'top.sums': 'sums',
      'a & b/x.xml': 'first',
      'c d/x.xml': 'second',
      'c d/größe.svs': LARGE,
    });
    const before = await privateFolders();
    const result = await rig.run();
    expect(failed(result)).toEqual([]);
    expect(result.done.toSorted((a, b) => a.path.localeCompare(b.path))).toEqual([
      { path: 'a & b/x.xml', local: 'a & b/x.xml', bytes: 5 },
      { path: 'c d/größe.svs', local: 'c d/größe.svs', bytes: 600_000 },
      { path: 'c d/x.xml', local: 'c d/x.xml', bytes: 6 },
      { path: 'top.sums', local: 'top.sums', bytes: 4 },
    ]);
    expect(await tree(rig.folder)).toEqual(['a & b/x.xml', 'c d/größe.svs', 'c d/x.xml', 'top.sums']);
    expect(await readFile(join(rig.folder, 'c d/x.xml'), 'utf8')).toBe('second');
    expect(await privateFolders()).toEqual(before);
  });

  test('under other names than in the package', async () => {
    rig = await openAscpRig({ 'a:b.xml': 'x' });
    await rig.run({}, { pairs: [{ path: 'a:b.xml', local: 'safe/a_b.xml', size: 1 }] });
    expect(await tree(rig.folder)).toEqual(['safe/a_b.xml']);
  });

  test('tells bytes that never go back, and each file once', async () => {
    rig = await openAscpRig({ 'a.bin': LARGE, 'b.bin': LARGE });
    rig.env['FAKE_ASCP_FAULT'] = 'die@1:800000';
    await rig.run();
    const bytes = rig.events.flatMap((event) => (event.type === 'bytes' ? [event.bytes] : []));
    expect(bytes).toEqual(bytes.toSorted((a, b) => a - b));
    expect(bytes.at(-1)).toBe(1_200_000);
    const files = rig.events.flatMap((event) => (event.type === 'file-done' ? [event.path] : []));
    expect(files.toSorted()).toEqual(['a.bin', 'b.bin']);
  });

  test('in sessions of a bounded number of files', async () => {
    rig = await openAscpRig(Object.fromEntries(Array.from({ length: 5 }, (_, at) => [`f${at}`, 'x'])));
    const result = await rig.run({ batch: 2 });
    expect(done(result)).toEqual(['f0', 'f1', 'f2', 'f3', 'f4']);
    expect(rig.asked).toEqual([['f0', 'f1'], ['f2', 'f3'], ['f4']]);
  });

  test('5,000 files with one base name arrive intact, in spite of a session that is lost', async () => {
    const paths = Array.from({ length: 5000 }, (_, at) => `case ${at}/image.xml`);
    rig = await openAscpRig(Object.fromEntries(paths.map((path) => [path, path])));
    rig.env['FAKE_ASCP_FAULT'] = 'lost@2:5000';
    const result = await rig.run();
    expect([result.done.length, result.failed.length]).toEqual([5000, 0]);
    for (const path of paths) expect(await readFile(join(rig.folder, path), 'utf8')).toBe(path);
    expect(await rig.runs()).toHaveLength(6);
  });

  test('a file of unknown size is done when ascp says how large it is', async () => {
    rig = await openAscpRig({ 'link.svs': 'bytes' });
    const result = await rig.run({}, { pairs: [{ path: 'link.svs', local: 'link.svs' }] });
    expect(result.done).toEqual([{ path: 'link.svs', local: 'link.svs', bytes: 5 }]);
  });

  test('what stands there whole is not sent again', async () => {
    rig = await openAscpRig({ a: 'same', b: 'new' });
    await writeFile(join(rig.folder, 'a'), 'same');
    expect(done(await rig.run())).toEqual(['a', 'b']);
  });
});

describe('what goes wrong and may pass is tried again, with a new token, for what is missing', () => {
  test('ascp that dies in the middle: the part is gone on with, and leaves nothing behind', async () => {
    rig = await openAscpRig({ small: 'x', 'large.bin': LARGE });
    rig.env['FAKE_ASCP_FAULT'] = 'die@1:300000';
    const result = await rig.run();
    expect(done(result)).toEqual(['small', 'large.bin']);
    expect(rig.asked.at(-1)).toContain('large.bin');
    expect(new Set(rig.tokens).size).toBe(2);
    expect(await tree(rig.folder)).toEqual(['large.bin', 'small']);
    expect((await readFile(join(rig.folder, 'large.bin'))).equals(LARGE)).toBe(true);
    expect(failures()).toMatchObject([{ attempt: 1, error: { retryable: true } }]);
  });

  test('a lost session (16): finished files are not asked for again', async () => {
    rig = await openAscpRig({ first: 'x', 'large.bin': LARGE });
    rig.env['FAKE_ASCP_FAULT'] = 'lost@1:200000';
    expect(done(await rig.run())).toEqual(['first', 'large.bin']);
    expect(rig.asked).toEqual([['first', 'large.bin'], ['large.bin']]);
    expect(failures()[0]?.error.message).toContain('the connection was lost');
  });

  test('a stall: ascp is ended, also when it does not listen', async () => {
    rig = await openAscpRig({ 'large.bin': LARGE });
    rig.env['FAKE_ASCP_FAULT'] = 'stall@1:100000;deaf@1';
    const result = await rig.run({ stallMs: 300, graceMs: 50 });
    expect(done(result)).toEqual(['large.bin']);
    expect(failures()[0]?.error.message).toContain('nothing came for');
  });

  test('a file that is left out without a word is asked for again', async () => {
    rig = await openAscpRig({ a: 'x', b: 'y' });
    rig.env['FAKE_ASCP_FAULT'] = 'missing@1:b';
    expect(done(await rig.run())).toEqual(['a', 'b']);
    expect(rig.asked).toEqual([['a', 'b'], ['b']]);
  });

  test('and is a failure when it stays away, although ascp reports success', async () => {
    rig = await openAscpRig({ a: 'x', b: 'y' });
    rig.env['FAKE_ASCP_FAULT'] = 'missing:b';
    const result = await rig.run();
    expect([done(result), failed(result)]).toEqual([['a'], [['b', 'network']]]);
    expect(result.failed[0]?.error.message).toContain('reported success');
  });

  test('a file that is shorter than ascp says does not stay under its name', async () => {
    rig = await openAscpRig({ a: 'x', 'b.bin': LARGE });
    rig.env['FAKE_ASCP_FAULT'] = 'short:b.bin';
    const result = await rig.run();
    expect([done(result), failed(result)]).toEqual([['a'], [['b.bin', 'verification']]]);
  });

  test('a token that expired before it was used', async () => {
    rig = await openAscpRig({ a: 'x' });
    rig.env['FAKE_ASCP_FAULT'] = 'expired@1';
    expect(done(await rig.run())).toEqual(['a']);
    expect(new Set(rig.tokens).size).toBe(2);
  });

  test('a port that speaks nonsense, a program without a word', async () => {
    rig = await openAscpRig({ a: 'x' });
    rig.env['FAKE_ASCP_FAULT'] = 'handshake@1;mute@2';
    expect(done(await rig.run())).toEqual(['a']);
    expect(failures().map(({ error }) => error.message)).toEqual([
      expect.stringContaining('out of turn'),
      expect.stringContaining('without a word'),
    ]);
  });

  test('an end without DONE: what it named and what stands there whole is not asked for again', async () => {
    rig = await openAscpRig({ a: 'x', b: 'y' });
    rig.env['FAKE_ASCP_FAULT'] = 'nodone@1;missing@1:b';
    expect(done(await rig.run())).toEqual(['a', 'b']);
    expect(rig.asked).toEqual([['a', 'b'], ['b']]);
    expect(failures()[0]?.error.message).toContain('in the middle');
  });

  test('a failure of the question for a spec', async () => {
    rig = await openAscpRig({ a: 'x' });
    const { CarrelError } = await import('../../../src/errors.ts');
    let asked = 0;
    const spec: AscpRig['spec'] = async (paths, signal) => {
      asked += 1;
      if (asked === 1) throw new CarrelError('network', 'no answer', { retryable: true });
      return await rig.spec(paths, signal);
    };
    expect(done(await rig.run({}, { spec }))).toEqual(['a']);
  });

  test('it ends: so many sessions in a row that bring nothing', async () => {
    rig = await openAscpRig({ a: 'x' });
    rig.env['FAKE_ASCP_FAULT'] = 'code:13';
    await expect(rig.run({ attempts: 3 })).rejects.toMatchObject({ code: 'network', retryable: true });
    expect(await rig.runs()).toHaveLength(3);
    expect(failures()).toHaveLength(2);
  });
});

describe('what does not pass is said at once', () => {
  test('files that the server does not have (27): named, the others arrive', async () => {
    rig = await openAscpRig({ a: 'x', lost: null, b: 'y' });
    const result = await rig.run();
    expect([done(result), failed(result)]).toEqual([['a', 'b'], [['lost', 'not-found']]]);
    expect(await rig.runs()).toHaveLength(1);
  });

  test('a refused sign-in (19) is the failure of the whole job, with the key as the next step', async () => {
    rig = await openAscpRig({ a: 'x' });
    rig.env['FAKE_ASCP_FAULT'] = 'auth';
    await expect(rig.run()).rejects.toMatchObject({
      code: 'permission',
      next: expect.stringContaining('--ssh-key') as string,
    });
    expect(await rig.runs()).toHaveLength(1);
  });

  test('no key', async () => {
    rig = await openAscpRig({ a: 'x' });
    await expect(rig.run({ key: undefined })).rejects.toMatchObject({ code: 'permission' });
    expect(await rig.runs()).toHaveLength(0);
  });

  test('a full disk in the middle: what is there is kept, the rest has the reason', async () => {
    rig = await openAscpRig({ a: 'x', 'b.bin': LARGE, 'c.bin': LARGE });
    rig.env['FAKE_ASCP_FAULT'] = 'full:300000';
    const result = await rig.run({ batch: 2 });
    expect(done(result)).toContain('a');
    expect(new Set(failed(result).map(([, code]) => code))).toEqual(new Set(['no-space']));
    expect(done(result).length + result.failed.length).toBe(3);
  });

  test('no such program', async () => {
    rig = await openAscpRig({ a: 'x' });
    await expect(rig.run({ ascp: join(rig.root, 'nothing') })).rejects.toMatchObject({ code: 'unsupported' });
  });

  test('a name with a line break is refused before anything is asked', async () => {
    rig = await openAscpRig({ a: 'x' });
    const pairs = [...rig.pairs, { path: 'b\nc', local: 'b_c' }];
    const result = await rig.run({}, { pairs });
    expect([done(result), failed(result)]).toEqual([['a'], [['b\nc', 'unsafe']]]);
    expect(rig.asked).toEqual([['a']]);
  });

  test('a server that offers other files than those asked for', async () => {
    rig = await openAscpRig({ a: 'x', b: 'y' });
    const spec: AscpRig['spec'] = async (paths, signal) => await rig.spec([...paths].reverse(), signal);
    await expect(rig.run({ attempts: 1 }, { spec })).rejects.toMatchObject({
      message: expect.stringContaining('another file') as string,
    });
    expect(await rig.runs()).toHaveLength(0);
  });

  test('other bytes than the listing says', async () => {
    rig = await openAscpRig({ a: 'four' });
    const result = await rig.run({}, { pairs: [{ path: 'a', local: 'a', size: 5 }] });
    expect(failed(result)).toEqual([['a', 'verification']]);
  });

  test('ascp that wrote another name', async () => {
    rig = await openAscpRig({ 'a b': 'x', c: 'y' });
    rig.env['FAKE_ASCP_FAULT'] = 'underscore: ';
    const result = await rig.run();
    expect([done(result), failed(result)]).toEqual([['c'], [['a b', 'network']]]);
  });

  test('a link in the place of a file is not taken for it', async () => {
    rig = await openAscpRig({ a: 'same' });
    await writeFile(join(rig.root, 'elsewhere'), 'same');
    await symlink(join(rig.root, 'elsewhere'), join(rig.folder, 'a'));
    expect(failed(await rig.run())).toEqual([['a', 'unsafe']]);
  });

  test('a file that happens to be called like a part of another is not removed', async () => {
    rig = await openAscpRig({ 'a.partial': 'mine', b: 'x' });
    await mkdir(join(rig.folder, 'sub'));
    expect(done(await rig.run())).toEqual(['a.partial', 'b']);
    expect(await tree(rig.folder)).toEqual(['a.partial', 'b']);
  });
});

describe('it can be stopped, and does not talk', () => {
  test('the signal ends ascp; nothing runs afterwards, the part is kept', async () => {
    rig = await openAscpRig({ 'large.bin': LARGE });
    rig.env['FAKE_ASCP_FAULT'] = 'stall:200000;deaf';
    const control = new AbortController();
    const onEvent = (event: { type: string }) => {
      if (event.type === 'bytes') control.abort();
    };
    const run = rig.run({ graceMs: 50 }, { signal: control.signal, onEvent });
    await expect(run).rejects.toMatchObject({ code: 'interrupted' });
    const [{ pid } = { pid: 0 }] = await rig.runs();
    expect(() => process.kill(pid, 0)).toThrow();
    expect((await tree(rig.folder)).toSorted()).toEqual(['large.bin.aspera-ckpt', 'large.bin.partial']);
  });

  test('a signal that was there before: nothing is started', async () => {
    rig = await openAscpRig({ a: 'x' });
    await expect(rig.run({}, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'interrupted' });
    expect(await rig.runs()).toEqual([]);
  });

  test.skipIf(process.platform !== 'linux')(
    'neither token nor cookie nor key is on the command line while it runs; private files are private',
    async () => {
      rig = await openAscpRig({ 'large.bin': LARGE });
      rig.env['FAKE_ASCP_FAULT'] = 'stall:100000';
      const control = new AbortController();
      const pem = await readFile(rig.keyFile, 'utf8');
      const run = rig.run(
        { graceMs: 50, key: { origin: 'ascli', path: '/gem', pem } },
        { signal: control.signal },
      );
      run.catch(() => {});
      while ((await rig.runs()).length === 0) await sleep(10);
      const [{ pid } = { pid: 0 }] = await rig.runs();
      const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
      const [token = ''] = rig.tokens;
      expect(words.length).toBeGreaterThan(10);
      for (const word of [...words, ...words.map((text) => Buffer.from(text, 'base64').toString())])
        for (const secret of [token, 'aspera.faspex20', 'PRIVATE KEY']) expect(word).not.toContain(secret);
      expect(await readFile(`/proc/${pid}/environ`, 'utf8')).toContain(`ASPERA_SCP_TOKEN=${token}`);
      const list = words.find((word) => word.startsWith('--file-pair-list='))?.split('=')[1] ?? '';
      const key = words[words.indexOf('-i') + 1] ?? '';
      for (const path of [list, key]) expect((await stat(path)).mode & 0o777).toBe(0o600);
      expect((await stat(join(list, '..'))).mode & 0o777).toBe(0o700);
      control.abort();
      await expect(run).rejects.toMatchObject({ code: 'interrupted' });
      await expect(stat(list)).rejects.toThrow('ENOENT');
    },
  );

  test('secrets that ascp repeats are taken out of errors', async () => {
    rig = await openAscpRig({ a: 'x' });
    rig.env['FAKE_ASCP_FAULT'] = 'leak';
    const error = await rig.run().catch((caught: unknown) => caught);
    expect(error).toMatchObject({ message: expect.stringContaining('[secret]') as string });
    const text = JSON.stringify([error, String(error), (error as Error).stack, rig.events]);
    for (const token of rig.tokens) expect(text).not.toContain(token);
  });

  test('variables of other services are not handed to the program', async () => {
    rig = await openAscpRig({ a: 'x' });
    rig.env['ASPERA_SCP_PASS'] = 'of another program';
    rig.env['CARREL_DRS_TOKEN'] = 'h=t';
    const { childEnv } = await import('../../../src/tcia/ascp/child-env.ts');
    expect(
      Object.keys(childEnv({ ...rig.env, AWS_SECRET_ACCESS_KEY: 's', PATH: '/bin' })).toSorted(),
    ).toEqual(['FAKE_ASCP_LOG', 'FAKE_ASCP_REGISTRY', 'PATH']);
  });
});
