// Runs commands as whole processes in turn (A B C A B C …) and gives the median of wall and processor seconds and of
// peak memory. Ratios within one interleaved run hold on a noisy machine; absolute times do not.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * @param {{ name: string, command: string[], before?: () => void, env?: Record<string, string> }[]} cases
 * @param {{ rounds?: number, warmUps?: number }} [options]
 * `output`: what the last run printed, for checks. Every run is told on stderr.
 */
export function measure(cases, { rounds = 5, warmUps = 1 } = {}) {
  const results = cases.map(({ name }) => ({ name, wall: [], cpu: [], memory: [] }));
  const outputs = cases.map(() => '');
  for (let round = -warmUps; round < rounds; round += 1) {
    for (const [index, { command, before, env, name }] of cases.entries()) {
      before?.();
      const figures = join(tmpdir(), `carrel-bench-${process.pid}`);
      const run = spawnSync('/usr/bin/time', ['-f', '%e %U %S %M', '-o', figures, ...command], {
        env: { ...process.env, ...env },
        encoding: 'utf8',
        maxBuffer: 1 << 28,
      });
      if (run.status !== 0) throw new Error(`${name} ended with ${run.status}: ${run.stderr?.slice(-2000)}`);
      const [wall, user, system, memory] = readFileSync(figures, 'utf8').trim().split(' ').map(Number);
      rmSync(figures);
      outputs[index] = run.stdout + run.stderr;
      console.error(
        `  ${name}: ${wall} s, ${(user + system).toFixed(2)} s, ${(memory / 1024).toFixed(0)} MiB`,
      );
      if (round < 0) continue;
      results[index].wall.push(wall);
      results[index].cpu.push(user + system);
      results[index].memory.push(memory / 1024);
    }
  }
  return results.map(({ name, ...figures }, index) => ({
    name,
    output: outputs[index],
    ...Object.fromEntries(Object.entries(figures).map(([key, values]) => [key, median(values)])),
  }));
}

/** Prints results beside the first one. */
export function report(results) {
  const [base] = results;
  for (const { name, wall, cpu, memory } of results) {
    console.log(
      `${name.padEnd(44)} wall ${wall.toFixed(2)} s (${(wall / base.wall).toFixed(2)} ×)   cpu ${cpu.toFixed(2)} s (${(cpu / base.cpu).toFixed(2)} ×)   ${memory.toFixed(0)} MiB`,
    );
  }
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
