/** `carrel ls`: objects and folders of a bucket, like `s5cmd ls`, `gsutil ls` and `aws s3 ls`. */
import { Option } from 'commander';
import {
  type AddressPage,
  type GlobLanguage,
  isFiltered,
  listAddress,
  nameFilter,
  nothingLeft,
  parseAddress,
} from '../../copies/index.ts';
import type { ObjectStat } from '../../stores/index.ts';
import type { CommandSpec, Run } from '../command.ts';
import { addMatchFlags, addPlaceFlags, planTools, requestFlags, withCredentials } from '../copy-flags.ts';
import { atDesk } from '../desk.ts';
import { toJson } from '../output/json.ts';
import { formatBytes, formatCount } from '../output/text.ts';
import { printable, write } from '../terminal.ts';

/** `carrel ls`. */
export const spec: CommandSpec = {
  name: 'ls',
  summary: 'list objects of a bucket or folder',
  examples: [
    'carrel ls s3://idc-open-data/7a6b2389-53c6-4c5b-b07f-6d1ed4a3eed9/',
    "carrel ls 's3://idc-open-metadata/bigquery_export/'",
    "carrel ls -l 'gs://idc-open-data/7a6b2389-53c6-4c5b-b07f-6d1ed4a3eed9/*.dcm' --json",
    'carrel ls -lHr s3://my-bucket/ --endpoint-url https://minio.example.org --profile lab',
  ],
  exitCodes: [0, 1, 2, 4, 8],
  define(command) {
    command
      .argument('<url>', 's3://, gs:// or a local folder; wildcards as in s5cmd and gsutil')
      .addOption(new Option('-l, --long', 'sizes, times and digests'))
      .addOption(new Option('-H, --humanize', 'sizes as 1.43 GB; with -l'))
      .addOption(new Option('-e, --etag', 'ETags too; with -l'))
      .addOption(new Option('-r, --recursive', 'everything below, without folders'))
      .addOption(new Option('-R', 'the same').hideHelp())
      .addOption(new Option('--show-fullpath', 'taken: addresses are always whole').hideHelp());
    addMatchFlags(command);
    addPlaceFlags(command);
  },
  async run(run, [url = ''], flags) {
    return await atDesk(withCredentials(run, flags), async (desk) => {
      const tools = planTools(run, desk, flags);
      const options = {
        ...requestFlags(flags),
        recursive: flags['recursive'] === true || flags['R'] === true,
      };
      const address = parseAddress(url, tools);
      const wanted = nameFilter(options, (flags['glob'] as GlobLanguage | undefined) ?? address.language);
      const long = flags['long'] === true || flags['etag'] === true || flags['humanize'] === true;
      let [count, folders, bytes] = [0, 0, 0];
      for await (const page of listAddress(address, tools, options)) {
        const objects = page.objects.filter(({ key }) => wanted(key.slice(page.fixed)));
        count += objects.length;
        folders += page.prefixes.length;
        bytes += objects.reduce((sum, { size }) => sum + (size ?? 0), 0);
        await printPage(
          run,
          { ...page, objects },
          { long, humane: flags['humanize'] === true, etag: flags['etag'] === true },
        );
      }
      if (count + folders === 0 && isFiltered(options)) throw nothingLeft(url);
      if (long && !run.json && !run.quiet && count > 1)
        await write(run.terminal.err, `${formatCount(count)} objects, ${formatBytes(bytes)}\n`);
      return 0;
    });
  },
};

interface LineOptions {
  long: boolean;
  humane: boolean;
  etag: boolean;
}

async function printPage(
  run: Run,
  { store, prefixes, objects }: AddressPage,
  options: LineOptions,
): Promise<void> {
  const lines: string[] = [];
  for (const prefix of prefixes) {
    const url = store.url(prefix);
    if (run.json) lines.push(toJson({ type: 'folder', url, key: prefix }));
    else lines.push(options.long ? `${'DIR'.padStart(31)}  ${printable(url)}` : printable(url));
  }
  for (const stat of objects) {
    const url = store.url(stat.key);
    if (run.json) lines.push(toJson({ type: 'object', url, ...stat }));
    else lines.push(options.long ? longLine(stat, printable(url), options) : printable(url));
  }
  if (lines.length > 0) await write(run.terminal.out, `${lines.join('\n')}\n`);
}

function longLine(
  { lastModified, size, digests, etag }: ObjectStat,
  url: string,
  options: LineOptions,
): string {
  const cells = [
    (lastModified ?? '').slice(0, 19).padEnd(19),
    (options.humane ? formatBytes(size) : formatCount(size)).padStart(10),
    url,
    ...(options.etag ? [etag ?? '-'] : digests.length > 0 ? [digests.join(' ')] : []),
  ];
  return cells.join('  ');
}
