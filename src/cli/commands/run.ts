/** `carrel run`: executes an s5cmd run file as it is written. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Option } from 'commander';
import { parseRunFile, planCopies, type RunFile } from '../../copies/index.ts';
import { CarrelError } from '../../errors.ts';
import type { CommandSpec, Run } from '../command.ts';
import { addFetchFlags, addPlaceFlags, fetchOptions, planTools, withCredentials } from '../copy-flags.ts';
import { carryOut, printProblems } from '../copy-run.ts';
import { atDesk } from '../desk.ts';
import { formatBytes, formatCount, plural } from '../output/text.ts';
import { readStdin } from '../read-stdin.ts';
import { write } from '../terminal.ts';

/** `carrel run`. */
export const spec: CommandSpec = {
  name: 'run',
  summary: 'execute an s5cmd run file exactly as written',
  examples: [
    'carrel run cohort.s5cmd',
    'carrel run cohort.s5cmd --dry-run',
    'carrel run cohort.s5cmd --endpoint-url https://storage.googleapis.com',
    'carrel search --collection rider_pilot --format s5cmd | carrel run -',
  ],
  exitCodes: [0, 1, 2, 3, 4, 5, 7, 8, 130],
  define(command) {
    command
      .argument('[file]', 'a run file; - or nothing for stdin', '-')
      .addOption(new Option('--skip-unsupported', 'execute the other lines where some cannot be (exit 3)'));
    addFetchFlags(command);
    addPlaceFlags(command);
  },
  async run(run, [file = '-'], flags) {
    const text = await textOf(run, file);
    const runFile = parseRunFile(text, file === '-' ? 'stdin' : file);
    refuseBroken(runFile, file, flags['skipUnsupported'] === true);
    if (runFile.problems.length > 0 && flags['skipUnsupported'] !== true) {
      await printProblems(run, runFile.problems);
      throw new CarrelError(
        'bad-input',
        `${plural(runFile.problems.length, 'line')} of ${file === '-' ? 'stdin' : file} cannot be executed; nothing was fetched`,
        {
          item: file,
          next: 'correct them, or execute the others with --skip-unsupported',
        },
      );
    }
    return await atDesk(withCredentials(run, flags), async (desk) => {
      const tools = planTools(run, desk, flags);
      if (!run.quiet && !run.json)
        await write(
          run.terminal.err,
          `${run.err.dim(`${formatCount(runFile.requests.length)} commands: looking for what they name …`)}\n`,
        );
      const plan = await planCopies(runFile.requests, tools);
      plan.problems.unshift(...runFile.problems);
      if (!run.quiet && !run.json)
        await write(
          run.terminal.err,
          `${run.err.bold(file === '-' ? 'stdin' : file)}: ${plural(runFile.requests.length, 'command')}, ${plural(plan.files, 'file')}, ${formatBytes(plan.bytes)}\n`,
        );
      return await carryOut(run, plan, desk, {
        ...fetchOptions(run, flags),
        operation: 'run',
        dryRun: flags['dryRun'] === true,
        verbose: flags['verbose'] === true,
        keepState: true,
      });
    });
  },
};

async function textOf(run: Run, file: string): Promise<string> {
  const bytes =
    file === '-'
      ? await readStdin(run.terminal)
      : await readFile(resolve(run.terminal.cwd, file)).catch((cause: NodeJS.ErrnoException) => {
          throw new CarrelError(
            cause.code === 'ENOENT' ? 'not-found' : 'bad-input',
            `cannot read ${file}: ${cause.message}`,
            { item: file, cause },
          );
        });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new CarrelError('bad-input', `${file} is no text`, {
      item: file,
      next: 'a run file is UTF-8, one command per line',
      cause,
    });
  }
}

function refuseBroken({ requests, problems }: RunFile, file: string, lenient: boolean): void {
  if (requests.length > 0 || (problems.length > 0 && !lenient)) return;
  throw new CarrelError('bad-input', `${file} has no command that can be executed`, {
    item: file,
    next: 'a line looks like: cp s3://bucket/folder/* destination/',
  });
}
