/** Whether what `ascp` called finished stands on the disk, whole. Its word alone is not enough: it has been seen to leave files out. */
import { lstat, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CarrelError, isCarrelError } from '../../errors.ts';
import type { PackagePair } from '../transport.ts';
import type { SessionEnd } from './run-ascp.ts';

/** A pair with the source that the server named for it. */
export interface SourcedPair extends PackagePair {
  source: string;
}

/** What became of a pair in one session. */
export type Delivery =
  | { state: 'done'; bytes: number }
  /** Final: asking again gives the same. */
  | { state: 'failed'; error: CarrelError }
  /** Worth asking again; `silent` where `ascp` reported success all the same. */
  | { state: 'missing'; silent: boolean };

/** Judges every pair of a session, by what it said and by what is there. */
export async function checkDelivered(
  pairs: readonly SourcedPair[],
  folder: string,
  session: Pick<SessionEnd, 'error' | 'files' | 'fileErrors'>,
): Promise<Delivery[]> {
  return await Promise.all(pairs.map((pair) => checkOne(pair, folder, session)));
}

/** What a map of the session has for a pair; it may be named by source, by place, or by both shortened. */
export function saidOf<T>(
  map: ReadonlyMap<string, T>,
  pair: SourcedPair,
  folder: string,
): { value: T } | undefined {
  for (const name of [
    join(folder, ...pair.local.split('/')),
    pair.local,
    pair.source,
    `${folder}/${pair.local}`,
  ])
    if (map.has(name)) return { value: map.get(name) as T };
  return undefined;
}

async function checkOne(
  pair: SourcedPair,
  folder: string,
  session: Pick<SessionEnd, 'error' | 'files' | 'fileErrors'>,
): Promise<Delivery> {
  const refused = saidOf(session.fileErrors, pair, folder)?.value;
  if (refused !== undefined) {
    if (refused.retryable) return { state: 'missing', silent: false };
    return { state: 'failed', error: forPair(refused, pair) };
  }
  const finished = saidOf(session.files, pair, folder);
  const ended = session.error === undefined;
  // A file of the right size may be an old one that this session never looked at.
  if (finished === undefined && !ended) return { state: 'missing', silent: false };
  const path = join(folder, ...pair.local.split('/'));
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return { state: 'missing', silent: true };
  if (!found.isFile()) {
    return {
      state: 'failed',
      error: wrong(pair, 'unsafe', 'it is no file here: a folder or a link stands there'),
    };
  }
  const told = finished?.value;
  if (told !== undefined && told !== found.size) {
    // Not whole, whatever ascp says; it must not stand there as if it were.
    await rm(path, { force: true });
    return { state: 'missing', silent: true };
  }
  if (pair.size !== undefined && pair.size !== found.size) {
    const reason = `it has ${found.size} bytes, and the listing of the package says ${pair.size}`;
    return { state: 'failed', error: wrong(pair, 'verification', reason) };
  }
  return { state: 'done', bytes: found.size };
}

/** The final error for a file that `ascp` left out time and again without a word. */
export function leftOut(pair: PackagePair): CarrelError {
  return wrong(pair, 'network', 'ascp reported success, and the file is not there');
}

function wrong(pair: PackagePair, code: 'unsafe' | 'verification' | 'network', reason: string): CarrelError {
  return new CarrelError(code, `${pair.path}: ${reason}`, {
    item: pair.path,
    next: code === 'unsafe' ? 'move it away, or choose another folder' : 'run the same command again',
  });
}

/** An error of the session told for one file. */
export function forPair(error: CarrelError, pair: PackagePair): CarrelError {
  if (!isCarrelError(error) || error.item === pair.path) return error;
  const said = error.item === undefined ? error.message : error.message.replace(error.item, pair.path);
  return new CarrelError(error.code, said.startsWith(pair.path) ? said : `${pair.path}: ${error.message}`, {
    item: pair.path,
    next: error.next,
    retryable: error.retryable,
    status: error.status,
  });
}
