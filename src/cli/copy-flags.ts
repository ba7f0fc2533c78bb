/** Flags that `cp`, `sync`, `run`, `ls`, `du`, `cat` and `head` share, in the words of the tools that people know. */
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { Access, CopyRequest, GlobLanguage, PlanTools } from '../copies/index.ts';
import { CarrelError } from '../errors.ts';
import { collect, type Run } from './command.ts';
import type { Desk } from './desk.ts';
import { byteRate } from './numbers.ts';
import { readStdin } from './read-stdin.ts';
import { textOf } from './settings.ts';

/** Flags as commander gives them. */
export type Flags = Record<string, unknown>;

/** Where buckets stand and how they are signed. */
export function addPlaceFlags(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--endpoint-url <url>',
        'another server: MinIO, Ceph, a cache (also S3_ENDPOINT_URL, AWS_ENDPOINT_URL)',
      ),
    )
    .addOption(new Option('--endpoint <url>', 'the same').hideHelp())
    .addOption(new Option('--from <mirror>', 'mirror of the archive to ask: auto, aws, gcs'))
    .addOption(
      new Option('--addressing <how>', 'where the bucket stands in a URL of that server').choices([
        'path',
        'virtual',
      ]),
    )
    .addOption(
      new Option('--sign', 'sign requests at once (default: only where a bucket refuses anonymous ones)'),
    )
    .addOption(new Option('--no-sign-request', 'never sign'))
    .addOption(new Option('--profile <name>', 'sign with a profile of ~/.aws'))
    .addOption(
      new Option('--credentials-file <file>', 'sign with the credentials of another file').hideHelp(),
    )
    .addOption(new Option('--request-payer <who>', 'pay for requests: "requester", or the project on gs://'))
    .addOption(
      new Option(
        '--region <region>',
        'region of the buckets (also AWS_REGION); found out where it is not given',
      ),
    );
}

/** Which of the matches are meant. */
export function addMatchFlags(command: Command): Command {
  return command
    .addOption(new Option('--include <pattern>', 'of the matches only these (repeatable)').argParser(collect))
    .addOption(
      new Option('--exclude <pattern>', 'without these; goes before --include (repeatable)').argParser(
        collect,
      ),
    )
    .addOption(
      new Option(
        '--glob <language>',
        'wildcards: s5cmd (* crosses /; default for s3://), gsutil (** crosses /; default for gs://)',
      ).choices(['s5cmd', 'gsutil']),
    )
    .addOption(new Option('--raw', 'no character is a wildcard'));
}

/** How bytes are fetched. */
export function addFetchFlags(command: Command): Command {
  return (
    command
      .addOption(new Option('--dry-run', 'print what would be done, and do nothing'))
      .addOption(new Option('-v, --verbose', 'a line for each file'))
      .addOption(new Option('--verify <how>', 'full, size or none').choices(['full', 'size', 'none']))
      .addOption(new Option('--jobs <n>', 'files in flight, or auto'))
      .addOption(new Option('--numworkers <n>', 'the same').hideHelp())
      .addOption(new Option('--bandwidth <rate>', 'at most so many bytes per second: 50M'))
      // Known from elsewhere; what they set is decided by the engine.
      .addOption(new Option('-c, --concurrency <n>', 'taken, without effect').hideHelp())
      .addOption(new Option('-p, --part-size <mib>', 'taken, without effect').hideHelp())
      .addOption(new Option('--show-progress', 'taken, without effect').hideHelp())
  );
}

/** The rules of one request that stand in its flags. */
export function requestFlags(flags: Flags): Omit<CopyRequest, 'sources' | 'destination'> {
  const is = (name: string) => flags[name] === true;
  return {
    glob: flags['glob'] as GlobLanguage | undefined,
    raw: is('raw'),
    recursive: is('recursive'),
    include: flags['include'] as string[] | undefined,
    exclude: flags['exclude'] as string[] | undefined,
    flatten: is('flatten'),
    noClobber: flags['clobber'] === false,
    ifSizeDiffer: is('ifSizeDiffer'),
    ifSourceNewer: is('ifSourceNewer'),
  };
}

