import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { VERSION } from '../src/version.ts';

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  version: string;
  exports: Record<string, { default: string } | string>;
};

/** Values that a subpath exports (types leave no trace at run time). */
async function surface(subpath: string): Promise<string[]> {
  const entry = manifest.exports[subpath];
  if (entry === undefined || typeof entry === 'string') throw new Error(`no export ${subpath}`);
  const module = (await import(
    `../${entry.default.replace('./dist/', 'src/').replace(/\.js$/, '.ts')}`
  )) as Record<string, unknown>;
  return Object.keys(module).sort();
}

describe('the public surface', () => {
  test('the version is that of the package', () => {
    expect(VERSION).toBe(manifest.version);
  });

  test('every room is a subpath', () => {
    expect(Object.keys(manifest.exports)).toMatchInlineSnapshot(`
      [
        ".",
        "./archives",
        "./catalog",
        "./cohort",
        "./copies",
        "./errors",
        "./identifiers",
        "./locations",
        "./manifests",
        "./sample",
        "./serve",
        "./stores",
        "./transfer",
        "./tcia",
        "./package.json",
      ]
    `);
  });

  test.each(Object.keys(manifest.exports).filter((name) => name !== './package.json'))(
    '%s exports what it promises',
    async (subpath) => {
      await expect((await surface(subpath)).join('\n')).toMatchFileSnapshot(
        `golden/surface/${subpath === '.' ? 'index' : subpath.slice(2)}.txt`,
      );
    },
  );
});
