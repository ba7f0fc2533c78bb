/** `carrel doctor --speed`, and what `get --from auto` makes of it. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { jsonLines, openReadingRoom, type ReadingRoom, versionIn } from './carrel.ts';

let room: ReadingRoom;
let env: Record<string, string>;

beforeAll(async () => {
  room = await openReadingRoom();
  env = { CARREL_STATE_DIR: join(room.folder, 'state'), CARREL_FROM: 'auto' };
});
afterAll(async () => await room?.close());
afterEach(async () => {
  room.s3.faults.length = 0;
  room.gcs.faults.length = 0;
  await rm(join(room.folder, 'state'), { recursive: true, force: true });
});

interface Told {
  findings: { check: string; state: string; detail: string }[];
  speed: { mirror: string; reachable: boolean; bytes?: number; bytesPerSecond?: number; error?: string }[];
  use: { mirror: string | null; why: string };
}

async function speed(more: Record<string, string> = {}): Promise<{ code: number | null; told: Told }> {
  const { code, stdout } = await room.run(['doctor', '--speed', '--json'], { env: { ...env, ...more } });
  return { code, told: JSON.parse(stdout) as Told };
}

describe('carrel doctor --speed', () => {
  test('measures every mirror within its bounds, and names the one that will be used', async () => {
    const { code, told } = await speed();
    expect(code).toBe(0);
    expect(told.speed.map(({ mirror, reachable }) => [mirror, reachable])).toEqual([
      ['aws', true],
      ['gcs', true],
    ]);
    for (const { bytes = 0, bytesPerSecond = 0 } of told.speed) {
      expect(bytes).toBeGreaterThan(0);
      expect(bytes).toBeLessThan(40_000_000);
      expect(bytesPerSecond).toBeGreaterThan(0);
    }
    expect(told.use.why).not.toBe('');
    const kept = JSON.parse(await readFile(join(room.folder, 'state', 'mirrors.json'), 'utf8')) as object;
    expect(
      Object.keys(kept)
        .map((id) => id.split(' ')[0] ?? '')
        .toSorted((a, b) => a.localeCompare(b)),
    ).toEqual(['aws', 'gcs']);
  });

  test('a slow mirror is not the one; get begins with the other, for a week', async () => {
    room.s3.faults.push({ path: '.dcm', fault: { kind: 'delay', milliseconds: 400 } });
    const { told } = await speed();
    expect(told.use).toMatchObject({ mirror: 'gcs', why: expect.stringContaining('times as fast as aws') });
    room.s3.faults.length = 0;
    const series = versionIn(room.facts.revisedTwice);
    const get = async () => {
      const out = await room.newFolder();
      const { stdout, code, stderr } = await room.run(
        ['get', series.version.uuid, '-o', out, '--json', '--no-reuse'],
        { env },
      );
      expect(code, stderr).toBe(0);
      const files = jsonLines(stdout).filter(({ type }) => type === 'file');
      return files.map(({ mirror }) => mirror);
    };
    expect(new Set((await get()).slice(0, 4))).toEqual(new Set(['gcs']));
    // Eight days later.
    const path = join(room.folder, 'state', 'mirrors.json');
    const kept = JSON.parse(await readFile(path, 'utf8')) as Record<string, { at: number }>;
    for (const one of Object.values(kept)) one.at -= 8 * 86_400_000;
    await writeFile(path, JSON.stringify(kept));
    expect(await get()).toContain('aws');
  });

  test('a mirror that cannot be reached is said to be so, and the other is used', async () => {
    room.s3.faults.push({ fault: { kind: 'status', status: 403 } });
    const { code, told } = await speed();
    expect(code).toBe(1);
    expect(told.speed[0]).toMatchObject({ mirror: 'aws', reachable: false, error: expect.any(String) });
    expect(told.use).toEqual({ mirror: 'gcs', why: 'no other mirror can be reached' });
  });

  test('where none can be reached, none is named', async () => {
    for (const server of [room.s3, room.gcs]) server.faults.push({ fault: { kind: 'status', status: 403 } });
    const { code, told } = await speed();
    expect(code).toBe(1);
    expect(told.use).toEqual({ mirror: null, why: 'no mirror can be reached' });
    expect(told.findings.at(-1)).toMatchObject({ check: 'mirror to use', state: 'fail' });
  });

  test('a mirror that was chosen is used, however fast it is', async () => {
    const { told } = await speed({ CARREL_FROM: 'gcs' });
    expect(told.use).toMatchObject({ mirror: 'gcs', why: expect.stringContaining('chosen') });
  });
});

describe('carrel get --names', () => {
  test('refuses another word', async () => {
    const { code, stderr } = await room.run(['get', 's3://any/*', '--names', 'lenient']);
    expect(code).toBe(2);
    expect(stderr).toContain('strict, escape');
  });
});
