import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { settle } from '../../src/cli/settings.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'carrel-settings-'));
  mkdirSync(join(home, 'project', 'deep'), { recursive: true });
  mkdirSync(join(home, 'user'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const settled = (
  options: { flags?: Record<string, string>; env?: Record<string, string>; useFiles?: boolean } = {},
) =>
  settle({
    flags: options.flags ?? {},
    env: { CARREL_CONFIG_DIR: join(home, 'user'), ...options.env },
    cwd: join(home, 'project', 'deep'),
    useFiles: options.useFiles ?? true,
  });

describe('settings', () => {
  test('flag beats variable beats project file beats user file beats default, and each says where it came from', () => {
    expect(settled().jobs).toEqual({ value: 'auto', origin: 'default' });
    writeFileSync(join(home, 'user', 'carrel.toml'), 'jobs = 2\n');
    expect(settled().jobs).toEqual({ value: '2', origin: join(home, 'user', 'carrel.toml') });
    writeFileSync(join(home, 'project', 'carrel.toml'), 'jobs = 3\n');
    expect(settled().jobs).toEqual({ value: '3', origin: join(home, 'project', 'carrel.toml') });
    expect(settled({ env: { CARREL_JOBS: '4' } }).jobs).toEqual({ value: '4', origin: 'CARREL_JOBS' });
    expect(settled({ env: { CARREL_JOBS: '4' }, flags: { jobs: '5' } }).jobs).toEqual({
      value: '5',
      origin: 'flag --jobs',
    });
    expect(settled({ useFiles: false }).jobs.origin).toBe('default');
  });

  test('mirrors may be written as a table', () => {
    writeFileSync(join(home, 'project', 'carrel.toml'), '[mirrors]\naws = "http://cache.example:9000"\n');
    expect(settled().mirrors.value).toEqual(['aws=http://cache.example:9000']);
  });

  test.each([
    ['jobbs = 3\n', 'unknown setting "jobbs"'],
    ['jobs = [\n', 'cannot read the configuration'],
    ['jobs = { a = 1 }\n', 'must be a text'],
  ])('a file with %j is refused, naming the file', (text, message) => {
    writeFileSync(join(home, 'project', 'carrel.toml'), text);
    expect(() => settled()).toThrow(
      expect.objectContaining({
        code: 'bad-input',
        item: join(home, 'project', 'carrel.toml'),
        message: expect.stringContaining(message),
      }),
    );
  });
});
