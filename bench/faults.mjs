// The same faults for Carrel and for the programs that people use today: s5cmd, aws, rclone. Each situation gets a server of
// its own on loopback, each program a clean folder and 45 seconds. The judge looks at the disk, the exit code and a second
// run without the fault.
//
//   npm run build && node --import tsx bench/faults.mjs [--only words] [--tools carrel,s5cmd] [--json] [--log]
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createDigestCache, createS3App, listen } from '../src/serve/index.ts';
import { startBrokenWire } from '../test/fixtures/broken-wire.ts';
import { makeCertificate } from '../test/fixtures/certificate.ts';
import { WIRE_CASES } from '../test/fixtures/fault-cases.ts';
import { withFaults } from '../test/fixtures/faults.ts';
import { contestants, surroundings } from './transfer/tools.mjs';

const LIMIT_MS = 45_000;
const AT_ONCE = 10;
const MIB = 1 << 20;

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    tools: { type: 'string', default: 'carrel,s5cmd,aws,rclone' },
    carrel: { type: 'string', default: fileURLToPath(new URL('../dist/bin/carrel.js', import.meta.url)) },
    json: { type: 'boolean', default: false },
    log: { type: 'boolean', default: false },
  },
});

// Redirects within the server name keys of another bucket; the credentials and the endless wait have no place here.
const LEFT_OUT =
  /^(redirected to another path|redirected to a sign-in page|TLS with a certificate that the client)/;
const LARGE = 'large/slide.dcm';
const large = (what, ...rules) => ({ what: `24 MiB: ${what}`, victims: [LARGE], rules: () => rules });
const listing = (what, fault, times) => ({
  what: `listing: ${what}`,
  victims: [],
  general: () => [{ path: /list-type/, ...(times === undefined ? {} : { times }), fault }],
});
const PAGE = '<!doctype html><html><body>Please sign in</body></html>';

const CASES = [
  ...WIRE_CASES.filter(({ what }) => !LEFT_OUT.test(what)),
  large('cut in the middle: once', { times: 1, fault: { kind: 'cut', after: 10 * MIB } }),
  large('every reply is cut after 5 MiB', { fault: { kind: 'cut', after: 5 * MIB } }),
  large('no Range', { fault: { kind: 'no-range' } }),
  large(
    'no Range, and cut once',
    { times: 1, fault: { kind: 'cut', after: 3 * MIB } },
    { fault: { kind: 'no-range' } },
  ),
  large('a flipped bit: once', { times: 1, fault: { kind: 'wrong-byte', at: 5 * MIB } }),
  large('a flipped bit: always', { fault: { kind: 'wrong-byte', at: 5 * MIB } }),
  large('another version after the first reply', {
    skip: 1,
    fault: { kind: 'etag', etag: 'another-version' },
  }),
  large('one reply has collapsed to 1 KiB/s', {
    times: 1,
    fault: { kind: 'slow', bytes: 256, milliseconds: 250 },
  }),
  listing('500 once', { kind: 'status', status: 500 }, 1),
  listing('500 always', { kind: 'status', status: 500 }),
  listing('a sign-in page: always', { kind: 'replace', body: PAGE }),
  listing('reset once', { kind: 'reset' }, 1),
  { what: 'listing: a prefix that matches nothing', victims: [], prefix: 'mistyped', nothing: true },
].filter(({ what }) => what.includes(flags.only));

const contents = {
  'victim/small.dcm': randomBytes(50_000),
  'victim/medium.dcm': randomBytes(1_500_000),
  'twin/a.dcm': randomBytes(30_000),
  'twin/b.dcm': randomBytes(30_000),
  [LARGE]: randomBytes(24 * MIB),
};
for (let index = 0; index < 6; index += 1) contents[`healthy/${index}.dcm`] = randomBytes(20_000);

const root = mkdtempSync(join(tmpdir(), 'carrel-bench-faults-'));
process.once('exit', () => rmSync(root, { recursive: true, force: true }));
for (const [key, bytes] of Object.entries(contents)) {
  const path = join(root, 'buckets', 'bench', 's', key);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, bytes);
}
const app = createS3App({ root: join(root, 'buckets'), digests: createDigestCache() });
const certificate = await makeCertificate();
const ca = join(root, 'ca.pem');
writeFileSync(ca, certificate.cert);
const tools = contestants(flags.carrel).filter(({ id }) => flags.tools.split(',').includes(id));
for (const tool of tools) await tool.prepare();

/** Ends with the exit code, or with `hang`; nothing that was started is left. */
function run({ command, cwd, env }) {
  return new Promise((resolve) => {
    const child = spawn(command[0], command.slice(1), {
      cwd,
      env: { ...surroundings(ca), AWS_MAX_ATTEMPTS: '5', ...env },
      stdio: 'ignore',
      detached: true,
    });
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      process.kill(-child.pid, 'SIGKILL');
    }, LIMIT_MS);
    child.on('error', () => resolve('does not start'));
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      resolve(late ? 'hang' : (code ?? signal));
    });
  });
}

