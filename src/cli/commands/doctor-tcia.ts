/** `carrel doctor tcia`: what stands between this machine and the packages of TCIA, and the way around it. */
import { type Command, Option } from 'commander';
import { CarrelError } from '../../errors.ts';
import { createHttpPool, type HttpPool } from '../../stores/index.ts';
import {
  ascpVersion,
  type FoundAscp,
  findAscp,
  findKey,
  hasLicense,
  probeTcp,
  probeUdp,
  type TcpProbe,
} from '../../tcia/index.ts';
import { VERSION } from '../../version.ts';
import type { Run } from '../command.ts';
import type { ExitCode } from '../exit-codes.ts';
import { type Finding, printFinding } from '../output/finding.ts';
import { toJson } from '../output/json.ts';
import { serverOption, tciaServersOf } from '../tcia-catalogue.ts';
import { write } from '../terminal.ts';

/** TCIA's Faspex, and the machine that its transfer specs were seen to name. */
const FASPEX = 'https://faspex.cancerimagingarchive.net';
const FASP_HOST = '144.30.235.113';
const FASP_PORT = 33_001;

const TIMEOUT_MS = 8000;

/** What TCIA has without FASP. */
const ALTERNATIVES = [
  {
    name: 'IDC',
    what: 'images that were converted to DICOM, radiology and pathology',
    how: 'carrel search WORDS, carrel get COLLECTION',
  },
  { name: 'PathDB', what: 'whole-slide images, file by file', how: 'carrel tcia show SLUG names them' },
  {
    name: 'WordPress',
    what: 'spreadsheets, clinical data and manifests',
    how: 'carrel tcia show SLUG names them',
  },
];

const OWN_FLAGS = ['host', 'faspex', 'ascp', 'sshKey', 'server'];

/** The flags of `carrel doctor tcia`. */
export function addTciaFlags(command: Command): void {
  command
    .addOption(
      new Option('--host <host[:port]>', 'tcia: the machine that sends packages, if not that of TCIA'),
    )
    .addOption(new Option('--faspex <url>', 'tcia: another Faspex'))
    .addOption(new Option('--ascp <path>', 'tcia: IBM’s ascp, or its folder'))
    .addOption(new Option('--ssh-key <file>', 'tcia: the client key of ascp'))
    .addOption(serverOption());
}

/** @throws CarrelError `usage` where a flag of `doctor tcia` was given to `doctor` */
export function refuseTciaFlags(flags: Record<string, unknown>): void {
  const wrong = OWN_FLAGS.find((name) => flags[name] !== undefined);
  if (wrong === undefined) return;
  const flag = `--${wrong === 'sshKey' ? 'ssh-key' : wrong}`;
  throw new CarrelError('usage', `${flag} is for carrel doctor tcia`, {
    item: flag,
    next: 'carrel doctor tcia',
  });
}

/** Looks, tells, and says in words what it comes to. */
export async function doctorTcia(run: Run, flags: Record<string, unknown>): Promise<ExitCode> {
  for (const name of ['speed', 'full'])
    if (flags[name] === true) {
      throw new CarrelError('usage', `--${name} is not for carrel doctor tcia`, {
        item: `--${name}`,
        next: `carrel doctor --${name}`,
      });
    }
  const { ascp, findings } = await program(run, flags);
  let way: Way | undefined;
  if (flags['offline'] !== true) {
    const http = createHttpPool({ env: run.terminal.env });
    try {
      way = await network(run, flags, http);
      findings.push(...way.findings);
    } finally {
      await http.close();
    }
  }
  const failed = findings.some(({ state }) => state === 'fail');
  const verdict = verdictOf(ascp, findings, way);
  if (run.json) {
    const told = { version: VERSION, findings, verdict, alternatives: ALTERNATIVES };
    await write(run.terminal.out, `${toJson(told, 2)}\n`);
    return failed ? 1 : 0;
  }
  for (const finding of findings) await printFinding(run, finding);
  await write(run.terminal.out, `\n${verdict}\n`);
  if (failed) {
    await write(run.terminal.out, '\nOver HTTPS, without ascp:\n');
    for (const { name, what, how } of ALTERNATIVES)
      await write(run.terminal.out, `  ${name.padEnd(10)} ${what}: ${how}\n`);
  }
  return failed ? 1 : 0;
}

