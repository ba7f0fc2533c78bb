/**
 * The client key of `ascp`. The server lets the transfer user in by a well-known key that every Aspera client carries;
 * what may be read is then said by the token. The key is in no package of ours: it is taken from the user's products.
 */
import { createHash, createPrivateKey } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { CarrelError } from '../../errors.ts';
import { asperaFolders, homeOf, type Machine } from './find-ascp.ts';

/** A key: a file that `ascp` can read, or text that has to be written for it. */
export interface FoundKey {
  /** How it was found: `--ssh-key`, `CARREL_ASCP_KEY`, a product's name, `ascli`. */
  origin: string;
  /** Where it was read. */
  path: string;
  /** PEM, where the file itself has another form. */
  pem?: string | undefined;
}

/** Names under which products keep it, best first; the last two are DSA keys, which current servers refuse. */
const NAMES = [
  'aspera_tokenauth_id_rsa',
  'aspera_bypass_rsa.pem',
  'asperaweb_id_dsa.openssh',
  'aspera_bypass_dsa.pem',
];

/** SHA-256 of the RSA key of IBM's gem `aspera-cli` (`lib/aspera/data/2`, PKCS #1, DER). */
export const GEM_KEY_SHA256 = '0ffb27243d7e77fd2c565a25f910b9dad305750cda96c959be8605b292a8c3d0';

/** Where Ruby installs gems, below the home folder (`~`) or the root. `*`: every folder, by the start of its name. */
const GEM_FOLDERS = [
  '~/.gem/ruby/*/gems',
  '~/.local/share/gem/ruby/*/gems',
  '~/.rvm/gems/*/gems',
  '~/.rbenv/versions/*/lib/ruby/gems/*/gems',
  '~/.asdf/installs/ruby/*/lib/ruby/gems/*/gems',
  '/var/lib/gems/*/gems',
  '/usr/lib/ruby/gems/*/gems',
  '/usr/local/lib/ruby/gems/*/gems',
  '/usr/local/bundle/gems',
  '/opt/homebrew/lib/ruby/gems/*/gems',
];

/**
 * Finds the key. Undefined where there is none and none was named.
 *
 * @param options.key of `--ssh-key`; then, and with `CARREL_ASCP_KEY`, nothing else is looked at
 * @param options.ascp path of the program: its own folder and `../etc` are looked at first
 * @throws CarrelError `not-found`, `bad-input` for a named file that is no private key
 */
export function findKey(
  options: Machine & {
    key?: string | undefined;
    ascp?: string | undefined;
    gemKeySha256?: string | undefined;
  },
): FoundKey | undefined {
  const { env, ascp } = options;
  const named: [string | undefined, string][] = [
    [options.key, '--ssh-key'],
    [env['CARREL_ASCP_KEY'], 'CARREL_ASCP_KEY'],
  ];
  for (const [path, origin] of named) if (path !== undefined && path !== '') return wanted(path, origin);
  const folders = [
    ...(ascp === undefined ? [] : [{ product: 'beside ascp', bin: dirname(ascp) }]),
    ...asperaFolders(options),
  ];
  // A key of the better kind in any product goes before a worse one in the first.
  for (const name of NAMES)
    for (const { product, bin } of folders)
      for (const folder of [bin, join(bin, 'etc'), resolve(bin, '..', 'etc')]) {
        const path = join(folder, name);
        if (looksLikeKey(path)) return { origin: product, path };
      }
  return gemKey(options);
}

/** The key of an installed `ascli`, turned from DER into what `ascp` reads; only the bytes that are known. */
function gemKey(options: Machine & { gemKeySha256?: string | undefined }): FoundKey | undefined {
  const { env, gemKeySha256 = GEM_KEY_SHA256 } = options;
  const home = homeOf(options);
  const named = [env['GEM_HOME'], ...(env['GEM_PATH'] ?? '').split(delimiter)]
    .filter((folder) => folder !== undefined && folder !== '')
    .map((folder) => `${folder}/gems`);
  for (const pattern of [...named, ...GEM_FOLDERS.map((folder) => folder.replace(/^~/, home))]) {
    for (const path of expand(`${pattern}/aspera-cli-*/lib/aspera/data/2`)) {
      const pem = pemOfGemKey(readFileSync(path), gemKeySha256);
      if (pem !== undefined) return { origin: 'ascli', path, pem };
    }
  }
  return undefined;
}

/** The key of the gem (PKCS #1, DER) as PEM; undefined for other bytes than the known ones. */
export function pemOfGemKey(der: Buffer, sha256: string): string | undefined {
  if (createHash('sha256').update(der).digest('hex') !== sha256) return undefined;
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs1' });
  return key.export({ type: 'pkcs1', format: 'pem' }).toString();
}

function wanted(path: string, origin: string): FoundKey {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch (cause) {
    throw new CarrelError('not-found', `the key ${path} (${origin}) cannot be read`, {
      item: path,
      next: 'give the path of a private key in PEM form',
      cause,
    });
  }
  if (isPrivateKey(text)) return { origin, path };
  throw new CarrelError('bad-input', `${path} (${origin}) is not a private key in PEM form`, {
    item: path,
    next: 'it begins with -----BEGIN … PRIVATE KEY-----',
  });
}

function looksLikeKey(path: string): boolean {
  try {
    return isPrivateKey(readFileSync(path, 'latin1'));
  } catch {
    return false;
  }
}

/** True for PEM. */
export function isPrivateKey(text: string): boolean {
  return /^-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/.test(text);
}

/** Paths that exist for a pattern with `*` in its segments; newest names first. */
function expand(pattern: string): string[] {
  const [first = '', ...segments] = pattern.replaceAll('\\', '/').split('/');
  let found = [first === '' ? '/' : first];
  for (const segment of segments) {
    const star = segment.indexOf('*');
    found = found.flatMap((folder) => {
      if (star === -1) return [join(folder, segment)];
      return namesIn(folder)
        .filter((name) => name.startsWith(segment.slice(0, star)))
        .map((name) => join(folder, name));
    });
  }
  return found.filter(isFile);
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).toSorted((one, other) => other.localeCompare(one, 'en', { numeric: true }));
  } catch {
    return [];
  }
}
