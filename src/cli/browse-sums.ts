/** `carrel tcia browse --sums`: names by the package's own list of checksums, one small file in place of many questions. */
import { CarrelError, isCarrelError } from '../errors.ts';
import type { Digest } from '../identifiers/index.ts';
import type { AskHttp, FaspexClient, PackageEntry } from '../tcia/index.ts';
import { fetchPackageSums, listBySums } from '../tcia/index.ts';
import type { Run } from './command.ts';
import { plural } from './output/text.ts';
import { transportOf } from './transport-flags.ts';

/** A listing by digests. */
export interface SumsListing {
  entries: PackageEntry[];
  /** MD5 of each file, as `md5:…`; those of the lists themselves are not known. */
  digests: Map<string, Digest[]>;
}

/**
 * Lists a folder by the lists of checksums; undefined, after a word why, where the server has to be asked.
 *
 * @throws CarrelError `not-found` for a folder that is in no list; `unsupported` without `ascp`; as `fetchPackageSums`
 */
export async function browseBySums(
  run: Run,
  client: FaspexClient,
  about: {
    http: AskHttp;
    folder: string;
    recursive: boolean;
    flags: Record<string, unknown>;
    tell: (message: string) => Promise<void>;
  },
): Promise<SumsListing | undefined> {
  const { http, folder, recursive, flags, tell } = about;
  const { signal } = run;
  const options = { faspex: { http }, machine: { env: run.terminal.env }, ...transportOf(flags), signal };
  const notes: string[] = [];
  let listed: Awaited<ReturnType<typeof listBySums>>;
  try {
    const fetchSums = async () =>
      await fetchPackageSums(
        { link: client.link },
        { ...options, onNote: (message) => void notes.push(message) },
      );
    listed = await listBySums(client, { fetchSums, signal });
  } catch (error) {
    if (!isCarrelError(error, 'not-found')) throw error;
  }
  for (const note of notes) await tell(note);
  if (listed === undefined) {
    await tell('no list of checksums names as many files as the server counts: the server is asked');
    return undefined;
  }
  const { files, sums, digests } = listed;
  const below = files.filter(({ path }) => folder === '' || path === folder || path.startsWith(`${folder}/`));
  if (below.length === 0)
    throw new CarrelError('not-found', `${client.link.name} holds no ${JSON.stringify(folder)}`, {
      item: folder,
      next: 'capitals and blanks count; without a path the root is shown',
    });
  await tell(
    `listed by ${sums.join(', ')}: ${plural(files.length, 'file')} in all, as many as the server counts; sizes and dates are known without --sums`,
  );
  const entries = new Map<string, PackageEntry>();
  const start = folder === '' ? 0 : folder.length + 1;
  for (const { path, size, refused } of below) {
    for (let at = path.indexOf('/', start); at !== -1; at = path.indexOf('/', at + 1)) {
      const name = path.slice(0, at);
      entries.set(name, { path: name, kind: 'folder' });
      if (!recursive) break;
    }
    if (recursive || !path.includes('/', start)) entries.set(path, { path, kind: 'file', size, refused });
  }
  const sorted = [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  return { entries: sorted, digests };
}