/** The program, its version, its licence, the key. */
async function program(
  run: Run,
  flags: Record<string, unknown>,
): Promise<{ ascp: FoundAscp | undefined; findings: Finding[] }> {
  const { env } = run.terminal;
  const findings: Finding[] = [];
  const look = <T>(check: string, work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      findings.push(asFinding(check, error));
      return undefined;
    }
  };
  const ascp = look('ascp', () => findAscp({ env, ascp: flags['ascp'] as string | undefined }));
  if (ascp === undefined) {
    if (findings.length === 0) {
      const next =
        'carrel tcia install-ascp fetches IBM’s program under IBM’s terms; --ascp PATH takes one that is there';
      findings.push({ check: 'ascp', state: 'fail', detail: 'not on this machine', next });
    }
  } else {
    try {
      const version = await ascpVersion(ascp.path, { env, signal: run.signal });
      findings.push({ check: 'ascp', state: 'ok', detail: `${version}, ${ascp.path} (${ascp.origin})` });
      const licensed = hasLicense(ascp.path);
      findings.push({
        check: 'licence of ascp',
        state: licensed ? 'ok' : 'warn',
        detail: licensed ? 'aspera-license is there' : 'no aspera-license beside it or in ../etc',
        next: 'put the one of an IBM Aspera product there; without it ascp ends with code 29',
      });
    } catch (error) {
      findings.push(asFinding('ascp', error));
    }
  }
  const before = findings.length;
  const key = look('client key', () =>
    findKey({ env, key: flags['sshKey'] as string | undefined, ascp: ascp?.path }),
  );
  if (key !== undefined)
    findings.push({ check: 'client key', state: 'ok', detail: `${key.path} (${key.origin})` });
  else if (findings.length === before) {
    findings.push({
      check: 'client key',
      state: 'fail',
      detail: 'none in the products of IBM that are here; the Transfer SDK alone has none',
      next: 'install IBM Aspera Connect or Desktop, or the gem aspera-cli; or carrel tcia install-ascp --key-from; or --ssh-key FILE',
    });
  }
  return { ascp, findings };
}

interface Way {
  findings: Finding[];
  tcp: TcpProbe['state'];
  faspex: boolean;
  web: boolean;
}

/** Ports and servers. */
async function network(run: Run, flags: Record<string, unknown>, http: HttpPool): Promise<Way> {
  const { signal } = run;
  const faspex = (flags['faspex'] as string | undefined) ?? FASPEX;
  if (!URL.canParse(faspex) || !/^https?:$/.test(new URL(faspex).protocol))
    throw new CarrelError('usage', `--faspex: ${faspex} is not an http(s) address`, { item: '--faspex' });
  const named = flags['host'] as string | undefined;
  const [host, port] =
    named === undefined
      ? [flags['faspex'] === undefined ? FASP_HOST : new URL(faspex).hostname, FASP_PORT]
      : hostAndPort(named);
  const servers = tciaServersOf(run, flags);
  const ping = `${new URL(faspex).origin}/aspera/faspex/api/v5/configuration/ping`;
  const [tcp, udp, server, wordpress, pathdb] = await Promise.all([
    probeTcp({ host, port, signal }),
    probeUdp({ host, port, signal }),
    answers('Faspex', ping, http, signal),
    answers('WordPress', `${servers.wordpress}/api/v1/collections/?per_page=1`, http, signal),
    answers('PathDB', `${servers.pathdb}/collections?_format=json`, http, signal),
  ]);
  if (server.state === 'fail') server.next = 'it may be down for a while; nothing on this machine helps';
  const findings: Finding[] = [
    server,
    {
      check: `TCP ${port}`,
      state: tcp.state === 'open' ? 'ok' : 'fail',
      detail: `${host}: ${tcp.detail}`,
      next: `ask for TCP and UDP port ${port} to ${host} to be opened; proxies do not carry FASP`,
    },
    {
      check: `UDP ${port}`,
      state: udp.state === 'unknown' ? 'ok' : 'warn',
      detail: `${host}: ${udp.detail}`,
      next: `ask for UDP port ${port} to ${host} to be opened in both directions`,
    },
    // Only roads beside the one that this is about.
    ...[wordpress, pathdb].map((one): Finding => (one.state === 'fail' ? { ...one, state: 'warn' } : one)),
  ];
  const web = wordpress.state === 'ok' || pathdb.state === 'ok';
  return { findings, tcp: tcp.state, faspex: server.state === 'ok', web };
}