/** What a user sees: right, missing, wrong and foreign files. */
function look(folder) {
  const seen = { right: 0, wrong: 0, foreign: 0 };
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name).slice(folder.length + 1);
    if (path.startsWith('.carrel/') || /^carrel\.[^/]*\.jsonl?$/.test(path)) continue;
    const expected = contents[path];
    if (expected === undefined) seen.foreign += 1;
    else if (readFileSync(join(folder, path)).equals(expected)) seen.right += 1;
    else seen.wrong += 1;
  }
  return seen;
}

/** One program in one situation. */
async function play(one, tool) {
  const work = mkdtempSync(join(root, 'work-'));
  const folder = join(work, 'out');
  mkdirSync(folder);
  const victims = one.victims ?? ['victim/small.dcm', 'victim/medium.dcm'];
  const rules = [
    ...victims.flatMap((key) =>
      (one.rules?.({ key, face: 's3', size: contents[key].length }) ?? []).map((rule) => ({
        ...rule,
        path: key,
      })),
    ),
    ...(one.general?.('s3') ?? []),
  ];
  const tls = one.tls === undefined ? undefined : certificate;
  const faulty = withFaults(app, rules);
  const server = await listen({ fetch: (request) => faulty.fetch(request), tls });
  const wire = one.wire === undefined ? undefined : await startBrokenWire(server.port, one.wire('victim'));
  const command = (endpoint) => {
    const { hostname: host, port } = new URL(endpoint);
    const series = [one.prefix ?? 's'];
    const given = {
      endpoint,
      host,
      port,
      secure: tls !== undefined,
      bucket: 'bench',
      series,
      folder,
      work,
      ca,
    };
    const made = tool.command(given);
    if (one.tls !== 'untrusted') return made;
    const nobody = join(work, 'nobody.pem');
    writeFileSync(nobody, '');
    return {
      ...made,
      env: { ...made.env, SSL_CERT_FILE: '/dev/null', AWS_CA_BUNDLE: nobody, REQUESTS_CA_BUNDLE: nobody },
    };
  };
  try {
    const began = performance.now();
    const end = await run(command(one.endpoint ?? wire?.url ?? server.url));
    const seconds = Math.round((performance.now() - began) / 1000);
    const seen = look(folder);
    const count = Object.keys(contents).length;
    const told = { tool: tool.id, what: one.what, end, seconds, ...seen };
    if (end === 'hang') return { ...told, verdict: 'no end' };
    if (one.nothing === true) return { ...told, verdict: end === 0 ? 'silent' : 'honest' };
    if (seen.wrong > 0) return { ...told, verdict: 'wrong' };
    if (end === 0) return { ...told, verdict: seen.right === count ? 'right' : 'silent' };
    rules.length = 0;
    wire?.mend();
    const healthy = one.endpoint === undefined && wire !== undefined ? wire.url : server.url;
    const again = await run(one.tls === 'untrusted' ? { command: ['false'] } : command(healthy));
    const mended = one.tls === 'untrusted' || (again === 0 && look(folder).right === count);
    return { ...told, verdict: mended ? 'honest' : 'not mended' };
  } finally {
    await wire?.close();
    await server.close();
    rmSync(work, { recursive: true, force: true });
  }
}

const jobs = CASES.flatMap((one) => tools.map((tool) => [one, tool]));
const results = [];
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      const result = await play(...job);
      results.push(result);
      if (flags.log || (result.verdict !== 'right' && result.verdict !== 'honest'))
        process.stderr.write(
          `${result.tool}: ${result.what}: ${result.verdict} (${JSON.stringify(result)})\n`,
        );
    }
  }),
);

if (flags.json) process.stdout.write(`${JSON.stringify(results, null, 1)}\n`);
else {
  const line = (cells) => process.stdout.write(`| ${cells.join(' | ')} |\n`);
  line([
    'tool',
    'situations',
    'right bytes',
    'honest failure, completed later',
    'wrong bytes',
    'exit 0 though incomplete',
    'a later run does not mend it',
    `no end in ${LIMIT_MS / 1000} s`,
  ]);
  line(['---', ...Array(7).fill('---:')]);
  for (const { id } of tools) {
    const own = results.filter(({ tool }) => tool === id);
    const of = (verdict) => own.filter((result) => result.verdict === verdict).length;
    line([id, own.length, ...['right', 'honest', 'wrong', 'silent', 'not mended', 'no end'].map(of)]);
  }
}
process.exit(0);
