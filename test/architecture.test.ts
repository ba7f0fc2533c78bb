import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

/** Room → rooms that it may import. What is not in this table is forbidden. Drawn in docs/architecture.md. */
const MAY_IMPORT: Record<string, string[]> = {
  'errors.ts': [],
  'version.ts': [],
  identifiers: ['errors.ts'],
  stores: ['identifiers', 'errors.ts', 'version.ts'],
  archives: ['identifiers', 'errors.ts'],
  catalog: ['stores', 'archives', 'identifiers', 'errors.ts'],
  locations: ['catalog', 'stores', 'archives', 'identifiers', 'errors.ts'],
  transfer: ['locations', 'stores', 'archives', 'identifiers', 'errors.ts'],
  manifests: ['locations', 'catalog', 'archives', 'identifiers', 'errors.ts', 'version.ts'],
  cohort: ['transfer', 'manifests', 'locations', 'catalog', 'stores', 'archives', 'identifiers', 'errors.ts'],
  copies: ['transfer', 'manifests', 'locations', 'stores', 'archives', 'identifiers', 'errors.ts'],
  sample: ['archives', 'identifiers', 'errors.ts', 'version.ts'],
  serve: ['catalog', 'locations', 'stores', 'archives', 'identifiers', 'errors.ts', 'version.ts'],
  tcia: [
    'cohort',
    'transfer',
    'manifests',
    'locations',
    'catalog',
    'stores',
    'archives',
    'identifiers',
    'errors.ts',
    'version.ts',
  ],
  cli: [
    'tcia',
    'cohort',
    'copies',
    'sample',
    'serve',
    'transfer',
    'manifests',
    'locations',
    'catalog',
    'stores',
    'archives',
    'identifiers',
    'errors.ts',
    'version.ts',
  ],
  'index.ts': [
    'cohort',
    'transfer',
    'manifests',
    'locations',
    'catalog',
    'stores',
    'archives',
    'identifiers',
    'errors.ts',
    'version.ts',
  ],
};

/** Words that say nothing; a room or file named so hides what it holds. */
const EMPTY_NAMES = /(^|[/-])(utils?|core|common|helpers?|services?|misc)(\.ts|\/|$)/;

function sourceFiles(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return sourceFiles(path);
    return name.endsWith('.ts') ? [path] : [];
  });
}

/** The room of a file: its first folder below the root, or the file itself where it stands at the top. */
function roomOf(path: string): string {
  return path.split('/')[0] ?? path;
}

/** Every import that the table does not allow, as `from → to`; and every import past another room's door. */
function violations(root: string): string[] {
  const found: string[] = [];
  for (const file of sourceFiles(root)) {
    const from = relative(root, file);
    const room = roomOf(from);
    const allowed = MAY_IMPORT[room];
    if (allowed === undefined) found.push(`${from}: no room of that name`);
    const text = readFileSync(file, 'utf8');
    for (const [, specifier] of text.matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g)) {
      const target = relative(root, join(file, '..', specifier ?? ''));
      const targetRoom = roomOf(target);
      if (targetRoom === room) continue;
      if (!allowed?.includes(targetRoom)) found.push(`${from} → ${target}`);
      else if (target.includes('/') && !target.endsWith('/index.ts'))
        found.push(`${from} → ${target} (past the door)`);
    }
  }
  return found;
}

describe('the house', () => {
  test('imports point the way the table says, and through the doors', () => {
    expect(violations('src')).toEqual([]);
  });

  test('the check sees a planted violation', () => {
    expect(violations('test/fixtures/planted-house')).toEqual([
      'identifiers/upwards.ts → stores/index.ts',
      'locations/past-the-door.ts → stores/secret.ts (past the door)',
      'services/nameless.ts: no room of that name',
    ]);
  });

  test('no file or folder has a name that says nothing', () => {
    expect(sourceFiles('src').filter((file) => EMPTY_NAMES.test(relative('src', file)))).toEqual([]);
  });

  test('the median source file has about a hundred lines, and a long one gives its reason', () => {
    const files = sourceFiles('src').map((file) => {
      const text = readFileSync(file, 'utf8');
      return { file, lines: text.split('\n').length, head: text.slice(0, 1500) };
    });
    const sorted = files.map(({ lines }) => lines).sort((a, b) => a - b);
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThanOrEqual(130);
    expect(
      files
        .filter(({ lines, head }) => lines > 300 && !/one file because/i.test(head))
        .map(({ file, lines }) => `${file}: ${lines}`),
    ).toEqual([]);
  });

  test('every room has its page under docs/ and its tests', () => {
    const rooms = readdirSync('src').filter((name) => statSync(join('src', name)).isDirectory());
    const docs = readdirSync('docs');
    const tests = readdirSync('test');
    expect(rooms.filter((room) => !docs.includes(`${room}.md`))).toEqual([]);
    expect(rooms.filter((room) => !tests.includes(room))).toEqual([]);
  });
});
