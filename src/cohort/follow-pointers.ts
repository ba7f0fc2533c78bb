/** Manifests that name other manifests: fetched over HTTPS within limits, and read like those of this disk. */
import { CarrelError, isCarrelError } from '../errors.ts';
import type { ManifestPointer } from '../manifests/index.ts';
import type { Gathered } from './gather.ts';
import type { Tools } from './question.ts';

/** Manifests within manifests, and manifests in all, that one word may lead to. */
const DEEPEST = 5;
const MOST_FOLLOWED = 200;

/** Largest manifest that is fetched. */
const LARGEST = 64 * 1024 * 1024;

/** What following takes. */
export interface FollowOptions {
  /** Without it nothing is followed. */
  fetchManifest: ((url: string) => Promise<Uint8Array>) | undefined;
  /** Reads a manifest into what was gathered; answers with the further ones that it names. */
  read: (bytes: Uint8Array, name: string) => readonly ManifestPointer[];
}

/**
 * Reads what `pointers` name, and what that names in turn. One that cannot be had is in `unresolved` with its line; one
 * that was read already (a loop) is a note.
 */
export async function followPointers(
  pointers: readonly ManifestPointer[],
  from: string,
  gathered: Gathered,
  { fetchManifest: fetchOne, read }: FollowOptions,
): Promise<void> {
  const seen = new Set<string>();
  let level = pointers.map((pointer) => ({ pointer, origin: originOf(from, pointer) }));
  for (let depth = 1; level.length > 0; depth += 1) {
    const next: typeof level = [];
    for (const { pointer, origin } of level) {
      const { url } = pointer;
      const address = withoutFragment(url);
      if (seen.has(address)) {
        gathered.notes.push({ item: url, message: `${url} was read already (${origin} names it again)` });
        continue;
      }
      seen.add(address);
      try {
        if (depth > DEEPEST || seen.size > MOST_FOLLOWED) throw tooFar(url, depth);
        if (fetchOne === undefined) throw notFollowed(url);
        const name = nameOf(url);
        const bytes = await fetchOne(url);
        gathered.notes.push({ item: url, message: `${origin} names the manifest ${url}: read` });
        const further = read(bytes, name);
        next.push(...further.map((one) => ({ pointer: one, origin: originOf(name, one) })));
      } catch (error) {
        if (!isCarrelError(error) || error.code === 'interrupted') throw error;
        gathered.unresolved.push({ item: url, origin, error });
      }
    }
    level = next;
  }
}

/**
 * Fetches a manifest. Plain http is only asked on this machine; elsewhere the same address is asked over https, since a
 * list that somebody changed on the way would name other data.
 */
export async function fetchManifest(url: string, { http, signal }: Tools): Promise<Uint8Array> {
  const target = new URL(url);
  const isLocal = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(target.hostname);
  if (target.protocol === 'http:' && !isLocal) target.protocol = 'https:';
  const reply = await http.request({ url: target.href, signal });
  if (reply.status !== 200) {
    reply.cancel();
    throw new CarrelError(
      reply.status === 404 || reply.status === 410 ? 'not-found' : 'network',
      `the manifest ${url} could not be fetched: ${target.host} answered ${reply.status}`,
      { item: url, status: reply.status, next: 'check the address, or try again later' },
    );
  }
  return await reply.bytes(LARGEST);
}

function originOf(name: string, { line }: ManifestPointer): string {
  return line === 0 ? name : `${name}:${line}`;
}

/** The last part of the path: `x.tcia`. */
function nameOf(url: string): string {
  const name = new URL(url).pathname.split('/').at(-1) ?? '';
  return name === '' ? url : name;
}

function withoutFragment(url: string): string {
  const address = new URL(url);
  address.hash = '';
  return address.href;
}

function tooFar(url: string, depth: number): CarrelError {
  return new CarrelError(
    'bad-input',
    depth > DEEPEST
      ? `${url} is a manifest within more than ${DEEPEST} others: not read`
      : `more than ${MOST_FOLLOWED} manifests are named: ${url} was not read`,
    { item: url, next: 'download it and hand it in by itself' },
  );
}

function notFollowed(url: string): CarrelError {
  return new CarrelError('usage', `${url} is another manifest, which is not followed here`, {
    item: url,
    next: 'download it and hand it in',
  });
}
