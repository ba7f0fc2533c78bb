// Where the processor time of a process of ours goes: one more run under V8's sampling profiler, functions by their own time.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Runs `node script …` with the profiler and prints the functions with the most time of their own, per thread.
 *
 * @param {{ label: string, run: { command: string[] } }} one
 * @param {{ folder: string, work: string, env: Record<string, string>, top?: number }} options
 */
export function profile({ label, run }, { folder, work, env, top = 25 }) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const at = mkdtempSync(join(work, 'profile-'));
  const [node, ...rest] = run.command;
  const flags = ['--cpu-prof', '--cpu-prof-interval', '500', '--cpu-prof-dir', at];
  const done = spawnSync(node, [...flags, ...rest], { env, cwd: work, encoding: 'utf8' });
  console.log(
    `\n## ${label}: own time, ${done.status === 0 ? '' : `ended with ${done.status}, `}one line per function`,
  );
  for (const file of readdirSync(at)) {
    const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(join(at, file), 'utf8'));
    const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
    const own = new Map();
    let total = 0;
    for (const [index, id] of samples.entries()) {
      const name = names.get(id);
      if (name === '(idle)') continue;
      const ms = (timeDeltas[index + 1] ?? 0) / 1000;
      own.set(name, (own.get(name) ?? 0) + ms);
      total += ms;
    }
    console.log(`\n${file}: ${total.toFixed(0)} ms not idle`);
    const sorted = [...own].sort((a, b) => b[1] - a[1]).slice(0, top);
    for (const [name, ms] of sorted)
      console.log(
        `${ms.toFixed(0).padStart(7)} ms ${((ms / total) * 100).toFixed(1).padStart(5)} %  ${name}`,
      );
  }
}

function nameOf({ functionName, url, lineNumber }) {
  const file = url.split('/').slice(-1)[0];
  return `${functionName || '(anonymous)'}${file === '' ? '' : `  ${file}:${lineNumber + 1}`}`;
}
