/**
 * s5cmd run files, executed as they are written: one command per line, parsed as s5cmd parses it (Go's shellquote), flags
 * per line, no comments inside of a line. What s5cmd gets wrong is not repeated: lines are numbered from 1 as editors do, a
 * quote that is left open is an error with its line, and nothing is fetched while a line is wrong.
 */
import { CarrelError } from '../errors.ts';
import { shellWords } from '../manifests/index.ts';
import { isRemote } from './address.ts';
import type { CopyRequest, Problem } from './plan-copies.ts';

/** The commands of a run file. */
export interface RunFile {
  requests: CopyRequest[];
  /** Lines that cannot be executed, in their order. */
  problems: Problem[];
}

type Take = (request: CopyRequest, value: string) => void;

const flag =
  (name: 'flatten' | 'noClobber' | 'ifSizeDiffer' | 'ifSourceNewer' | 'raw' | 'recursive'): Take =>
  (request) => {
    request[name] = true;
  };
const nothing: Take = () => {};

/** Flags that say something about which objects are fetched, or where to. */
const FLAGS: Record<string, Take> = {
  '-f': flag('flatten'),
  '--flatten': flag('flatten'),
  '-n': flag('noClobber'),
  '--no-clobber': flag('noClobber'),
  '-s': flag('ifSizeDiffer'),
  '--if-size-differ': flag('ifSizeDiffer'),
  '-u': flag('ifSourceNewer'),
  '--if-source-newer': flag('ifSourceNewer'),
  '--raw': flag('raw'),
  '-r': flag('recursive'),
  '--recursive': flag('recursive'),
  '--size-only': (request) => {
    request.sync = 'size';
  },
  // How fast, and what is shown: the engine decides.
  '--show-progress': nothing,
  '-sp': nothing,
  '--sp': nothing,
  '--no-follow-symlinks': nothing,
  '--force-glacier-transfer': nothing,
  '--ignore-glacier-warnings': nothing,
  '--exit-on-error': nothing,
};

const VALUES: Record<string, Take> = {
  '--include': (request, value) => {
    request.include = [...(request.include ?? []), value];
  },
  '--exclude': (request, value) => {
    request.exclude = [...(request.exclude ?? []), value];
  },
  '-c': nothing,
  '--concurrency': nothing,
  '-p': nothing,
  '--part-size': nothing,
  '--source-region': nothing,
  '--destination-region': nothing,
};

/** What there is beside `cp` and `sync`, and who does it. */
const ELSEWHERE: Record<string, string> = {
  mv: 'moves objects: carrel only reads buckets; use s5cmd',
  rm: 'removes objects: carrel only reads buckets; use s5cmd',
  pipe: 'uploads: carrel only reads buckets; use s5cmd',
  mb: 'makes a bucket: use s5cmd',
  rb: 'removes a bucket: use s5cmd',
  presign: 'signs a URL: use aws s3 presign or s5cmd',
  select: 'asks S3 Select: use aws s3api, or carrel sql for tables',
  'bucket-version': 'changes a bucket: use s5cmd',
  ls: 'lists: run it by itself, carrel ls',
  du: 'counts: run it by itself, carrel du',
  cat: 'prints: run it by itself, carrel cat',
  head: 'shows an object: run it by itself, carrel head',
  run: 'nests a run file: run it by itself',
};

/** Reads a run file. `origin` is how its lines are named: `cohort.s5cmd:12`. */
export function parseRunFile(text: string, origin: string): RunFile {
  const requests: CopyRequest[] = [];
  const problems: Problem[] = [];
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  for (const [index, raw] of lines.entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const where = `${origin}:${index + 1}`;
    const read = readLine(line);
    if (typeof read === 'string')
      problems.push({ item: line, origin: where, error: new CarrelError('bad-input', read, { item: line }) });
    else requests.push({ ...read, origin: where });
  }
  return { requests, problems };
}

/** One line as a request, or why it cannot be one. */
function readLine(line: string): CopyRequest | string {
  const split = shellWords(line);
  if ('reason' in split) return `${split.reason}; s5cmd would stop here without a word`;
  const words = split.words[0] === 's5cmd' ? split.words.slice(1) : split.words;
  const [verb = '', ...rest] = words;
  if (verb !== 'cp' && verb !== 'sync') {
    const known = ELSEWHERE[verb];
    if (known !== undefined) return `${verb} ${known}`;
    return verb.startsWith('-')
      ? `${verb} stands before the command: give it to carrel run`
      : `${JSON.stringify(verb)} is no command of a run file: cp or sync is`;
  }
  const request: CopyRequest = { sources: [], destination: '' };
  if (verb === 'sync') Object.assign(request, { sync: 'time', recursive: true });
  const names: string[] = [];
  for (let index = 0; index < rest.length; index += 1) {
    const word = rest[index] ?? '';
    // Flags end at the first name, as in every Go program that uses urfave/cli.
    if (!word.startsWith('-') || word === '-' || names.length > 0) {
      names.push(word);
      continue;
    }
    const equals = word.indexOf('=');
    const name = equals > 0 ? word.slice(0, equals) : word;
    const [plain, valued] = [FLAGS[name], VALUES[name]];
    if (plain !== undefined && (equals < 0 || /=(?:true|1)$/.test(word))) plain(request, '');
    else if (valued !== undefined) {
      if (equals < 0) index += 1;
      const value = equals > 0 ? word.slice(equals + 1) : rest[index];
      if (value === undefined) return `${name} needs a value`;
      valued(request, value);
    } else if (name === '--delete')
      return 'sync --delete removes files: run it by itself, carrel sync --delete';
    else return `the flag ${name} of ${verb} is not known, or only for uploads`;
  }
  const [source, destination, ...more] = names;
  if (source === undefined || destination === undefined) return `${verb} needs a source and a destination`;
  if (more.length > 0)
    return `${verb} takes one source and one destination, not ${names.length} words: quote names with blanks; comments stand on lines of their own`;
  if (isRemote(destination)) return `copies to a bucket: carrel only reads buckets; use s5cmd`;
  if (destination === '-') return 'writes to stdout: run it by itself, carrel cat';
  return { ...request, sources: [source], destination };
}
