/** The client key put beside an installed `ascp`, from where the user says. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CarrelError } from '../../errors.ts';
import type { AskOptions } from '../ask.ts';
import { localPath, readBytes } from './bring-archive.ts';
import { GEM_KEY_SHA256, isPrivateKey, pemOfGemKey } from './find-key.ts';

/** Name under which `findKey` looks for it beside `ascp`. */
export const KEY_NAME = 'aspera_tokenauth_id_rsa';

/**
 * Brings the key and writes it for its owner alone. From a server only the known key of IBM's open-source client
 * (`lib/aspera/data/2` of `aspera-cli`) is taken, by its SHA-256; from a disk also any private key in PEM form.
 *
 * @returns its path
 * @throws CarrelError `verification` for other bytes, `not-found`, `unsafe` (plain HTTP), `network`
 */
export async function bringKey(
  options: AskOptions & { from: string; folder: string; gemKeySha256?: string | undefined },
): Promise<string> {
  const { from, folder, gemKeySha256 = GEM_KEY_SHA256 } = options;
  const bytes = await readBytes(from, 'the client key', options);
  const text = bytes.toString('latin1');
  const given = localPath(from) !== undefined && isPrivateKey(text) ? text : undefined;
  const pem = given ?? pemOfGemKey(bytes, gemKeySha256);
  if (pem === undefined) {
    throw new CarrelError('verification', 'this is not the client key that IBM publishes', {
      item: '--key-from',
      next: 'it is lib/aspera/data/2 of IBM’s aspera-cli; keys of your own are taken from files, in PEM form',
    });
  }
  const path = join(folder, KEY_NAME);
  await writeFile(path, pem, { mode: 0o600 });
  return path;
}
