/** Mirrors pointed elsewhere: a test server, a cache of the institute, a disk. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CarrelError } from '../errors.ts';
import { excerpt } from '../identifiers/index.ts';
import type { Archive, Mirror } from './archive.ts';

const NEXT =
  'write it as NAME=https://host, NAME=/folder, NAME=./folder, or NEW:NAME=… for another copy of the same buckets';

/**
 * Points mirrors elsewhere; the archive given is not changed.
 *
 * - `aws=http://127.0.0.1:9000` — another server of the same protocol and bucket names;
 * - `gcs=/a/folder`, `gcs=file:///a/folder` — a disk with one folder per bucket;
 * - `cache:aws=http://…` — one more mirror called `cache`, before all others, with the bucket names of `aws`. A new
 *   name needs an existing one, because only the record says what the buckets are called.
 *
 * Folders may start with `./` or `../`: beside the working directory. Credentials follow the mirror: one that is `signed` stays so
 * at its new endpoint, except on a disk.
 *
 * @throws `usage` for an unknown mirror (with the names there are) or an endpoint that is neither URL nor path
 */
export function withMirrors(
  archive: Archive,
  overrides: readonly string[] | Record<string, string>,
): Archive {
  const pairs = isList(overrides) ? overrides.map(splitOverride) : Object.entries(overrides);
  return pairs.reduce(withMirror, archive);
}

function isList(overrides: readonly string[] | Record<string, string>): overrides is readonly string[] {
  return Array.isArray(overrides);
}

function splitOverride(override: string): [string, string] {
  const at = override.indexOf('=');
  if (at <= 0) throw wrong(override, 'is no mirror');
  return [override.slice(0, at).trim(), override.slice(at + 1).trim()];
}

function withMirror(archive: Archive, [word, endpoint]: [string, string]): Archive {
  const override = `${word}=${endpoint}`;
  const [name = '', model, ...more] = word.split(':');
  if (more.length > 0) throw wrong(override, 'names more than two mirrors');
  const wanted = model ?? name;
  const known = archive.mirrors.find((mirror) => mirror.name === wanted);
  if (known === undefined) {
    const names = archive.mirrors.map((mirror) => mirror.name);
    throw new CarrelError(
      'usage',
      `${archive.name} has no mirror called ${JSON.stringify(excerpt(wanted))}`,
      {
        item: excerpt(override),
        next: `its mirrors are ${names.join(', ')}; a new one is a copy of one of them: NEW:${names[0]}=…`,
      },
    );
  }
  const moved = { ...known, name, ...newPlace(known, endpoint, override) };
  if (model === undefined) {
    return { ...archive, mirrors: archive.mirrors.map((mirror) => (mirror === known ? moved : mirror)) };
  }
  if (!/^[a-z0-9][a-z0-9_-]{0,63}$/.test(name) || name === 'auto') throw wrong(override, 'has no valid name');
  if (archive.mirrors.some((mirror) => mirror.name === name))
    throw wrong(override, 'names a mirror that exists already');
  return {
    ...archive,
    mirrors: [moved, ...archive.mirrors],
    bucketClasses: archive.bucketClasses.map((bucketClass) => {
      const bucket = new Map(Object.entries(bucketClass.buckets)).get(known.name);
      if (bucket === undefined) return bucketClass;
      return { ...bucketClass, buckets: { ...bucketClass.buckets, [name]: bucket } };
    }),
  };
}

/** What changes with the endpoint. A folder has no region and no sign-in; a server on a disk's mirror is a plain one. */
function newPlace(
  mirror: Mirror,
  endpoint: string,
  override: string,
): Pick<Mirror, 'protocol' | 'endpoint'> & Partial<Mirror> {
  if (/^https?:\/\/[^/?#@\s]+[^?#@\s]*$/i.test(endpoint)) {
    const protocol = mirror.protocol === 'file' ? 'https' : mirror.protocol;
    return {
      protocol,
      endpoint: endpoint.replace(/\/+$/, ''),
      addressing: isAddress(endpoint) ? 'path' : mirror.addressing,
    };
  }
  // A bare word is refused: `aws=127.0.0.1:9000` and `aws=s3.example.org` are servers whose scheme was forgotten.
  const isFolder = /^(?:file:|\.{1,2}(?:[\\/]|$))/i.test(endpoint) || path.isAbsolute(endpoint);
  if (!isFolder || /\p{Cc}/u.test(endpoint)) throw wrong(override, 'has no valid endpoint');
  const folder = /^file:/i.test(endpoint) ? fromFileUrl(endpoint, override) : endpoint;
  return {
    protocol: 'file',
    endpoint: path.resolve(folder),
    region: undefined,
    access: 'anonymous',
    addressing: undefined,
  };
}

/** True for hosts under which no bucket can be a subdomain. */
function isAddress(endpoint: string): boolean {
  return /^https?:\/\/(?:localhost|[0-9.]+|\[[0-9a-f:.]+\])(?::[0-9]+)?(?:\/|$)/i.test(endpoint);
}

function fromFileUrl(endpoint: string, override: string): string {
  try {
    return fileURLToPath(endpoint);
  } catch {
    throw wrong(override, 'has no valid endpoint');
  }
}

function wrong(override: string, fault: string): CarrelError {
  const item = excerpt(override);
  return new CarrelError('usage', `the mirror "${item}" ${fault}`, { item, next: NEXT });
}
