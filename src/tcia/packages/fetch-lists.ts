/** Lists of checksums of a package, fetched before everything else: they tell what there is, and prove it. */
import { mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CarrelError, isCarrelError } from '../../errors.ts';
import { makeFolder } from '../../transfer/index.ts';
import { createFaspexClient, type FaspexOptions } from '../faspex/faspex-client.ts';
import { listPackage } from '../faspex/list-package.ts';
import type { PackageEntry } from '../faspex/package-entry.ts';
import { requestTransferSpec } from '../faspex/request-transfer-spec.ts';
import { isSumsName } from '../sums/local-files.ts';
import { readSums, type SumsList } from '../sums/parse-sums.ts';
import type { TransportEvent, TransportJob } from '../transport.ts';
import {
  gatewayOf,
  type OpenedTransport,
  type OpenTransportOptions,
  openTransport,
} from './open-transport.ts';
import type { PackageTarget } from './package-target.ts';

/** What fetching lists of checksums needs. */
export interface FetchListsOptions {
  folder: string;
  open: () => Promise<OpenedTransport>;
  spec: TransportJob['spec'];
  signal: AbortSignal;
  note: (message: string) => void;
}

/** Lists of checksums of a package: one small transfer, the first time. A list that cannot be fetched is told of. */
export async function fetchLists(
  entries: readonly PackageEntry[],
  { folder, open, spec, signal, note }: FetchListsOptions,
): Promise<SumsList[]> {
  const named = entries.map(({ path, size }, at) => ({ path, size, local: `${at}.sums` }));
  const wanted: typeof named = [];
  for (const one of named) {
    const info = await stat(join(folder, one.local)).catch(() => undefined);
    if (info === undefined || (one.size !== undefined && info.size !== one.size)) wanted.push(one);
  }
  if (wanted.length > 0) {
    const { transport } = await open();
    const under = join(folder, 'new');
    await makeFolder(under);
    const onEvent = (event: TransportEvent): void => {
      if (event.type === 'note') note(event.message);
    };
    const { done, failed } = await transport.run({ pairs: wanted, folder: under, spec, onEvent, signal });
    for (const { local } of done) await rename(join(under, local), join(folder, local));
    for (const { path, local, error } of failed) {
      await rm(join(folder, local), { force: true });
      note(
        `the list of checksums ${path} could not be fetched, so that sizes alone prove the files: ${error.message}`,
      );
    }
    await rm(under, { recursive: true, force: true });
  }
  const lists: SumsList[] = [];
  for (const { path, local } of named) {
    const list = await readSums(join(folder, local), { signal }).catch((error: unknown) => {
      if (isCarrelError(error, 'not-found')) return undefined;
      throw error;
    });
    if (list === undefined) continue;
    if (list.problemCount > 0) note(`${path}: ${list.problemCount} of its lines cannot be used`);
    lists.push({ ...list, origin: path });
  }
  return lists;
}

/**
 * The lists of checksums of a package alone: one small transfer, nothing is left on disk.
 *
 * @throws CarrelError `not-found` where the package has none; as `openTransport` and `FaspexClient.ask`
 */
export async function fetchPackageSums(
  target: PackageTarget,
  options: OpenTransportOptions & { faspex: FaspexOptions; signal: AbortSignal },
): Promise<SumsList[]> {
  const { signal } = options;
  const client = createFaspexClient(target.link, options.faspex);
  const { title = client.link.name } = await client.info(signal);
  const entries: PackageEntry[] = [];
  for await (const entry of listPackage(client, '', { signal }))
    if (entry.kind !== 'folder' && entry.refused === undefined && isSumsName(entry.path)) entries.push(entry);
  if (entries.length === 0) {
    throw new CarrelError('not-found', `${title} has no list of checksums`, {
      item: client.link.name,
      next: 'carrel tcia get proves its files by their sizes, and writes a list of its own',
    });
  }
  const gateway = await gatewayOf(client, options);
  const folder = await mkdtemp(join(tmpdir(), 'carrel-sums-'));
  let opened: Promise<OpenedTransport> | undefined;
  const open = (): Promise<OpenedTransport> => {
    opened ??= openTransport(client, gateway, options);
    return opened;
  };
  const spec: TransportJob['spec'] = async (paths, stop) =>
    await requestTransferSpec(client, paths, { type: (await open()).type, signal: stop });
  let reason = '';
  const note = (message: string): void => {
    reason = message;
    options.onNote?.(message);
  };
  try {
    const lists = await fetchLists(entries, { folder, open, spec, signal, note });
    if (lists.length > 0) return lists;
    throw new CarrelError('network', reason === '' ? `no list of ${title} came` : reason, {
      item: client.link.name,
      next: 'run the same command again',
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
