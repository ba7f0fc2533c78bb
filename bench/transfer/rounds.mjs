// Whole processes in turn, and each round begins with another one. What each brought is compared with md5sum's list.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkFolder } from './files.mjs';

/**
 * @param {{ label: string, id: string, run: { command: string[], cwd?: string, env?: Record<string, string> }, server: any }[]} runs
 * @param {{ folder?: string, objects?: any[], bytes?: number, work: string, rounds: number, warmUps?: number, disk?: boolean, env: Record<string, string>, timeoutMs?: number }} options
 *   `folder` is emptied before each process and must hold `objects` after it; without one, `bytes` is what the run is about
 */
export async function inTurn(
  runs,
  { folder, objects = [], bytes: about, work, rounds, warmUps = 1, disk = false, env, timeoutMs = 300_000 },
) {
  const results = runs.map(({ label, id, verifies }) => ({ label, id, verifies, samples: [] }));
  const figures = join(work, 'time');
  for (let round = -warmUps; round < rounds; round += 1) {
    for (let turn = 0; turn < runs.length; turn += 1) {
      const index = (turn + Math.max(0, round)) % runs.length;
      const result = results[index];
      if (result.error !== undefined) continue;
      const { run, server } = runs[index];
      if (folder !== undefined) {
        rmSync(folder, { recursive: true, force: true });
        mkdirSync(folder, { recursive: true });
      }
      // What the last one left to be written back must not be paid by the next one; and for five seconds ext4 passes over the
      // inodes that were freed, one by one, whenever a file is made.
      if (disk) {
        spawnSync('sync');
        await new Promise((resolve) => setTimeout(resolve, 6_000));
      }
      await server.reset();
      const [program, ...args] = ['/usr/bin/time', '-f', '%e %U %S %M', '-o', figures, ...run.command];
      const done = await runProcess(program, args, {
        cwd: run.cwd ?? work,
        env: { ...env, ...run.env },
        timeoutMs,
      });
      // nginx writes the line of a request after its last byte has gone out.
      const expected = objects.reduce((sum, { size }) => sum + size, 0);
      let counts = await server.counts();
      for (let tries = 0; tries < 20 && counts.sent < expected; tries += 1) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        counts = await server.counts();
      }
      try {
        if (done.status !== 0) throw new Error(`ended with ${done.status}: ${done.text.slice(-1500)}`);
        const bytes = folder === undefined ? about : checkFolder(folder, objects);
        if (folder !== undefined && counts.sent < bytes)
          throw new Error(`the server sent ${counts.sent} of ${bytes} bytes: the others came from elsewhere`);
        const [wall, user, system, memory] = readFileSync(figures, 'utf8')
          .trim()
          .split('\n')
          .at(-1)
          .split(' ')
          .map(Number);
        console.error(
          `  ${round < 0 ? 'warm-up' : `round ${round + 1}`} ${result.id}: ${wall.toFixed(2)} s, ${(user + system).toFixed(2)} s`,
        );
        if (round >= 0)
          result.samples.push({ wall, cpu: user + system, memory: memory / 1024, bytes, ...counts });
      } catch (error) {
        result.error = error.message;
        console.error(`  ${result.label}: ${error.message}`);
      }
    }
  }
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  return results.map(({ samples, ...rest }) => ({
    ...rest,
    rounds: samples.length,
    ...medians(samples),
    samples,
  }));
}

/** Runs a process to its end, in a group of its own that is ended with us. */
export function runProcess(program, args, { timeoutMs, ...options }) {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const end = () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  };
  process.prependOnceListener('exit', end);
  const timer = setTimeout(end, timeoutMs);
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (more) => {
      text = (text + more).slice(-10_000);
    });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      process.removeListener('exit', end);
      resolve({ status: code ?? signal, text });
    });
  });
}

function medians(samples) {
  const [first] = samples;
  if (first === undefined) return {};
  return Object.fromEntries(
    Object.keys(first).map((key) => {
      const sorted = samples.map((sample) => sample[key]).sort((a, b) => a - b);
      return [key, sorted[sorted.length >> 1]];
    }),
  );
}

/** A table as the documentation has it; ratios are to the row `base`, or the first. */
export function table(results, base) {
  const to =
    results.find(({ id, wall }) => id === base && wall !== undefined) ??
    results.find(({ wall }) => wall !== undefined);
  const lines = [
    '| | wall | ratio | processor | ratio | per GB | memory | connections | requests (lists, heads) | compared |',
    '|---|---|---|---|---|---|---|---|---|---|',
  ];
  for (const one of results) {
    if (one.wall === undefined) {
      lines.push(`| ${one.label} | fails | | | | | | | | |`);
      continue;
    }
    const { label, wall, cpu, memory, bytes, connections, gets, lists, heads, verifies } = one;
    lines.push(
      `| ${label} | ${wall.toFixed(2)} s | ${(wall / to.wall).toFixed(2)} | ${cpu.toFixed(2)} s | ${(cpu / to.cpu).toFixed(2)} | ${((cpu / bytes) * 1e9).toFixed(2)} s | ${memory.toFixed(0)} MiB | ${connections} | ${gets + lists + heads} (${lists}, ${heads}) | ${verifies} |`,
    );
  }
  return lines.join('\n');
}
