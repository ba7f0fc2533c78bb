#!/usr/bin/env node
/**
 * A stand-in for IBM's ascp, as strict as the real one and without a network: it takes the same command line and
 * environment, asks for a client key and for the token and the sources that a Faspex server issued, writes `.partial` and
 * `.aspera-ckpt` files, resumes, and speaks on the management port. See README.md beside it for its variables and faults.
 */
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { connect } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep, setImmediate as yieldOnce } from 'node:timers/promises';

const VERSION = process.env['FAKE_ASCP_VERSION'] ?? '4.4.7.1234';
const CHUNK = 64 * 1024;

/** Options with a value, and those without. Whatever is not here is refused. */
const VALUED =
  /^(?:-[MicOykPlmtEZCYIW]|--(?:mode|host|user|policy|tags64|file-list|file-pair-list|overwrite|source-prefix64|src-base64|check-sshfp|file-crypt|file-checksum|symbolic-links|proxy))$/;
const PLAIN = /^(?:-[qdpATh]|--(?:dest64|ws-connect|precalculate-job-size|precalculate-disable))$/;

class Refusal extends Error {
  constructor(code, description) {
    super(description);
    this.code = code;
  }
}

function parseArguments(argv) {
  const options = new Map();
  const rest = [];
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at];
    const [, name, inline] = /^(--[^=]+)(?:=(.*))?$/s.exec(word) ?? [undefined, word, undefined];
    if (!word.startsWith('-')) rest.push(word);
    else if (VALUED.test(name)) {
      let value = inline;
      if (value === undefined) {
        at += 1;
        value = argv[at];
      }
      if (value === undefined) throw new Refusal(8, `option requires an argument: ${name}`);
      options.set(name, value);
    } else if (PLAIN.test(name) && inline === undefined) options.set(name, true);
    else throw new Refusal(8, `unrecognized option ${name}`);
  }
  return { options, rest };
}

/** `name:argument`, `name@2:argument` (in the second run alone), several separated by `;`. */
function parseFaults(text, run) {
  const faults = new Map();
  for (const one of (text ?? '').split(';').filter((part) => part !== '')) {
    const [, name, only, argument] = /^([a-z-]+)(?:@(\d+))?(?::(.*))?$/s.exec(one) ?? [];
    if (name === undefined) throw new Error(`FAKE_ASCP_FAULT: ${one}`);
    if (only === undefined || Number(only) === run) faults.set(name, argument ?? '');
  }
  return faults;
}

/** The line to the program that started us. Without `-M` nothing is said. */
async function openManagement(port) {
  if (port === undefined) return { say() {}, async end() {} };
  const socket = connect({ host: '127.0.0.1', port: Number(port) });
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  // Whoever started us is gone: so are we.
  socket.on('close', () => process.exit(1));
  socket.on('error', () => process.exit(1));
  socket.resume();
  return {
    say(type, fields = {}) {
      const lines = Object.entries({ Type: type, ...fields }).map(([name, value]) => `${name}: ${value}\n`);
      socket.write(`FASPMGR 2\n${lines.join('')}\n`);
    },
    raw: (text) => socket.write(text),
    async end() {
      socket.removeAllListeners('close');
      await new Promise((resolve) => socket.end(resolve));
    },
  };
}

/** What is asked for, as pairs of a source and a place below the destination. */
function readPairs(options, rest) {
  const list = options.get('--file-pair-list') ?? options.get('--file-list');
  if (rest.length === 0) throw new Refusal(8, 'no destination');
  const last = rest.at(-1);
  const destination = options.has('--dest64') ? Buffer.from(last, 'base64').toString() : last;
  if (list === undefined)
    return { destination, pairs: rest.slice(0, -1).map((source) => ({ source, local: basename(source) })) };
  if (rest.length > 1) throw new Refusal(8, 'sources beside a list');
  const lines = readFileSync(list, 'utf8').replace(/\n$/, '').split('\n');
  if (!options.has('--file-pair-list'))
    return { destination, pairs: lines.map((source) => ({ source, local: basename(source) })) };
  if (lines.length % 2 !== 0) throw new Refusal(8, 'odd number of lines in the pair list');
  const pairs = [];
  for (let at = 0; at < lines.length; at += 2) pairs.push({ source: lines[at], local: lines[at + 1] });
  return { destination, pairs };
}