async function answers(check: string, url: string, http: HttpPool, signal: AbortSignal): Promise<Finding> {
  const { host } = new URL(url);
  const started = performance.now();
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const next = 'check the network and HTTPS_PROXY, or try again later';
  try {
    const reply = await http.request({ url, signal: limit });
    reply.cancel();
    const ms = Math.round(performance.now() - started);
    const ok = reply.status >= 200 && reply.status < 300;
    return { check, state: ok ? 'ok' : 'fail', detail: `${host} answers ${reply.status}, ${ms} ms`, next };
  } catch (error) {
    if (signal.aborted) throw error;
    // The pool names the address; the host is enough here.
    const said = (error as Error).message.replace(/^https?:\S+: /, '');
    const reason = limit.aborted ? `no answer in ${TIMEOUT_MS / 1000} s` : said;
    return { check, state: 'fail', detail: reason.startsWith(host) ? reason : `${host}: ${reason}`, next };
  }
}

/** What it comes to, in a sentence. */
function verdictOf(ascp: FoundAscp | undefined, findings: readonly Finding[], way: Way | undefined): string {
  const bad = (check: string): boolean => findings.some((one) => one.check === check && one.state === 'fail');
  const missing =
    ascp === undefined || bad('ascp')
      ? 'ascp does not run here'
      : bad('client key')
        ? 'ascp has no client key'
        : '';
  if (way === undefined)
    return missing === '' ? 'ascp is ready; no server was asked.' : `${missing}; no server was asked.`;
  let road = '';
  if (way.tcp !== 'open') {
    if (way.faspex) {
      road =
        way.tcp === 'refused'
          ? 'Faspex is up, and the machine that sends its packages refuses: its transfer service is down, or a firewall answers in its place'
          : 'Faspex is up, and the port of FASP is shut: a firewall between here and there, not an outage';
    } else if (way.web)
      road = 'neither Faspex nor its port answers, other servers of TCIA do: an outage of Faspex';
    else road = 'no server of TCIA answers: look at the network of this machine first';
  } else if (!way.faspex)
    road = 'the port of FASP is open, and Faspex itself does not answer: an outage of its web service';
  const problems = [missing, road].filter((part) => part !== '');
  if (problems.length > 0) return `Packages cannot be fetched: ${problems.join('; and ')}.`;
  return 'Nothing stands in the way that can be seen; whether UDP passes shows with the first transfer.';
}

function hostAndPort(text: string): [string, number] {
  const [, host, port] = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(text) ?? [];
  const number = port === undefined ? FASP_PORT : Number(port);
  if (host !== undefined && number > 0 && number < 65_536) return [host.replace(/^\[|\]$/g, ''), number];
  throw new CarrelError('usage', `--host: ${text} is no host`, {
    item: '--host',
    next: '--host HOST or HOST:PORT',
  });
}

function asFinding(check: string, error: unknown): Finding {
  if (!(error instanceof CarrelError) || error.code === 'interrupted') throw error;
  const { message, next } = error;
  return { check, state: 'fail', detail: message, ...(next === undefined ? {} : { next }) };
}
