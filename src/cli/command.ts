/**
 * What every command is: a commander command made lazily, with the common flags, run with a `Run`.
 */
import { Command, Option } from 'commander';
import { type ExitCode, exitCodesHelp } from './exit-codes.ts';
import { listOf, type Settings, settle, textOf } from './settings.ts';
import { type ColorMode, createPaint, type Paint, type Terminal, wantsColor } from './terminal.ts';

/** One run of one command: streams, settled settings, and the signal that Ctrl-C sets. */
export interface Run {
  terminal: Terminal;
  settings: Settings;
  json: boolean;
  quiet: boolean;
  debug: boolean;
  /** Painters of stdout and stderr. */
  out: Paint;
  err: Paint;
  signal: AbortSignal;
  /** The command line as typed, for messages such as "resume with". */
  argv: readonly string[];
}

/** What a command module exports: everything that help and dispatch need. */
export interface CommandSpec {
  name: string;
  summary: string;
  /** Lines of the form `carrel get …`; shown first in the help. */
  examples: readonly string[];
  exitCodes: readonly ExitCode[];
  /** Adds arguments and flags. */
  define(command: Command): void;
  /** Does the work; the number is the exit code (default 0). */
  run(run: Run, args: string[], flags: Record<string, unknown>): Promise<ExitCode | undefined>;
  /** Commands below this one (`catalog update`). */
  subcommands?: readonly CommandSpec[];
}

/** Flags that every command takes. */
export function addCommonFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--archive <archive>', 'archive: a name, or path or URL of an archive.json (default: idc)'),
    )
    .addOption(
      new Option('--mirror <name=endpoint>', 'point a mirror elsewhere (repeatable)').argParser(collect),
    )
    .addOption(new Option('--cache-dir <dir>', 'where catalogues are kept'))
    .addOption(new Option('--json', 'machine-readable output'))
    .addOption(new Option('-q, --quiet', 'no progress and no notes'))
    .addOption(new Option('--color <when>', 'auto, always or never').choices(['auto', 'always', 'never']))
    .addOption(new Option('--no-config', 'ignore configuration files'))
    .addOption(new Option('--debug', 'print stack traces'));
}

/** The flag of commands that take a while. */
export function progressOption(): Option {
  const kinds = ['auto', 'bar', 'lines', 'json', 'none'];
  return new Option('--progress <how>', 'auto, bar, lines, json (events on stderr) or none').choices(kinds);
}

/** Collects a repeatable flag. */
export function collect(value: string, previous: unknown): string[] {
  return [...(Array.isArray(previous) ? (previous as string[]) : []), value];
}

/** Builds the commander command of a spec, subcommands included. */
export function buildCommand(
  spec: CommandSpec,
  path: string,
  act: (spec: CommandSpec, args: string[], flags: Record<string, unknown>) => Promise<void>,
): Command {
  const full = `${path} ${spec.name}`;
  const command = new Command(spec.name).summary(spec.summary).description(spec.summary);
  command.configureHelp({ subcommandTerm: (sub) => sub.name(), showGlobalOptions: false });
  command.addHelpText('before', `${spec.examples.map((line) => `  ${line}`).join('\n')}\n`);
  command.addHelpText('after', `\n${exitCodesHelp(spec.exitCodes)}`);
  command.showSuggestionAfterError(true).allowExcessArguments(false);
  for (const sub of spec.subcommands ?? []) command.addCommand(buildCommand(sub, full, act));
  if (spec.subcommands === undefined || spec.subcommands.length === 0) {
    spec.define(command);
    addCommonFlags(command);
    command.action(async (...parameters: unknown[]) => {
      const self = parameters.at(-1) as Command;
      await act(spec, self.args, self.opts());
    });
  }
  return command;
}

/** Settles the settings and makes the `Run` of a command. */
export function createRun(
  terminal: Terminal,
  argv: readonly string[],
  flags: Record<string, unknown>,
  signal: AbortSignal,
): Run {
  const settings = settle({
    flags: {
      archive: text(flags['archive']),
      mirrors: flags['mirror'] as string[] | undefined,
      from: text(flags['from']),
      layout: text(flags['layout']),
      license_policy: text(flags['licensePolicy']),
      verify: text(flags['verify']),
      jobs: text(flags['jobs']),
      bandwidth: text(flags['bandwidth']),
      reuse: flags['reuse'] === false ? 'never' : (flags['reuse'] as string[] | undefined),
      fsync: text(flags['fsync']),
      progress: text(flags['progress']),
      color: text(flags['color']),
      fetch_tables: flags['fetch'] === false ? 'never' : undefined,
      cache_dir: text(flags['cacheDir']),
    },
    env: terminal.env,
    cwd: terminal.cwd,
    useFiles: flags['config'] !== false,
  });
  const mode = textOf(settings, 'color') as ColorMode;
  return {
    terminal,
    settings,
    json: flags['json'] === true,
    quiet: flags['quiet'] === true,
    debug: flags['debug'] === true,
    out: createPaint(wantsColor(terminal.out, terminal.env, mode)),
    err: createPaint(wantsColor(terminal.err, terminal.env, mode)),
    signal,
    argv,
  };
}

/** Mirror overrides of a run: `NAME=ENDPOINT`. */
export function mirrorOverrides(run: Run): string[] {
  return listOf(run.settings, 'mirrors');
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
