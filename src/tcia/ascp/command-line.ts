/** A transfer spec as the command line of `ascp`. Secrets go by the environment alone. */
import { CarrelError } from '../../errors.ts';
import type { TransferSpec } from '../faspex/transfer-spec.ts';

/** A source on the server and where it goes below the destination. */
export interface SourcePair {
  source: string;
  local: string;
}

/** What is known besides the spec. */
export interface CommandLineOptions {
  spec: TransferSpec;
  /** Private key of the SSH session; not needed over WebSocket. */
  keyFile?: string | undefined;
  /** Certificates to trust over WebSocket (PEM). */
  caFile?: string | undefined;
  /** `--file-pair-list`: written by the caller with `pairListText`. */
  pairListFile: string;
  /** Folder that the local names are below; absolute. */
  destination: string;
  /** Port on 127.0.0.1 where `ascp` reports. */
  managementPort: number;
  /** Upper bound of the rate, below what the spec allows. */
  maxRateKbps?: number | undefined;
  /** Passphrase of a package with content protection. */
  passphrase?: string | undefined;
}

/** What is run. */
export interface AscpCommand {
  argv: string[];
  /** To be added to the environment. */
  env: Record<string, string>;
  /** What must never be shown: token, cookie, passphrase. */
  secrets: string[];
}

const RATE_POLICIES = new Set(['fixed', 'high', 'fair', 'low']);

/**
 * Source and destination lines in turn.
 *
 * @throws CarrelError `unsafe` for a name with a line break, which the list cannot say
 */
export function pairListText(pairs: readonly SourcePair[]): string {
  return pairs
    .flatMap(({ source, local }) => [source, local])
    .map((line) => {
      if (/[\r\n\0]/.test(line)) throw lineBreak(line);
      return `${line}\n`;
    })
    .join('');
}

/** The error for a name with a line break. */
export function lineBreak(path: string): CarrelError {
  return new CarrelError('unsafe', `${JSON.stringify(path)} has a line break, which ascp cannot be told`, {
    item: path,
    next: 'tell the archive about this name',
  });
}

/**
 * The command line and environment of a download.
 *
 * @throws CarrelError `bad-input` for a spec that is not a download or holds what no server should say; `permission`
 *   where a key or a passphrase is needed and not given
 */
export function ascpCommand(options: CommandLineOptions): AscpCommand {
  const { spec, passphrase } = options;
  const receive = spec.direction === 'receive' || spec.direction === 'recv';
  if (!receive) throw bad('direction', spec.direction);
  if (typeof spec.token !== 'string' || spec.token === '') throw bad('token', '');
  const webSocket = spec.wss_enabled === true && spec.wss_port !== undefined;
  const protectedContent = spec.content_protection === 'decrypt';
  const cookie = typeof spec.cookie === 'string' && spec.cookie !== '' ? spec.cookie : undefined;
  const secrets = [spec.token, cookie, protectedContent ? passphrase : undefined].filter(isText);

  const argv = ['-M', String(options.managementPort), '-q'];
  if (webSocket) {
    argv.push('--ws-connect');
    if (options.caFile !== undefined) argv.push('-i', options.caFile);
  } else argv.push('-i', needed(options.keyFile, 'a client key', '--ssh-key FILE'));
  if (spec.cipher !== undefined) argv.push('-c', cipher(spec.cipher));
  argv.push('-d', '--mode=recv');
  if (!webSocket) argv.push('-O', port('fasp_port', spec.fasp_port ?? 33001));
  argv.push('-y', '0');
  if (spec.rate_policy !== undefined) {
    if (!RATE_POLICIES.has(spec.rate_policy)) throw bad('rate_policy', spec.rate_policy);
    argv.push(`--policy=${spec.rate_policy}`);
  }
  argv.push(
    `--host=${name('remote_host', spec.remote_host)}`,
    `--user=${name('remote_user', spec.remote_user)}`,
  );
  // 2: what stands there is compared by a sparse checksum, and a part is gone on with.
  argv.push(
    '-k',
    '2',
    '-P',
    webSocket ? port('wss_port', spec.wss_port) : port('ssh_port', spec.ssh_port ?? 33001),
  );
  if (spec.sshfp !== undefined && !webSocket) argv.push(`--check-sshfp=${fingerprint(spec.sshfp)}`);
  if (spec.source_root !== undefined && spec.source_root !== '')
    argv.push(`--source-prefix64=${base64(spec.source_root)}`);
  if (protectedContent) argv.push('--file-crypt=decrypt');
  const tags = spec.tags === undefined || spec.tags === null ? undefined : JSON.stringify(spec.tags);
  // Nothing says that a server may not repeat its token among the tags, which everybody on this machine can read.
  if (tags !== undefined && !secrets.some((secret) => tags.includes(secret)))
    argv.push(`--tags64=${base64(tags)}`);
  const rate = lower(rateOf('target_rate_kbps', spec.target_rate_kbps), options.maxRateKbps);
  if (rate !== undefined) argv.push('-l', String(rate));
  const least = rateOf('min_rate_kbps', spec.min_rate_kbps);
  if (least !== undefined) argv.push('-m', String(lower(least, rate)));
  argv.push('--dest64', `--file-pair-list=${options.pairListFile}`, base64(options.destination));

  const env: Record<string, string> = { ASPERA_SCP_TOKEN: spec.token, ASPERA_TEST_REDIS_DISABLE: 'true' };
  if (cookie !== undefined) env['ASPERA_SCP_COOKIE'] = cookie;
  if (protectedContent)
    env['ASPERA_SCP_FILEPASS'] = needed(passphrase, 'a passphrase', 'CARREL_ASPERA_PASSPHRASE');
  for (const value of Object.values(env)) if (value.includes('\0')) throw bad('token', '');
  return { argv, env, secrets };
}

function isText(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}

function needed(value: string | undefined, what: string, how: string): string {
  if (isText(value)) return value;
  throw new CarrelError('permission', `the server asks for ${what}`, {
    item: what,
    next: `give it with ${how}; carrel doctor tcia tells more`,
  });
}

/** Hosts and users go into an argument: nothing that could be read as something else. */
function name(field: string, value: unknown): string {
  if (typeof value !== 'string' || !/^[A-Za-z0-9_[][A-Za-z0-9._:@[\]-]{0,254}$/.test(value))
    throw bad(field, value);
  return value;
}

function port(field: string, value: unknown): string {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1 || number > 65_535) throw bad(field, value);
  return String(number);
}

/** `aes-128` → `aes128`. */
function cipher(value: unknown): string {
  const plain = typeof value === 'string' ? value.toLowerCase().replaceAll('-', '') : '';
  if (!/^(?:none|aes(?:128|192|256)(?:cfb|gcm)?)$/.test(plain)) throw bad('cipher', value);
  return plain;
}

function fingerprint(value: unknown): string {
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/=:]{8,256}$/.test(value)) throw bad('sshfp', value);
  return value;
}

function rateOf(field: string, value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 0) throw bad(field, value);
  return number;
}

function lower(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.min(one, other);
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

function bad(field: string, value: unknown): CarrelError {
  const shown = value === '' || value === undefined ? 'nothing' : JSON.stringify(value)?.slice(0, 60);
  return new CarrelError('bad-input', `the transfer spec of the server has ${shown} as its ${field}`, {
    item: field,
    next: 'try again later; if it stays so, tell the archive',
  });
}
