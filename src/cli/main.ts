/**
 * The command line's front door. It loads the parser and nothing else; each command is loaded when it is called.
 */
import { setMaxListeners } from 'node:events';
import { Command, CommanderError } from 'commander';
import { CarrelError, isCarrelError } from '../errors.ts';
import { VERSION } from '../version.ts';
import { buildCommand, type CommandSpec, createRun } from './command.ts';
import { COMMANDS, loadCommand } from './command-table.ts';
import { EXIT_CODES, type ExitCode, exitCodeOf, exitCodesHelp } from './exit-codes.ts';
import { isHangupIgnored } from './hangup.ts';
import { flagsInFront, notOffered } from './not-offered.ts';
import { errorToJson, toJson } from './output/json.ts';
import { runAgain } from './run-again.ts';
import { createPaint, printable, type Terminal, wantsColor } from './terminal.ts';

/** Signals that come so close together are one. */
const SAME_SIGNAL_MS = 300;

/** Runs one command line; the answer is the exit code. */
export async function main(argv: string[], terminal: Terminal): Promise<ExitCode> {
  const controller = new AbortController();
  // Every request under way listens to it; there is no leak to warn of.
  setMaxListeners(0, controller.signal);
  let interruptedAt: number | undefined;
  const onInterrupt = () => {
    // Twice means now. A wrapper that passes on what the terminal or Slurm has sent to all of us does not mean twice.
    if (interruptedAt !== undefined && performance.now() - interruptedAt > SAME_SIGNAL_MS) process.exit(130);
    if (interruptedAt !== undefined) return;
    interruptedAt = performance.now();
    controller.abort(
      new CarrelError('interrupted', 'interrupted', {
        next: runAgain(argv),
      }),
    );
  };
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onInterrupt);
  // A closed terminal is an end in order, too, unless we were told to outlive it.
  const onHangup = isHangupIgnored() ? () => {} : onInterrupt;
  process.on('SIGHUP', onHangup);
  // `carrel search | head` closes our stdout: that is an end, not a failure. A full disk behind `>` is one.
  let lost: NodeJS.ErrnoException | undefined;
  terminal.out.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') lost ??= error;
  });
  terminal.err.on('error', () => {});

  if (argv[0] === '__complete') {
    const { complete } = await import('./complete.ts');
    const candidates = await complete(argv.slice(1), terminal);
    terminal.out.write(candidates.map((candidate) => `${candidate}\n`).join(''));
    return 0;
  }
  let code: ExitCode = 0;
  const program = new Command('carrel')
    .description('From anything that names cancer-imaging data to verified files on disk.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .enablePositionalOptions()
    .exitOverride()
    .showSuggestionAfterError(true)
    .configureOutput({
      writeOut: (text) => terminal.out.write(text),
      // With --json an error is one object, written by `report`.
      writeErr: (text) => void (argv.includes('--json') || terminal.err.write(text)),
    });
  program.addHelpText('before', `${TOP_EXAMPLES.map((line) => `  ${line}`).join('\n')}\n`);
  program.addHelpText('after', `\n${exitCodesHelp(Object.keys(EXIT_CODES).map(Number) as ExitCode[])}`);

  const act = async (spec: CommandSpec, args: string[], flags: Record<string, unknown>) => {
    code = (await spec.run(createRun(terminal, argv, flags, controller.signal), args, flags)) ?? 0;
  };
  const wanted = argv[0] === 'help' ? argv[1] : argv.find((word) => !word.startsWith('-'));
  try {
    const refusal = notOffered(wanted) ?? flagsInFront(argv);
    if (refusal !== undefined) throw refusal;
    for (const { name, summary } of COMMANDS) {
      const command =
        name === wanted
          ? buildCommand(await loadCommand(name), 'carrel', act)
          : new Command(name).summary(summary).description(summary);
      program.addCommand(inherit(command));
    }
    await program.parseAsync(argv.length === 0 ? ['--help'] : argv, { from: 'user' });
    // What went wrong with the last piece is told after it.
    await new Promise((resolve) => setImmediate(resolve));
    if (lost !== undefined)
      throw new CarrelError(
        lost.code === 'ENOSPC' || lost.code === 'EDQUOT' ? 'no-space' : 'permission',
        `the answer could not be written: ${lost.message}`,
        { next: 'make room, or write somewhere else with -o FILE', cause: lost },
      );
  } catch (error) {
    code = report(error, argv, terminal);
  } finally {
    // After an interruption they stay: a signal that comes on our way out would change the exit code.
    if (interruptedAt === undefined) {
      process.off('SIGINT', onInterrupt);
      process.off('SIGTERM', onInterrupt);
      process.off('SIGHUP', onHangup);
    }
  }
  return code;

  /** Subcommands throw instead of leaving the process, and write to our streams. */
  function inherit(command: Command): Command {
    command.copyInheritedSettings(program);
    for (const sub of command.commands) inherit(sub);
    return command;
  }
}

const TOP_EXAMPLES = [
  'carrel demo                                          the whole road on a built-in sample, offline',
  'carrel search --collection nlst --modality CT --count   what is there',
  'carrel get --collection rider_pilot --limit 5 -o data   verified files and carrel.lock.json',
  'carrel get data/carrel.lock.json -o again               exactly the same bytes, years later',
];

/** Prints an error as text or JSON and answers with its exit code. */
function report(error: unknown, argv: readonly string[], terminal: Terminal): ExitCode {
  if (error instanceof CommanderError) {
    // Commander has already printed its text; help and version are successes.
    if (error.exitCode === 0) return 0;
    if (argv.includes('--json')) terminal.err.write(`${toJson(errorToJson(usageError(error, argv)))}\n`);
    return 2;
  }
  if (argv.includes('--json')) terminal.err.write(`${toJson(errorToJson(error))}\n`);
  else {
    const paint = createPaint(wantsColor(terminal.err, terminal.env, 'auto'));
    const message = error instanceof Error ? error.message : String(error);
    terminal.err.write(`${paint.red('error:')} ${printableLines(message)}\n`);
    if (isCarrelError(error) && error.next !== undefined)
      terminal.err.write(`${paint.dim('next:')} ${printableLines(error.next)}\n`);
    if (argv.includes('--debug') && error instanceof Error)
      terminal.err.write(
        `${error.stack ?? ''}\n${error.cause === undefined ? '' : `cause: ${error.cause instanceof Error ? error.cause.message : JSON.stringify(error.cause)}\n`}`,
      );
    else if (!isCarrelError(error))
      terminal.err.write(
        'next: this is a defect of carrel; run it again with --debug and report what it prints\n',
      );
  }
  return isCarrelError(error) ? exitCodeOf(error.code) : 1;
}

/** What the parser complains about, as an error of ours: `error: unknown option '--x'\\n(Did you mean --y?)`. */
function usageError(error: CommanderError, argv: readonly string[]): CarrelError {
  const [message = '', hint] = error.message.replace(/^error: /, '').split('\n');
  const item = /'([^']+)'/.exec(message)?.[1];
  const command = COMMANDS.find(({ name }) => name === argv[0])?.name;
  const help = `carrel ${command === undefined ? '' : `${command} `}--help`;
  return new CarrelError('usage', message, {
    item,
    next: hint === undefined ? help : `${hint.replace(/^\(|\)$/g, '')} ${help}`,
  });
}

function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}
