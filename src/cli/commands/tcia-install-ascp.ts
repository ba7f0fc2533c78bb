/** `carrel tcia install-ascp`: IBM's ascp, fetched on request and under IBM's terms. */
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { Option } from 'commander';
import { CarrelError } from '../../errors.ts';
import { createHttpPool } from '../../stores/index.ts';
import {
  type AscpSource,
  ascpFolder,
  findKey,
  installAscp,
  planAscp,
  SDK_LOCATIONS,
} from '../../tcia/index.ts';
import type { CommandSpec, Run } from '../command.ts';
import { toJson } from '../output/json.ts';
import { printable, shortPath, write } from '../terminal.ts';

/** `carrel tcia install-ascp`. */
export const installAscpSpec: CommandSpec = {
  name: 'install-ascp',
  summary: 'fetch IBM’s ascp, which moves the packages of TCIA, under IBM’s terms',
  examples: [
    'carrel tcia install-ascp',
    'carrel tcia install-ascp --accept-terms',
    'carrel tcia install-ascp --accept-terms --from file:///media/sdk/linux-amd64-1.1.9.tar.gz --sha256 0f3c…',
    'carrel tcia install-ascp --key-from https://raw.githubusercontent.com/IBM/aspera-cli/main/lib/aspera/data/2',
  ],
  exitCodes: [0, 1, 2, 4, 5, 7, 8, 130],
  define(command) {
    command
      .addOption(
        new Option(
          '--from <url>',
          `an archive (.tar.gz, .zip) or a list of archives: https://, file:// or a path`,
        ),
      )
      .addOption(new Option('--sha256 <hex>', 'digest that the archive must have'))
      .addOption(
        new Option(
          '--key-from <url>',
          'also the client key: that of IBM’s open-source ascli, or a PEM file of yours',
        ),
      )
      .addOption(new Option('--accept-terms', 'accept IBM’s licence terms without being asked'))
      .addOption(new Option('--to <dir>', 'where it comes to stand (default: the data folder of this user)'));
  },
  async run(run, _args, flags) {
    const sha256 = digestOf(flags['sha256']);
    const own = ascpFolder(run.terminal.env);
    const to = flags['to'] === undefined ? own : resolve(run.terminal.cwd, flags['to'] as string);
    const http = createHttpPool({ env: run.terminal.env });
    try {
      const options = { http, signal: run.signal };
      const from = place(run, flags['from'] as string | undefined);
      if (!run.quiet && from === undefined)
        await write(run.terminal.err, `asking ${SDK_LOCATIONS} for the archive of this system\n`);
      const source = await planAscp({ ...options, from });
      await tellTerms(run, source, to, flags);
      if (flags['acceptTerms'] !== true) await askTerms(run);
      const keyFrom = place(run, flags['keyFrom'] as string | undefined);
      const { env } = run.terminal;
      const installed = await installAscp({ ...options, source, sha256, keyFrom, folder: to, env });
      const found = to === own;
      if (run.json) {
        const told = { ...installed, url: source.url, pinned: sha256 !== undefined, foundByItself: found };
        await write(run.terminal.out, `${toJson(told, 2)}\n`);
        return 0;
      }
      const lines = [
        `ascp ${installed.version} stands in ${shortPath(run.terminal.cwd, installed.path)} and runs`,
        sha256 === undefined
          ? `sha256 of the archive: ${installed.sha256} (nobody vouched for it; write it down for --sha256)`
          : `sha256 of the archive: ${installed.sha256}, as expected`,
        ...(installed.licensed
          ? []
          : ['there is no aspera-license beside it; put the one of an IBM Aspera product there']),
        ...(findKey({ env, ascp: installed.path }) === undefined
          ? [
              'there is no client key yet, without which servers let nobody in: see --key-from, carrel doctor tcia',
            ]
          : []),
        found
          ? 'carrel doctor tcia tells whether it gets through to TCIA'
          : `use it with --ascp ${installed.path}`,
      ];
      await write(run.terminal.out, `${lines.map(printable).join('\n')}\n`);
      return 0;
    } finally {
      await http.close();
    }
  },
};

function digestOf(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const hex = String(value).replace(/^sha256:/i, '');
  if (/^[0-9a-f]{64}$/i.test(hex)) return hex.toLowerCase();
  throw new CarrelError('usage', '--sha256 takes 64 hexadecimal digits', {
    item: '--sha256',
    next: 'sha256sum FILE prints them',
  });
}

/** Paths are meant from where the user stands. */
function place(run: Run, from: string | undefined): string | undefined {
  if (from === undefined || /^[a-z][a-z0-9+.-]+:\/\//i.test(from)) return from;
  return resolve(run.terminal.cwd, from);
}

async function tellTerms(
  run: Run,
  source: AscpSource,
  to: string,
  flags: Record<string, unknown>,
): Promise<void> {
  const version = source.version === undefined || source.version === '' ? '' : ` ${source.version}`;
  const comment = source.comment === undefined || source.comment === '' ? '' : ` (${source.comment})`;
  const given = flags['from'] !== undefined && source.version === undefined;
  const key = flags['keyFrom'] as string | undefined;
  const lines = [
    given
      ? 'an archive that is taken for IBM’s Aspera Transfer SDK'
      : `IBM Aspera Transfer SDK${version}${comment}`,
    `  from   ${source.url}`,
    ...(key === undefined ? [] : [`  key    ${key}`]),
    `  to     ${to}`,
    '  terms  ascp is a program of IBM, not part of carrel, and comes under the licence terms of IBM',
    '         (https://www.ibm.com/terms and the texts in the archive). Whoever installs it agrees to them with IBM.',
  ];
  await write(run.terminal.err, `${lines.map(printable).join('\n')}\n`);
}

async function askTerms(run: Run): Promise<void> {
  const { in: input, err } = run.terminal;
  if (input.isTTY !== true || err.isTTY !== true) {
    throw new CarrelError('usage', 'IBM’s terms were not accepted; nothing was fetched', {
      item: '--accept-terms',
      next: 'read them, then carrel tcia install-ascp --accept-terms',
    });
  }
  const lines = createInterface({ input, output: err });
  try {
    const answer = await new Promise<string>((done, fail) => {
      run.signal.addEventListener('abort', () => fail(new CarrelError('interrupted', 'interrupted')));
      lines.once('close', () => done(''));
      lines.question('Do you accept the terms of IBM? [y/N] ', done);
    });
    if (/^y(?:es)?$/i.test(answer.trim())) return;
  } finally {
    lines.close();
  }
  throw new CarrelError('usage', 'IBM’s terms were not accepted; nothing was fetched', {
    item: 'terms',
    next: 'what TCIA has over HTTPS is shown by carrel tcia show',
  });
}
