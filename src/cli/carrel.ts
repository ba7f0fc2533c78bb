#!/usr/bin/env node
/**
 * The program itself. `--version` is answered before anything is loaded (scripts ask for it all the time); everything
 * else goes through the front door, `main.ts`, which the build puts into `command.js` beside this file.
 */
import { VERSION } from '../version.ts';

const argv = process.argv.slice(2);
if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) process.stdout.write(`${VERSION}\n`);
else void run();

async function run(): Promise<void> {
  const { loadCached } = await import('./load-cached.ts');
  const { main } = loadCached('command.js', useOf(argv)) as typeof import('./main.ts');
  const { stdout, stderr, stdin, env } = process;
  process.exitCode = await main(argv, { out: stdout, err: stderr, in: stdin, env, cwd: process.cwd() });
}

/** Each command compiles other functions, and its help fewer. */
function useOf(words: readonly string[]): string {
  const command = words.find((word) => /^[a-z]/.test(word)) ?? 'help';
  const help = words.includes('--help') || words.includes('-h');
  return `${command.replace(/[^a-z]/g, '')}${help ? '-help' : ''}`;
}
