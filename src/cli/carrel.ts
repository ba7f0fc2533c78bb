#!/usr/bin/env node
/**
 * The program itself. `--version` is answered before anything is loaded (scripts ask for it all the time); everything
 * else goes through the front door, `main.ts`.
 */
import { VERSION } from '../version.ts';
import { optimizeLater } from './optimize-later.ts';

const argv = process.argv.slice(2);
if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) process.stdout.write(`${VERSION}\n`);
else {
  optimizeLater();
  const { main } = await import('./main.ts');
  const { stdout, stderr, stdin, env } = process;
  process.exitCode = await main(argv, { out: stdout, err: stderr, in: stdin, env, cwd: process.cwd() });
}
