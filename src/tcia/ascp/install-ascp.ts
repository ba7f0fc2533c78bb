/**
 * Fetches IBM's Transfer SDK on request and takes `ascp` out of it. The program is IBM's, under IBM's terms; nothing of it
 * is part of this package, and nothing is fetched before the terms were accepted.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, posix } from 'node:path';
import { abortError, CarrelError } from '../../errors.ts';
import type { AskOptions } from '../ask.ts';
import { unpackTar } from '../unzip/unpack-tar.ts';
import { unpackZip } from '../unzip/unpack-zip.ts';
import { ascpVersion } from './ascp-version.ts';
import { bringArchive, readText } from './bring-archive.ts';
import { bringKey, KEY_NAME } from './bring-key.ts';
import { chooseSdk, parseSdkLocations, SDK_LOCATIONS } from './sdk-locations.ts';

/** What would be fetched. */
export interface AscpSource {
  /** Of the archive: `https://…` or `file://…`. */
  url: string;
  /** Of the SDK, where the list says it. */
  version?: string | undefined;
  comment?: string | undefined;
}

/** What stands there now. */
export interface InstalledAscp {
  /** The program. */
  path: string;
  /** As `ascp -A` says it. */
  version: string;
  /** Of the archive: 64 hexadecimal digits. */
  sha256: string;
  /** Where the client key was put that was asked for, or kept from before. */
  key?: string | undefined;
  /** True where IBM's licence file stands beside it, without which `ascp` does not transfer. */
  licensed: boolean;
  files: number;
}

/** Folders of the archive whose files are wanted; they come to stand in one. */
const WANTED = /^(?:\.\/)?(?:[^/]+\/)?(bin|sbin|lib|aspera|etc)\/(?:.*\/)?[^/]+$/;

const MOST_BYTES = 2 ** 31;
const MOST_ENTRIES = 20_000;

/**
 * Finds out what to fetch: an archive is taken as it is, everything else is read as IBM's list.
 *
 * @param options.from address or path; default IBM's list
 * @throws CarrelError `unsupported` where the list has nothing for this system, `not-found`, `bad-input`, `network`
 */
export async function planAscp(
  options: AskOptions & {
    from?: string | undefined;
    platform?: NodeJS.Platform | undefined;
    arch?: string | undefined;
  },
): Promise<AscpSource> {
  const { from = SDK_LOCATIONS, platform = process.platform, arch = process.arch } = options;
  if (isArchive(from)) return { url: from };
  const { url, version, comment } = chooseSdk(
    parseSdkLocations(await readText(from, options)),
    platform,
    arch,
  );
  return { url, version, comment };
}

/**
 * Brings the archive here, checks it, takes the program out, and runs it once as a proof. What stood in the folder is
 * replaced when the new one runs.
 *
 * @param options.source of `planAscp`
 * @param options.sha256 digest that the archive must have
 * @param options.folder where the program comes to stand
 * @param options.keyFrom without it, a key that stands in the folder already is kept
 * @throws CarrelError `verification`, `unsafe` (a hostile archive; plain HTTP without a digest), `unsupported` (it does
 *   not run), `bad-input` (no `ascp` in it), `network`, `no-space`, `permission`, `interrupted`
 */