/** Key, token and sources, as a server would see them. Answers with the bytes behind each source. */
function authorise(options, pairs, faults) {
  if (faults.has('auth')) throw new Refusal(19, 'Authentication failure');
  if (!options.has('--ws-connect')) {
    const key = options.get('-i');
    if (key === undefined || !existsSync(key) || !readFileSync(key, 'latin1').startsWith('-----BEGIN '))
      throw new Refusal(19, 'Authentication failure: no methods left to try');
  }
  for (const needed of ['--host', '--user'])
    if (!options.has(needed)) throw new Refusal(8, `${needed} is missing`);
  if (options.get('--mode') !== 'recv') throw new Refusal(8, 'this server only sends');
  const token = process.env['ASPERA_SCP_TOKEN'];
  const registry = JSON.parse(readFileSync(process.env['FAKE_ASCP_REGISTRY'] ?? '', 'utf8'));
  const issued = Object.hasOwn(registry.tokens, token ?? '') ? registry.tokens[token] : undefined;
  if (issued === undefined) throw new Refusal(34, 'Unauthorized: the token was not issued here');
  const expires =
    issued.expires === undefined ? Number.POSITIVE_INFINITY : new Date(issued.expires).getTime();
  if (faults.has('expired') || expires < Date.now())
    throw new Refusal(34, 'Unauthorized: bearer token expired');
  if (issued.cookie !== undefined && issued.cookie !== process.env['ASPERA_SCP_COOKIE'])
    throw new Refusal(34, 'Unauthorized: another cookie');
  const prefix = Buffer.from(String(options.get('--source-prefix64') ?? ''), 'base64').toString();
  return pairs.map(({ source, local }) => {
    const whole = `${prefix}${source}`;
    if (!Object.hasOwn(issued.sources, whole))
      throw new Refusal(34, 'Unauthorized: source is not of this token');
    return { source: whole, local, bytes: issued.sources[whole] };
  });
}

/** Folders become their files. */
function expand({ source, local, bytes }) {
  if (bytes === null || !statSync(bytes).isDirectory()) return [{ source, local, bytes }];
  return readdirSync(bytes).flatMap((name) =>
    expand({ source: `${source}/${name}`, local: `${local}/${name}`, bytes: join(bytes, name) }),
  );
}

function sameBytes(path, other, length) {
  const [one, two] = [readFileSync(path), readFileSync(other)];
  return one.subarray(0, length).equals(two.subarray(0, length));
}

