/** Runs another command of ours from within one: what it prints and how it ends is as if it had been typed. */
import { buildCommand, type CommandSpec, createRun, type Run } from './command.ts';
import type { ExitCode } from './exit-codes.ts';

/** Flags that a command hands on to the other one. */
export function commonWords(flags: Record<string, unknown>): string[] {
  const words: string[] = [];
  const take = (flag: string, value: unknown): void => {
    if (typeof value === 'string') words.push(flag, value);
    else if (Array.isArray(value)) for (const one of value) words.push(flag, String(one));
    else if (value === true) words.push(flag);
  };
  take('--archive', flags['archive']);
  take('--mirror', flags['mirror']);
  take('--cache-dir', flags['cacheDir']);
  take('--color', flags['color']);
  take('--progress', flags['progress']);
  take('--json', flags['json']);
  take('--quiet', flags['quiet']);
  take('--debug', flags['debug']);
  if (flags['config'] === false) words.push('--no-config');
  return words;
}

/** Runs a command with words as on a command line. */
export async function runCommand(
  run: Run,
  spec: CommandSpec,
  words: readonly string[],
  env: Record<string, string> = {},
): Promise<ExitCode> {
  let code: ExitCode = 0;
  const terminal = { ...run.terminal, env: { ...run.terminal.env, ...env } };
  const command = buildCommand(spec, 'carrel', async (of, args, flags) => {
    const argv = [spec.name, ...words];
    code = (await of.run(createRun(terminal, argv, flags, run.signal), args, flags)) ?? 0;
  });
  command.exitOverride();
  await command.parseAsync([...words], { from: 'user' });
  return code;
}
