// A distance: the server in a network namespace of its own, at the other end of a line with a delay (delay-line.c).
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

const CC = process.env.CC ?? 'cc';
const IP = '/sbin/ip';
const HERE = '10.213.7.1';
const THERE = '10.213.7.2';

/**
 * @param {{ rttMs: number, folder: string }} options
 * @returns {Promise<string | { address: string, prefix: string[], close(): void }>} what is missing, or the far end: its
 *   address and what stands before a command that is to run there
 */
export async function startLine({ rttMs, folder }) {
  if (process.getuid?.() !== 0 || !existsSync('/dev/net/tun'))
    return 'a line with a delay needs root and /dev/net/tun';
  mkdirSync(folder, { recursive: true });
  const program = join(folder, 'delay-line');
  try {
    execFileSync(CC, ['-O2', '-pthread', '-o', program, new URL('delay-line.c', import.meta.url).pathname]);
  } catch {
    return 'a line with a delay needs a C compiler (cc)';
  }
  const space = `carrel-bench-${process.pid}`;
  const [near, far] = [`cb${process.pid}a`, `cb${process.pid}b`];
  const run = ([program, ...first], ...more) =>
    execFileSync(program, [...first, ...more], { stdio: 'ignore' });
  const ip = (...args) => run([IP], ...args);
  const inside = [IP, 'netns', 'exec', space];
  ip('netns', 'add', space);
  const child = spawn(program, [near, far, String(Math.round((rttMs * 1000) / 2))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let open = true;
  const close = () => {
    if (!open) return;
    open = false;
    child.kill('SIGKILL');
    ip('netns', 'del', space);
  };
  try {
    await new Promise((resolve, reject) => {
      child.stdout.once('data', resolve);
      child.once('exit', () => reject(new Error('the line ended')));
    });
    ip('link', 'set', far, 'netns', space);
    for (const [command, name, own, other] of [
      [[IP], near, HERE, THERE],
      [[...inside, IP], far, THERE, HERE],
    ]) {
      run(command, 'address', 'add', own, 'peer', other, 'dev', name);
      run(command, 'link', 'set', name, 'mtu', '1500', 'txqueuelen', '100000', 'up');
    }
    run(inside, IP, 'link', 'set', 'lo', 'up');
    // What most servers run, from ten segments on; and no connection may know what an earlier one learned.
    run(inside, IP, 'route', 'replace', HERE, 'dev', far, 'congctl', 'cubic', 'initcwnd', '10');
    run(inside, 'sysctl', '-w', 'net.ipv4.tcp_no_metrics_save=1');
  } catch (error) {
    close();
    throw error;
  }
  return { address: THERE, prefix: inside, close };
}
