/**
 * Whether a closed terminal is none of our business. `nohup` starts a program with SIGHUP ignored; Node sets every signal back
 * to its default before any JavaScript runs, so what was inherited can only be told from the traces that it left.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** What is looked at; tests hand in their own. */
export interface HangupTraces {
  env: Readonly<Record<string, string | undefined>>;
  /** Text of a file of `/proc`, or undefined. */
  read: (path: string) => string | undefined;
  /** Where a link of `/proc` leads, or undefined. */
  link: (path: string) => string | undefined;
  parent: number;
}

/**
 * True where this process was started by `nohup`, or by something that ignores SIGHUP itself (a script below `nohup`, `trap '' HUP`):
 *
 * - `_` names `nohup`: bash, zsh and ksh put what they started there;
 * - the parent ignores the signal (Linux): what a shell ignores its children ignore;
 * - stdin is `/dev/null`, open for writing only (Linux): so leaves it nobody but GNU's `nohup`.
 */
export function isHangupIgnored({ env, read, link, parent }: HangupTraces = ownTraces()): boolean {
  if (basename(env['_'] ?? '') === 'nohup') return true;
  const ignored = /^SigIgn:\s*([0-9a-f]+)$/m.exec(read(`/proc/${parent}/status`) ?? '')?.[1];
  // The lowest bit is signal 1. The first process of a container ignores what it likes.
  if (parent > 1 && ignored !== undefined && (Number.parseInt(ignored.slice(-1), 16) & 1) === 1) return true;
  const flags = /^flags:\s*([0-7]+)$/m.exec(read('/proc/self/fdinfo/0') ?? '')?.[1];
  return flags?.endsWith('1') === true && link('/proc/self/fd/0') === '/dev/null';
}

function ownTraces(): HangupTraces {
  const orNothing = (look: () => string): string | undefined => {
    if (process.platform !== 'linux') return undefined;
    try {
      return look();
    } catch {
      return undefined;
    }
  };
  return {
    env: process.env,
    read: (path) => orNothing(() => readFileSync(path, 'latin1')),
    link: (path) => orNothing(() => readlinkSync(path)),
    parent: process.ppid,
  };
}
