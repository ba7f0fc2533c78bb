/**
 * Loads a CommonJS file of ours with the bytecode that an earlier run left behind: parsing and compiling are most of what a
 * short command costs. Node 22 does that by itself where it is asked to; for Node 20 it is done here, by V8's own means.
 */
import {
  closeSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import * as nodeModule from 'node:module';
import { basename, dirname, join } from 'node:path';
import { Script } from 'node:vm';
import { threadId } from 'node:worker_threads';
import { crc32 } from 'node:zlib';

/** What a cached file is for: a change of any of it leaves the file aside. */
export interface CodeCache {
  /** A folder of the user's own; `undefined` for none. */
  folder: string | undefined;
  /** What is to be run: each command compiles other functions. Letters, digits and dashes. */
  use: string;
  /** Version of the program. */
  version: string;
}

/** CRC-32 and length of the bytecode. */
const HEAD_BYTES = 8;

/** What `require` itself puts around a file. */
const WRAP = '(function(exports,require,module,__filename,__dirname){';

/** After so many days a file is written anew, or cleared away with the version that it was for. */
const DAYS = 60;

/** What `require(path)` answers with. Never fails because of the cache. */
export function requireCached(path: string, { folder, use, version }: CodeCache): unknown {
  const require = nodeModule.createRequire(path);
  if (folder === undefined) return require(path);
  const { enableCompileCache } = nodeModule as { enableCompileCache?: (folder: string) => unknown };
  if (enableCompileCache !== undefined) {
    // Node keeps what the first run of a file compiled.
    if (ownFolder(folder)) enableCompileCache(join(folder, use));
    return require(path);
  }
  if (!process.versions.v8.startsWith('11.')) return require(path);
  // All characters are below 128: see scripts/build.mjs.
  const source = readFileSync(path, 'latin1');
  const { mtimeMs } = statSync(path);
  const name = [
    basename(path, '.js'),
    version,
    crc32(path).toString(36),
    Math.round(mtimeMs).toString(36),
    process.version,
    process.arch,
    use,
  ].join('_');
  const file = join(folder, name);
  const cachedData = readOwn(file);
  const script = new Script(`${WRAP}${source}\n})`, {
    filename: path,
    columnOffset: -WRAP.length,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  const module = { exports: {} };
  const run = script.runInThisContext() as (...parameters: unknown[]) => void;
  run(module.exports, require, module, path, dirname(path));
  if (cachedData === undefined || script.cachedDataRejected === true)
    process.once('exit', (code) => {
      if (code !== 0) return;
      // The bytecode is good for the flags under which it is written: those that a process starts with.
      (require('node:v8') as typeof import('node:v8')).setFlagsFromString('--interrupt-budget=67584');
      keep(file, script);
    });
  return module.exports;
}

/** The bytecode in a file that nobody but this user can have written; undefined where there is none, or not whole. */
function readOwn(file: string): Buffer | undefined {
  let descriptor: number | undefined;
  try {
    if (!isOwn(lstatSync(dirname(file)))) return undefined;
    descriptor = openSync(file, 'r');
    const facts = fstatSync(descriptor);
    if (!facts.isFile() || !isOwn(facts)) return undefined;
    const bytes = Buffer.allocUnsafeSlow(facts.size);
    for (let at = 0; at < bytes.length; ) {
      const count = readSync(descriptor, bytes, at, bytes.length - at, at);
      if (count === 0) return undefined;
      at += count;
    }
    const code = bytes.subarray(HEAD_BYTES);
    // V8 checks versions and lengths, not bytes: a flipped bit would crash it.
    return bytes.readUInt32LE(4) === code.length && bytes.readUInt32LE(0) === crc32(code) ? code : undefined;
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** True where it is this user's and others cannot write to it. Windows has no such bits: its profile folders are private. */
function isOwn({ uid, mode }: { uid: number; mode: number }): boolean {
  return process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0);
}

/** Makes the folder where it is missing; false where it cannot be trusted. */
function ownFolder(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return isOwn(lstatSync(folder));
  } catch {
    return false;
  }
}

/** Leaves the bytecode for the next run and clears away what is old. Whatever goes wrong: nothing is kept. */
function keep(file: string, script: Script): void {
  const folder = dirname(file);
  if (!ownFolder(folder)) return;
  const unfinished = `${file}_${process.pid}_${threadId}`;
  try {
    const code = script.createCachedData();
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt32LE(crc32(code), 0);
    head.writeUInt32LE(code.length, 4);
    writeFileSync(unfinished, Buffer.concat([head, code]), { mode: 0o600 });
    renameSync(unfinished, file);
    const oldest = Date.now() - DAYS * 86_400_000;
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (statSync(path).mtimeMs < oldest) unlinkSync(path);
    }
  } catch {
    rmSync(unfinished, { force: true });
  }
}
