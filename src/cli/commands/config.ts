/** `carrel config show`: every setting with its origin. */
import type { CommandSpec, Run } from '../command.ts';
import { toJson } from '../output/json.ts';
import { formatTable } from '../output/text.ts';
import { configFiles, SETTINGS, type SettingName } from '../settings.ts';
import { write } from '../terminal.ts';

async function show(run: Run): Promise<undefined> {
  const files = configFiles(run.terminal.cwd, run.terminal.env);
  const names = Object.keys(SETTINGS) as SettingName[];
  if (run.json) {
    const settings = Object.fromEntries(names.map((name) => [name, run.settings[name]]));
    await write(run.terminal.out, `${toJson({ settings, files }, 2)}\n`);
    return;
  }
  const rows = names.map((name) => {
    const { value, origin } = run.settings[name];
    return [name, Array.isArray(value) ? value.join(', ') : value, origin, SETTINGS[name].variable];
  });
  await write(
    run.terminal.out,
    `${formatTable(['setting', 'value', 'from', 'variable'], rows, { width: run.terminal.out.columns })}\n`,
  );
  await write(
    run.terminal.out,
    `\nproject file: ${files.project ?? '(no carrel.toml here or above)'}\nuser file:    ${files.user}\n`,
  );
  return;
}

/** `carrel config`. */
export const spec: CommandSpec = {
  name: 'config',
  summary: 'settings and where they come from',
  examples: ['carrel config show', 'CARREL_JOBS=8 carrel config show --json'],
  exitCodes: [0, 2],
  define() {},
  async run() {
    return undefined;
  },
  subcommands: [
    {
      name: 'show',
      summary: 'print each setting with its origin',
      examples: ['carrel config show', 'CARREL_JOBS=8 carrel config show --json'],
      exitCodes: [0, 2],
      define() {},
      run: show,
    },
  ],
};
