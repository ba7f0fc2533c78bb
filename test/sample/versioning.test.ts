import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Release } from '../../src/sample/index.ts';
import { hashOf, revise, type Submission, type Version } from '../../src/sample/releases/tree.ts';

/** A study with the given instances, as `{ series: { sop: md5 } }`. */
function study(contents: Record<string, Record<string, string>>): Submission {
  return {
    id: 'study',
    children: Object.entries(contents).map(([id, files]) => ({
      id,
      children: Object.entries(files).map(([sop, md5]) => ({ id: sop, md5, children: [] })),
    })),
  };
}

/** The versions of a study over releases 1, 2, 3. */
function history(...releases: Record<string, Record<string, string>>[]): Version[] {
  const versions: Version[] = [];
  for (const [index, contents] of releases.entries()) {
    versions.push(revise(versions.at(-1), study(contents), 'study', ['seed'], (index + 1) as Release));
  }
  return versions;
}

function child(version: Version | undefined, ...path: string[]): Version | undefined {
  return path.reduce<Version | undefined>(
    (at, id) => at?.children.find((candidate) => candidate.id === id),
    version,
  );
}

describe('versioning', () => {
  test('what did not change stands again as it is', () => {
    const [first, second] = history({ a: { x: '1' } }, { a: { x: '1' } });
    expect(second).toBe(first);
    expect(first?.final).toBeNull();
  });

  test('a corrected instance gives new uuids to itself and all above it, and to nothing else', () => {
    const [first, second] = history(
      { a: { x: '1', y: '2' }, b: { z: '3' } },
      { a: { x: '9', y: '2' }, b: { z: '3' } },
    );
    for (const path of [[], ['a'], ['a', 'x']]) {
      expect(child(second, ...path)).toMatchObject({ init: 1, rev: 2, final: null });
      expect(child(second, ...path)?.uuid).not.toBe(child(first, ...path)?.uuid);
      expect(child(first, ...path)?.final).toBe(1);
    }
    expect(child(second, 'a', 'y')).toBe(child(first, 'a', 'y'));
    expect(child(second, 'b')).toBe(child(first, 'b'));
    expect(child(first, 'b')?.final).toBeNull();
  });

  test('adding or removing an instance revises the series though no file changed', () => {
    const [first, second, third] = history({ a: { x: '1' } }, { a: { x: '1', y: '2' } }, { a: { y: '2' } });
    const uuids = [first, second, third].map((version) => child(version, 'a')?.uuid);
    expect(new Set(uuids).size).toBe(3);
    expect(child(second, 'a', 'x')).toBe(child(first, 'a', 'x'));
    expect(child(third, 'a', 'y')).toBe(child(second, 'a', 'y'));
    expect(child(second, 'a', 'x')?.final).toBe(2);
    expect(child(second, 'a', 'y')).toMatchObject({ init: 2, rev: 2, final: null });
  });

  test('what goes and comes back is new', () => {
    const [first, , third] = history(
      { a: { x: '1' }, b: { z: '3' } },
      { b: { z: '3' } },
      { a: { x: '1' }, b: { z: '3' } },
    );
    expect(child(first, 'a')).toMatchObject({ init: 1, rev: 1, final: 1 });
    expect(child(first, 'a', 'x')?.final).toBe(1);
    expect(child(third, 'a')).toMatchObject({ init: 3, rev: 3, final: null });
    expect(child(third, 'a')?.uuid).not.toBe(child(first, 'a')?.uuid);
    expect(child(third, 'a')?.hash).toBe(child(first, 'a')?.hash);
  });

  test('a parent is hashed from the sorted hashes of its children', () => {
    expect(hashOf([])).toBe('');
    // md5 of "ab", by md5sum
    expect(hashOf(['b', 'a'])).toBe('187ef4436122d1cc2f40dc2b92f0eba0');
  });

  // A file holds the UIDs of its instance and series, so equal digests of different ones do not happen.
  const files = fc.dictionary(fc.constantFrom('x', 'y', 'z'), fc.constantFrom('1', '2'), { minKeys: 1 });
  const contents = fc
    .dictionary(fc.constantFrom('a', 'b', 'c'), files, { minKeys: 1 })
    .map((drawn) =>
      Object.fromEntries(
        Object.entries(drawn).map(([series, states]) => [
          series,
          Object.fromEntries(Object.entries(states).map(([sop, state]) => [sop, `${series}${sop}${state}`])),
        ]),
      ),
    );

  test('any history: one version per thing and release, uuids never reused, ranges that touch the facts', () => {
    fc.assert(
      fc.property(fc.tuple(contents, contents, contents), (releases) => {
        const versions = history(...releases);
        const seen = new Map<string, Version>();
        for (const [index, top] of versions.entries()) {
          const release = index + 1;
          const visit = (version: Version): void => {
            expect(seen.get(version.uuid) ?? version).toBe(version);
            seen.set(version.uuid, version);
            expect(version.rev).toBeLessThanOrEqual(release);
            expect(version.final ?? 3).toBeGreaterThanOrEqual(release);
            if (version.level !== 'instance')
              expect(version.hash).toBe(hashOf(version.children.map(({ hash }) => hash)));
            expect(new Set(version.children.map(({ id }) => id)).size).toBe(version.children.length);
            version.children.forEach(visit);
          };
          visit(top);
          const held = Object.fromEntries(
            top.children.map(({ id, children }) => [
              id,
              Object.fromEntries(children.map((file) => [file.id, file.hash])),
            ]),
          );
          expect(held).toEqual({ ...releases[index] });
        }
      }),
    );
  });
});
