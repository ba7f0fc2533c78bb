/** `carrel ls`: objects and folders of a bucket, like `s5cmd ls` and `gsutil ls`. */

import { resolve } from 'node:path';
import { Option } from 'commander';
import { CarrelError } from '../../errors.ts';
import { type ObjectUrlIdentifier, parseIdentifier } from '../../identifiers/index.ts';
import { urlPlaces, viaMirror, wildcardMatcher, wildcardPrefix } from '../../locations/index.ts';
import { type ListPage, type Store, withRetry } from '../../stores/index.ts';
import type { CommandSpec, Run } from '../command.ts';
import { atDesk } from '../desk.ts';
import { toJson } from '../output/json.ts';
import { formatBytes, formatCount } from '../output/text.ts';
import { textOf } from '../settings.ts';
import { printable, write } from '../terminal.ts';

/** `carrel ls`. */
export const spec: CommandSpec = {
  name: 'ls',
  summary: 'list objects of a bucket or folder',
  examples: [
    'carrel ls s3://idc-open-data/7a6b2389-53c6-4c5b-b07f-6d1ed4a3eed9/',
    "carrel ls 's3://idc-open-metadata/bigquery_export/'",
    "carrel ls -l 'gs://idc-open-data/7a6b2389-53c6-4c5b-b07f-6d1ed4a3eed9/*.dcm' --json",
  ],
  exitCodes: [0, 1, 2, 4, 8],
  define(command) {
    command
      .argument('<url>', 's3://, gs:// or a local folder; * and ? are wildcards')
      .addOption(new Option('-l, --long', 'sizes, times and digests'))
      .addOption(new Option('-r, --recursive', 'everything below, without folders'))
      .addOption(new Option('--endpoint <url>', 'endpoint of a bucket that is not the archive’s'))
      .addOption(new Option('--from <mirror>', 'mirror to ask'));
  },
  async run(run, [url = ''], flags) {
    return await atDesk(run, async (desk) => {
      const long = flags['long'] === true;
      const { stores, key, wildcard } = storesOf(url, run, desk, flags['endpoint'] as string | undefined);
      const prefix = wildcard ? wildcardPrefix(key) : key === '' || key.endsWith('/') ? key : undefined;
      const matches = wildcard ? wildcardMatcher(key) : undefined;
      const delimiter = flags['recursive'] === true || wildcard ? undefined : '/';
      const shown = await firstThatAnswers(stores, async (store) => {
        let count = await list(run, store, prefix ?? `${key}/`, delimiter, matches, long);
        // A name without a slash may be a folder or an object: the folder is looked at first.
        if (count === 0 && prefix === undefined) {
          const stat = await withRetry(store).stat(key, { signal: run.signal });
          await printPage(run, store, { objects: [stat], prefixes: [] }, long);
          count = 1;
        }
        return count;
      });
      if (shown > 0) return 0;
      throw new CarrelError('not-found', `nothing is at ${url}`, {
        item: url,
        next: 'check the bucket and the folder; keys start right after the bucket',
      });
    });
  },
};

function storesOf(
  url: string,
  run: Run,
  desk: Parameters<Parameters<typeof atDesk>[1]>[0],
  endpoint: string | undefined,
): { stores: Store[]; key: string; wildcard: boolean } {
  const identifier = viaMirror(parseIdentifier(url), desk.archive);
  if (identifier.kind === 'path') {
    const root = resolve(run.terminal.cwd, identifier.path);
    return {
      stores: [desk.openStore({ protocol: 'file', endpoint: root, bucket: '' })],
      key: '',
      wildcard: false,
    };
  }
  const object: ObjectUrlIdentifier | undefined =
    identifier.kind === 'object-url'
      ? identifier
      : identifier.kind === 'compound-object' && identifier.location.kind === 'object-url'
        ? identifier.location
        : undefined;
  if (object === undefined)
    throw new CarrelError('usage', `${url} is no address of a bucket`, {
      item: url,
      next: 'give s3://bucket/folder/, gs://bucket/folder/ or a local folder; carrel show finds where things stand',
    });
  const { places } = urlPlaces(desk.archive, object, { endpoint, from: textOf(run.settings, 'from') });
  return {
    stores: places.map(({ place }) => desk.openStore(place)),
    key: object.key,
    wildcard: object.form === 'wildcard',
  };
}

/** Mirrors in turn; the first failure is the one to tell. */
async function firstThatAnswers(
  stores: readonly Store[],
  work: (store: Store) => Promise<number>,
): Promise<number> {
  let failure: unknown;
  for (const store of stores) {
    try {
      return await work(store);
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

async function list(
  run: Run,
  store: Store,
  prefix: string,
  delimiter: string | undefined,
  matches: ((key: string) => boolean) | undefined,
  long: boolean,
): Promise<number> {
  let count = 0;
  for await (const page of withRetry(store).list(prefix, { delimiter, signal: run.signal })) {
    const objects = matches === undefined ? page.objects : page.objects.filter(({ key }) => matches(key));
    await printPage(run, store, { objects, prefixes: page.prefixes }, long);
    count += objects.length + page.prefixes.length;
  }
  return count;
}

async function printPage(run: Run, store: Store, page: ListPage, long: boolean): Promise<void> {
  const lines: string[] = [];
  for (const prefix of page.prefixes) {
    const url = store.url(prefix);
    lines.push(
      run.json
        ? toJson({ type: 'folder', url, key: prefix })
        : long
          ? `${'DIR'.padStart(31)}  ${printable(url)}`
          : printable(url),
    );
  }
  for (const stat of page.objects) {
    const url = store.url(stat.key);
    if (run.json) lines.push(toJson({ type: 'object', url, ...stat }));
    else if (long)
      lines.push(
        `${(stat.lastModified ?? '').slice(0, 19).padEnd(19)}  ${formatCount(stat.size).padStart(10)}  ${printable(url)}${stat.digests.length > 0 ? `  ${stat.digests.join(' ')}` : ''}`,
      );
    else lines.push(printable(url));
  }
  if (lines.length > 0) await write(run.terminal.out, `${lines.join('\n')}\n`);
  if (long && !run.json && !run.quiet && page.objects.length > 1) {
    await write(
      run.terminal.err,
      `${formatCount(page.objects.length)} objects, ${formatBytes(page.objects.reduce((sum, { size }) => sum + (size ?? 0), 0))}\n`,
    );
  }
}