/** What everything is found with. */
export function planTools(run: Run, desk: Desk, flags: Flags): PlanTools {
  const { env, cwd } = run.terminal;
  const named = flags['endpointUrl'] ?? flags['endpoint'];
  const flag = typeof named === 'string' ? named : undefined;
  const s3 =
    flag ?? (env['S3_ENDPOINT_URL'] || env['AWS_ENDPOINT_URL_S3'] || env['AWS_ENDPOINT_URL'] || undefined);
  if (s3 !== undefined && !/^https?:\/\//i.test(s3))
    throw new CarrelError('usage', `an endpoint starts with http:// or https://, not ${s3}`, { item: s3 });
  return {
    archive: desk.archive,
    openStore: desk.openStore,
    from: textOf(run.settings, 'from'),
    endpoints: { s3, gs: flag },
    cwd,
    signal: run.signal,
    known: new Map(),
    places: {
      env: runEnvironment(run, flags),
      access: accessOf(flags),
      region: text(flags['region']) ?? (env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] || undefined),
      addressing: flags['addressing'] as 'path' | 'virtual' | undefined,
      payer: text(flags['requestPayer']),
    },
  };
}

function accessOf(flags: Flags): Access {
  const signed =
    flags['sign'] === true || flags['profile'] !== undefined || flags['credentialsFile'] !== undefined;
  if (flags['signRequest'] !== false) return signed ? 'signed' : 'auto';
  if (signed)
    throw new CarrelError('usage', '--no-sign-request and a way to sign exclude each other', {
      next: 'give one of them',
    });
  return 'anonymous';
}

/** The run with what its flags say about credentials in its environment, where the stores look for it. */
export function withCredentials(run: Run, flags: Flags): Run {
  return { ...run, terminal: { ...run.terminal, env: runEnvironment(run, flags) } };
}

function runEnvironment(run: Run, flags: Flags): Record<string, string | undefined> {
  const { env, cwd } = run.terminal;
  const [profile, file] = [text(flags['profile']), text(flags['credentialsFile'])];
  return {
    ...env,
    ...(profile !== undefined && { AWS_PROFILE: profile }),
    ...(file !== undefined && { AWS_SHARED_CREDENTIALS_FILE: resolve(cwd, file) }),
  };
}

/** Options of the engine. */
export function fetchOptions(
  run: Run,
  flags: Flags,
): { jobs: number | 'auto'; verify: 'full' | 'size' | 'none'; bandwidth: number | undefined } {
  const jobs = text(flags['numworkers']) ?? textOf(run.settings, 'jobs');
  if (jobs !== 'auto' && (!/^\d{1,6}$/.test(jobs) || Number(jobs) === 0))
    throw new CarrelError('usage', '--jobs must be a whole number from 1, or auto', {
      item: jobs,
      next: 'leave it out: auto finds out how many',
    });
  const verify = textOf(run.settings, 'verify');
  if (verify !== 'full' && verify !== 'size' && verify !== 'none')
    throw new CarrelError('usage', `verify must be full, size or none, not ${JSON.stringify(verify)}`, {
      item: verify,
    });
  const bandwidth = textOf(run.settings, 'bandwidth');
  return {
    jobs: jobs === 'auto' ? 'auto' : Number(jobs),
    verify,
    bandwidth: bandwidth === 'unlimited' ? undefined : byteRate(bandwidth),
  };
}

/** A list of addresses on stdin: one per line, empty lines and lines that start with `#` left out. */
export async function listFromStdin(run: Run): Promise<string[]> {
  const lines = new TextDecoder().decode(await readStdin(run.terminal)).split(/\r?\n/);
  const list = lines.filter((line) => line.trim() !== '' && !line.startsWith('#'));
  if (list.length === 0)
    throw new CarrelError('bad-input', 'stdin names nothing', { item: '-', next: 'one address per line' });
  return list;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
