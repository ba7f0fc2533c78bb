/** Addresses of objects as people type them for `cp`, `ls` and the like: by their letters, with wildcards or without. */
import { basename, dirname, isAbsolute, resolve, sep } from 'node:path';
import type { Archive } from '../archives/index.ts';
import { CarrelError } from '../errors.ts';
import { type ObjectUrlIdentifier, parseIdentifier } from '../identifiers/index.ts';
import { viaMirror } from '../locations/index.ts';
import type { GlobLanguage } from './glob.ts';

/** Where objects are meant to be read. */
export type Address = RemoteAddress | LocalAddress;

/** A key, a folder or a pattern in a bucket or on a web server. */
export interface RemoteAddress {
  kind: 'remote';
  text: string;
  url: ObjectUrlIdentifier;
  /** Key, folder or pattern; empty for the whole bucket. */
  key: string;
  /** The language that its scheme speaks. */
  language: GlobLanguage;
}

/** A file, a folder or a pattern of this machine. */
export interface LocalAddress {
  kind: 'local';
  text: string;
  /** Absolute folder that `key` is below. */
  root: string;
  key: string;
  language: GlobLanguage;
}

/** True for what is written as an address of an object server. */
export function isRemote(text: string): boolean {
  return /^(?:s3|gs|https?):\/\//i.test(text);
}

/**
 * Reads an address. Keys of `s3://` and `gs://` are taken as they stand: nothing is decoded, trimmed or guessed.
 *
 * @throws `bad-input` for what is no address, `usage` for names that only `get` understands (`drs://`, UIDs)
 */
export function parseAddress(text: string, options: { archive: Archive; cwd: string }): Address {
  if (text === '')
    throw new CarrelError('bad-input', 'an address is empty', {
      item: text,
      next: 'is a variable of the shell not set?',
    });
  const scheme = /^(s3|gs):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === 's3' || scheme === 'gs') return bucketAddress(text, scheme);
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(text) && !/^file:/i.test(text)) {
    const identifier = viaMirror(parseIdentifier(text), options.archive);
    const url = identifier.kind === 'compound-object' ? identifier.location : identifier;
    if (url.kind === 'object-url')
      return { kind: 'remote', text, url, key: url.key, language: url.scheme === 'gs' ? 'gsutil' : 's5cmd' };
    throw new CarrelError('usage', `${text} is no address of an object`, {
      item: text,
      next: 'give s3://, gs://, https:// or a path; carrel get takes every other name of data',
    });
  }
  const local = parseIdentifier(/^file:/i.test(text) ? text : `./${text}`, { as: 'path' });
  return localAddress(/^file:/i.test(text) && local.kind === 'path' ? local.path : text, text, options.cwd);
}

function bucketAddress(text: string, scheme: 's3' | 'gs'): RemoteAddress {
  const rest = text.slice(text.indexOf('://') + 3);
  const slash = rest.indexOf('/');
  const bucket = slash < 0 ? rest : rest.slice(0, slash);
  // Checks the bucket's name; the key is nobody's business but the server's.
  const parsed = parseIdentifier(`${scheme}://${bucket}/`);
  if (parsed.kind !== 'object-url')
    throw new CarrelError('bad-input', `${text} names no bucket`, {
      item: text,
      next: 'write it as s3://bucket/key',
    });
  const written = slash < 0 ? '' : rest.slice(slash + 1);
  const [, key = written, generation] = (scheme === 'gs' && /^(.*)#([0-9]{1,20})$/.exec(written)) || [];
  const form = key === '' || key.endsWith('/') ? 'folder' : 'object';
  const url: ObjectUrlIdentifier = { ...parsed, key, form, layout: 'other', text };
  if (generation !== undefined) url.generation = generation;
  return { kind: 'remote', text, url, key, language: scheme === 'gs' ? 'gsutil' : 's5cmd' };
}

function localAddress(path: string, text: string, cwd: string): LocalAddress {
  const absolute = isAbsolute(path) ? path : resolve(cwd, path) + (/[/\\]$/.test(path) ? sep : '');
  const wildcard = absolute.search(/[*?]/);
  const cut = wildcard < 0 ? absolute : absolute.slice(0, wildcard);
  if (wildcard < 0 && absolute.endsWith(sep))
    return { kind: 'local', text, root: resolve(absolute), key: '', language: 's5cmd' };
  const root = wildcard < 0 ? dirname(absolute) : cut.slice(0, cut.lastIndexOf(sep) + 1);
  const key = wildcard < 0 ? basename(absolute) : absolute.slice(root.length);
  return { kind: 'local', text, root, key: key.split(sep).join('/'), language: 's5cmd' };
}
