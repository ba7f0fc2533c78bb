/** Asking Faspex for a transfer: which paths, and what comes back for them. */
import * as v from 'valibot';
import { CarrelError } from '../../errors.ts';
import type { FaspexClient } from './faspex-client.ts';
import { normalisePath } from './list-package.ts';
import type { TransferSpec, TransferType } from './transfer-spec.ts';

/** How a transfer is asked for. */
export interface TransferSpecOptions {
  /** Default `connect`: FASP. */
  type?: TransferType | undefined;
  signal?: AbortSignal | undefined;
}

const SPEC = v.looseObject({
  direction: v.optional(v.string()),
  remote_host: v.pipe(v.string(), v.nonEmpty()),
  remote_user: v.pipe(v.string(), v.nonEmpty()),
  token: v.pipe(v.string(), v.nonEmpty()),
  paths: v.pipe(v.array(v.looseObject({ source: v.pipe(v.string(), v.nonEmpty()) })), v.nonEmpty()),
});

/**
 * Asks for a fresh token and spec, for some files and folders of the package (paths as in `PackageEntry`), or for all of it
 * where `paths` is undefined. The answer is handed on unchanged; its `paths` stand in the order asked for.
 *
 * Each path goes as `{"path": …}`: the server answers 500 to the form `{"source": …}` that one client sends.
 *
 * @throws CarrelError as `FaspexClient.ask`; `bad-input` for no paths at all and for paths that leave the package; `network`
 *   where the answer is no spec for these paths
 */
export async function requestTransferSpec(
  client: FaspexClient,
  paths: readonly string[] | undefined,
  { type = 'connect', signal }: TransferSpecOptions = {},
): Promise<TransferSpec> {
  const { link } = client;
  if (paths?.length === 0) {
    throw new CarrelError('bad-input', `${link.name}: nothing to transfer`, { item: link.name });
  }
  const wanted = paths?.map(normalisePath);
  // The root by its path is the whole package, which is asked for without one.
  const whole = wanted === undefined || wanted.includes('');
  const { recipient } = await client.info(signal);
  const what = `${link.name}, permission to transfer`;
  const { json } = await client.ask({
    what,
    path: `packages/${link.packageId}/transfer_spec/download`,
    query: { transfer_type: type, type: 'received', ...recipient },
    body: whole ? {} : { paths: wanted.map((path) => ({ path: `/${path}` })) },
    signal,
  });
  const parsed = v.safeParse(SPEC, json);
  if (!parsed.success) {
    throw new CarrelError('network', `${what}: the server answered without a token or without sources`, {
      item: link.name,
      next: 'try again later',
    });
  }
  const spec = json as TransferSpec;
  if (!whole) checkSources(what, wanted, parsed.output.paths);
  return spec;
}

/** The token opens exactly these sources, so each must be the one that its path stands for. */
function checkSources(what: string, wanted: readonly string[], sources: readonly { source: string }[]): void {
  const wrong = wanted.find((path, at) => sources[at]?.source.endsWith(`/${path}`) !== true);
  if (sources.length === wanted.length && wrong === undefined) return;
  const about = wrong === undefined ? '' : ` (${JSON.stringify(wrong)})`;
  throw new CarrelError(
    'network',
    `${what}: the server answered for other files than were asked for${about}`,
    {
      item: wrong ?? what,
      next: 'ask for the package as a whole, or for fewer files at a time',
    },
  );
}

/** Paths that are asked for in one request: the body and the token grow with them. */
export const PATHS_PER_SPEC = 500;

/** Paths in pieces that one transfer spec each can be asked for. */
export function batchPaths(paths: readonly string[], most: number = PATHS_PER_SPEC): string[][] {
  const batches: string[][] = [];
  for (let at = 0; at < paths.length; at += most) batches.push(paths.slice(at, at + most));
  return batches;
}