async function transfer(management, options, faults, destination, files) {
  const { say } = management;
  const resume = Number(options.get('-k') ?? 0) >= 2;
  const delay = Number(process.env['FAKE_ASCP_DELAY_MS'] ?? 0);
  const present = files.filter(({ bytes }) => bytes !== null);
  say('NOTIFICATION', {
    PreTransferBytes: present.reduce((sum, { bytes }) => sum + statSync(bytes).size, 0),
    PreTransferFiles: present.length,
  });
  let moved = 0;
  let resumed = 0;
  let failed = 0;
  const stats = (file) =>
    say('STATS', { File: file, TransferBytes: moved, StartByte: resumed, Rate: 100_000 });
  const limitOf = (name) => (faults.has(name) ? Number(faults.get(name)) : Number.POSITIVE_INFINITY);
  const named = (name, local) => faults.has(name) && local.endsWith(faults.get(name));
  for (const { source, local, bytes } of files) {
    const asked = join(destination, local);
    if (bytes === null || named('fileerror', local)) {
      failed += 1;
      say('FILEERROR', { File: source, Code: 4, Description: 'No such file or directory' });
      continue;
    }
    if (named('missing', local)) continue;
    const illegal = faults.get('underscore');
    const target =
      illegal === undefined ? asked : join(dirname(asked), basename(asked).replaceAll(illegal, '_'));
    const size = statSync(bytes).size;
    if (resume && existsSync(target) && statSync(target).size === size && sameBytes(target, bytes, size)) {
      resumed += size;
      say('SKIP', { File: target, Size: size });
      continue;
    }
    if (options.has('-d')) mkdirSync(dirname(target), { recursive: true });
    else if (!existsSync(dirname(target))) throw new Refusal(4, 'No such file or directory: destination');
    const [partial, checkpoint] = [`${target}.partial`, `${target}.aspera-ckpt`];
    let start = 0;
    if (resume && existsSync(partial) && existsSync(checkpoint)) {
      const have = statSync(partial).size;
      if (have <= size && sameBytes(partial, bytes, have)) start = have;
    }
    resumed += start;
    writeFileSync(checkpoint, JSON.stringify({ size }));
    const input = openSync(bytes, 'r');
    const output = openSync(partial, start > 0 ? 'r+' : 'w');
    const end = named('short', local) ? Math.floor(size / 2) : size;
    const buffer = Buffer.alloc(CHUNK);
    for (let at = start; at < end; ) {
      const read = readSync(input, buffer, 0, Math.min(CHUNK, end - at), at);
      if (named('corrupt', local) && at === start) buffer[0] ^= 1;
      writeSync(output, buffer, 0, read, at);
      at += read;
      moved += read;
      stats(source);
      if (moved >= limitOf('die')) process.kill(process.pid, 'SIGKILL');
      if (moved >= limitOf('lost')) throw new Refusal(16, 'Connection lost');
      if (moved >= limitOf('full')) throw new Refusal(25, 'No space left on disk');
      while (moved >= limitOf('stall')) {
        await sleep(20);
        stats(source);
      }
      await (delay === 0 ? yieldOnce() : sleep(delay));
    }
    closeSync(input);
    closeSync(output);
    renameSync(partial, target);
    rmSync(checkpoint);
    say('STOP', { File: target, Size: end, StartByte: start, Written: end - start });
    stats(source);
  }
  if (failed > 0) throw new Refusal(27, 'One or more files failed');
}

async function main() {
  const argv = process.argv.slice(2);
  if (argv.length === 1 && argv[0] === '-A') {
    process.stdout.write(
      `IBM Aspera Connect version 4.2\nascp version ${VERSION} abcdef\nOperating System: fake\n`,
    );
    return 0;
  }
  const log = process.env['FAKE_ASCP_LOG'];
  const run = log === undefined || !existsSync(log) ? 1 : readFileSync(log, 'utf8').split('\n').length;
  if (log !== undefined) appendFileSync(log, `${JSON.stringify({ pid: process.pid, argv })}\n`);
  const faults = parseFaults(process.env['FAKE_ASCP_FAULT'], run);
  let parsed;
  try {
    parsed = parseArguments(argv);
  } catch (error) {
    process.stderr.write(`ascp: ${error.message}\nusage: ascp [options] source ... destination\n`);
    return 1;
  }
  const { options, rest } = parsed;
  if (faults.has('mute')) return 1;
  const management = await openManagement(options.get('-M'));
  process.on('SIGINT', () => {
    if (faults.has('deaf')) return;
    management.say('ERROR', { Code: 28, Description: 'Cancelled by user' });
    void management.end().then(() => process.exit(1));
  });
  try {
    const { destination, pairs } = readPairs(options, rest);
    if (faults.has('handshake')) management.raw('SSH-2.0-nonsense\n');
    management.say('INIT', { SessionId: `fake-${process.pid}`, Remote: 'No', Host: options.get('--host') });
    if (faults.has('code')) throw new Refusal(Number(faults.get('code')), 'as ordered');
    const files = authorise(options, pairs, faults).flatMap(expand);
    if (faults.has('leak')) process.stderr.write(`token is ${process.env['ASPERA_SCP_TOKEN']}\n`);
    if (faults.has('leak')) throw new Refusal(11, `Internal error with ${process.env['ASPERA_SCP_TOKEN']}`);
    await transfer(management, options, faults, destination, files);
    if (faults.has('nodone')) return 0;
    management.say('DONE');
    return 0;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    process.stderr.write(`ascp: ${error.message}\n`);
    management.say('ERROR', { Code: error.code, Description: error.message });
    return 1;
  } finally {
    await management.end();
  }
}

process.exitCode = await main();
