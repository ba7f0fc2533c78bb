import { describe, expect, test } from 'vitest';
import { type HangupTraces, isHangupIgnored } from '../../src/cli/hangup.ts';

const traces = (more: Partial<HangupTraces> & { files?: Record<string, string> } = {}): HangupTraces => ({
  env: { _: '/usr/bin/node' },
  read: (path) => more.files?.[path],
  link: () => undefined,
  parent: 42,
  ...more,
});
const status = (mask: string) => `Name:\tbash\nSigBlk:\t0000000000000000\nSigIgn:\t${mask}\nSigCgt:\t00\n`;

describe('SIGHUP is ignored again where nohup had it ignored', () => {
  test.each([
    ['nothing says so', traces(), false],
    ['the shell started nohup', traces({ env: { _: '/usr/bin/nohup' } }), true],
    ['the parent ignores it', traces({ files: { '/proc/42/status': status('0000000000000001') } }), true],
    ['the parent ignores more', traces({ files: { '/proc/42/status': status('0000000000384007') } }), true],
    [
      'the parent ignores others',
      traces({ files: { '/proc/42/status': status('0000000000384004') } }),
      false,
    ],
    ['the first process ignores it', traces({ parent: 1, files: { '/proc/1/status': status('1') } }), false],
    [
      'stdin is what nohup leaves',
      traces({ files: { '/proc/self/fdinfo/0': 'pos:\t0\nflags:\t0100001\n' }, link: () => '/dev/null' }),
      true,
    ],
    [
      'stdin is what a shell gives to a job in the background',
      traces({ files: { '/proc/self/fdinfo/0': 'pos:\t0\nflags:\t0100000\n' }, link: () => '/dev/null' }),
      false,
    ],
    ['elsewhere than on Linux', traces({ env: {} }), false],
  ])('%s', (_, given, answer) => {
    expect(isHangupIgnored(given)).toBe(answer);
  });
});