export async function installAscp(
  options: AskOptions & {
    source: AscpSource;
    sha256?: string | undefined;
    folder: string;
    env: Readonly<Record<string, string | undefined>>;
    platform?: NodeJS.Platform | undefined;
    /** Where the client key is taken from; see `bringKey`. */
    keyFrom?: string | undefined;
    gemKeySha256?: string | undefined;
    onBytes?: ((bytes: number, total: number | undefined) => void) | undefined;
  },
): Promise<InstalledAscp> {
  const { source, folder, env, signal, platform = process.platform } = options;
  await mkdir(dirname(folder), { recursive: true });
  const work = await mkdtemp(join(dirname(folder), '.ascp-'));
  try {
    const archive = join(work, /\.zip$/i.test(pathOf(source.url)) ? 'sdk.zip' : 'sdk.tar.gz');
    await bringArchive(source.url, archive, options);
    const sha256 = await sha256Of(archive);
    if (options.sha256 !== undefined && options.sha256.toLowerCase() !== sha256) {
      throw new CarrelError(
        'verification',
        `${shown(source.url)} has other bytes than expected: sha256 ${sha256}`,
        {
          item: shown(source.url),
          next: 'fetch it from IBM again, or correct --sha256',
        },
      );
    }
    const fresh = join(work, 'ascp');
    await mkdir(fresh);
    const files = await takeOut(archive, fresh, signal);
    const program = platform === 'win32' ? 'ascp.exe' : 'ascp';
    if (!(await exists(join(fresh, program)))) {
      throw new CarrelError('bad-input', `there is no ${program} in ${shown(source.url)}`, {
        item: shown(source.url),
        next: 'give IBM’s Transfer SDK for this system with --from',
      });
    }
    const version = await ascpVersion(join(fresh, program), { env, signal });
    if (options.keyFrom !== undefined) await bringKey({ ...options, from: options.keyFrom, folder: fresh });
    if (signal?.aborted === true) throw abortError(signal);
    if (await exists(folder)) await checkOurs(folder, program);
    const earlier = join(folder, KEY_NAME);
    if (options.keyFrom === undefined && (await exists(earlier)))
      await copyFile(earlier, join(fresh, KEY_NAME));
    const old = join(work, 'old');
    if (await exists(folder)) await rename(folder, old);
    await rename(fresh, folder);
    const licensed = await exists(join(folder, 'aspera-license'));
    const key = (await exists(earlier)) ? earlier : undefined;
    return { path: join(folder, program), version, sha256, licensed, files, key };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** A folder that holds something else is not thrown away. */
async function checkOurs(folder: string, program: string): Promise<void> {
  const names = await readdir(folder).catch(() => undefined);
  if (names !== undefined && (names.length === 0 || names.includes(program))) return;
  throw new CarrelError('usage', `${folder} holds other things than ascp`, {
    item: folder,
    next: 'choose an empty or new folder with --to',
  });
}

/** The wanted files of an archive, all in one folder; answers with their number. */
async function takeOut(archive: string, folder: string, signal: AbortSignal | undefined): Promise<number> {
  const taken = new Set<string>();
  const programs: string[] = [];
  const nameOf = (name: string): string | undefined => {
    const [, kind] = WANTED.exec(name) ?? [];
    const local = posix.basename(name);
    if (kind === undefined || taken.has(local.toLowerCase())) return undefined;
    taken.add(local.toLowerCase());
    if (kind !== 'etc' && kind !== 'aspera') programs.push(local);
    return local;
  };
  const limits = { nameOf, folder, maxBytes: MOST_BYTES, maxEntries: MOST_ENTRIES, signal };
  let count: number;
  if (archive.endsWith('.zip')) count = (await unpackZip(archive, limits)).entries.length;
  else {
    const { files, links } = await unpackTar(archive, limits);
    count = files.length;
    for (const { local, target } of links) {
      // Libraries are linked by their short names. Links are not made; what they mean beside them is copied.
      const meant = files.find((file) => file.local === posix.basename(target));
      if (meant === undefined) continue;
      await copyFile(join(folder, meant.local), join(folder, local));
      count += 1;
    }
  }
  for (const local of programs) await chmod(join(folder, local), 0o755).catch(() => {});
  return count;
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece as Uint8Array);
  return hash.digest('hex');
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

function isArchive(from: string): boolean {
  return /\.(?:zip|tar\.gz|tgz)$/i.test(pathOf(from));
}

function pathOf(from: string): string {
  return URL.canParse(from) ? new URL(from).pathname : from;
}

/** An address without what may be a secret. */
function shown(url: string): string {
  return URL.canParse(url)
    ? `${new URL(url).origin}${new URL(url).pathname}`.replace(/^null/, 'file://')
    : basename(url);
}
