import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { sampleFacts } from '../../src/sample/index.ts';
import { objectKeys, sampleMadeOnce } from './made-once.ts';

const { root } = sampleMadeOnce(0);
const facts = sampleFacts({ scale: 0 });

interface Hashed {
  level: string;
  id: string;
  uuid: string;
  rev: number;
  final: number | null;
  hash: string;
  size?: number;
  bucket?: string;
  withdrawn?: number;
  children?: string[];
}

async function record(): Promise<{
  releases: { release: string; hash: string; children: string[] }[];
  versions: Hashed[];
}> {
  return JSON.parse(await readFile(path.join(root(), 'hashes.json'), 'utf8'));
}

const md5 = (data: string | Buffer): string => createHash('md5').update(data).digest('hex');
const merkle = (hashes: string[]): string => md5([...hashes].sort().join(''));

describe('hashes', () => {
  test('of instances are those of the files, in every folder where they stand', async () => {
    const { versions } = await record();
    const instances = new Map(
      versions.filter(({ level }) => level === 'instance').map((item) => [item.uuid, item]),
    );
    const keys = await objectKeys(root());
    for (const key of keys) {
      const file = await readFile(path.join(root(), 'buckets', key));
      const instance = instances.get(path.basename(key, '.dcm'));
      expect([key, instance?.hash, instance?.size]).toEqual([key, md5(file), file.length]);
    }
    expect(keys.length).toBeGreaterThan(1000);
  });

  test('of everything above follow from those below', async () => {
    const { versions, releases } = await record();
    const byUuid = new Map(versions.map((version) => [version.uuid, version]));
    const hashes = (uuids: string[]): string[] => uuids.map((uuid) => byUuid.get(uuid)?.hash ?? 'missing');
    const parents = versions.filter(({ level }) => level !== 'instance');
    for (const { hash, children } of parents) expect(hash).toBe(merkle(hashes(children ?? [])));
    for (const { hash, children } of releases) expect(hash).toBe(merkle(hashes(children)));
    expect(new Set(parents.map(({ level }) => level))).toEqual(
      new Set(['collection', 'patient', 'study', 'series']),
    );
    expect(new Set(releases.map(({ hash }) => hash)).size).toBe(3);
  });

  test('a uuid names one thing, at one level', async () => {
    const { versions } = await record();
    expect(new Set(versions.map(({ uuid }) => uuid)).size).toBe(versions.length);
    for (const { uuid } of versions) {
      expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
  });

  test('a release holds exactly what its tree says: nothing of it has ended, all of it has begun', async () => {
    const { versions, releases } = await record();
    const byUuid = new Map(versions.map((version) => [version.uuid, version]));
    for (const [index, { children }] of releases.entries()) {
      const queue = [...children];
      for (let uuid = queue.pop(); uuid !== undefined; uuid = queue.pop()) {
        const version = byUuid.get(uuid);
        expect(version?.rev).toBeLessThanOrEqual(index + 1);
        expect(version?.final ?? 3).toBeGreaterThanOrEqual(index + 1);
        queue.push(...(version?.children ?? []));
      }
    }
  });

  test('what was withdrawn is a tombstone: hashes stay, files are gone', async () => {
    const { versions } = await record();
    const stones = versions.filter(({ withdrawn }) => withdrawn !== undefined);
    const keys = await objectKeys(root());
    expect(stones.filter(({ level }) => level === 'series').map(({ uuid }) => uuid)).toEqual(
      facts.withdrawn.versions.map(({ uuid }) => uuid),
    );
    expect(stones.filter(({ level }) => level === 'instance')).toHaveLength(12);
    for (const { uuid, withdrawn } of stones) {
      expect(withdrawn).toBe(3);
      expect(keys.filter((key) => key.includes(uuid))).toEqual([]);
    }
  });
});

describe('files of several versions', () => {
  const fileOf = (bucket: string, series: string | undefined, instance: string): Promise<Buffer> =>
    readFile(path.join(root(), 'buckets', bucket, series ?? '', `${instance}.dcm`));

  test.each(['corrected', 'added', 'removed', 'revisedTwice'] as const)(
    '%s: unchanged instances stand again under the new series, byte for byte',
    async (what) => {
      const { bucket, versions } = facts[what];
      for (const [index, young] of versions.entries()) {
        const old = versions[index - 1];
        if (old === undefined) continue;
        const kept = [...young.instances].filter(([sop, uuid]) => old.instances.get(sop) === uuid);
        expect(kept.length).toBeGreaterThan(20);
        for (const [, uuid] of kept) {
          const [before, after] = [
            await fileOf(bucket, old.uuid, uuid),
            await fileOf(bucket, young.uuid, uuid),
          ];
          expect(before.equals(after)).toBe(true);
        }
      }
    },
  );

  test('a corrected instance keeps its UID and its length, and has other bytes', async () => {
    const { bucket, versions } = facts.corrected;
    const [old, young] = versions;
    const changed = [...(old?.instances ?? [])].filter(([sop, uuid]) => young?.instances.get(sop) !== uuid);
    expect(changed).toHaveLength(1);
    const [sop = '', uuid = ''] = changed[0] ?? [];
    const before = await fileOf(bucket, old?.uuid, uuid);
    const after = await fileOf(bucket, young?.uuid, young?.instances.get(sop) ?? '');
    expect(before.length).toBe(after.length);
    expect(before.equals(after)).toBe(false);
    for (const file of [before, after]) expect(file.includes(sop)).toBe(true);
  });

  test('a moved series has the same bytes under new names', async () => {
    for (const { from, to } of facts.moved) {
      const [old, young] = [from.versions[0], to.versions[0]];
      for (const [sop, uuid] of old?.instances ?? []) {
        const newUuid = young?.instances.get(sop) ?? '';
        expect(newUuid).not.toBe(uuid);
        expect(
          (await fileOf(from.bucket, old?.uuid, uuid)).equals(await fileOf(to.bucket, young?.uuid, newUuid)),
        ).toBe(true);
      }
    }
  });
});
