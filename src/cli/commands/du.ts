/** `carrel du`: how much is there, like `s5cmd du`, `gsutil du -s` and `aws s3 ls --summarize`. */
import { Option } from 'commander';
import { isFiltered, listAddress, nameFilter, nothingLeft, parseAddress } from '../../copies/index.ts';
import type { CommandSpec } from '../command.ts';
import { addMatchFlags, addPlaceFlags, planTools, requestFlags, withCredentials } from '../copy-flags.ts';
import { atDesk } from '../desk.ts';
import { toJson } from '../output/json.ts';
import { formatBytes, plural } from '../output/text.ts';
import { printable, write } from '../terminal.ts';

interface Amount {
  objects: number;
  bytes: number;
}

/** `carrel du`. */
export const spec: CommandSpec = {
  name: 'du',
  summary: 'count objects and bytes',
  examples: [
    'carrel du -H s3://idc-open-data/7a6b2389-53c6-4c5b-b07f-6d1ed4a3eed9/',
    "carrel du 'gs://idc-open-metadata/bigquery_export/idc_v*/**' --by-folder",
    "carrel du 's3://idc-open-metadata/*' --exclude '*.json' --json",
  ],
  exitCodes: [0, 1, 2, 4, 8],
  define(command) {
    command
      .argument('<url...>', 'buckets, folders, objects or patterns; folders with everything below')
      .addOption(new Option('-H, --humanize', 'bytes as 1.43 GB'))
      .addOption(new Option('--by-folder', 'a line for each folder of the first level below, largest first'))
      .addOption(new Option('-s, --summarize', 'taken: a sum is what du always gives').hideHelp());
    addMatchFlags(command);
    addPlaceFlags(command);
  },
  async run(run, urls, flags) {
    return await atDesk(withCredentials(run, flags), async (desk) => {
      const tools = planTools(run, desk, flags);
      const options = { ...requestFlags(flags), recursive: true };
      const bytesOf = (bytes: number) => (flags['humanize'] === true ? formatBytes(bytes) : `${bytes} bytes`);
      const line = async (url: string, amount: Amount, type: string) =>
        void (await write(
          run.terminal.out,
          run.json
            ? `${toJson({ type, url, ...amount })}\n`
            : `${bytesOf(amount.bytes)} in ${plural(amount.objects, 'object')}: ${printable(url)}\n`,
        ));
      for (const url of urls) {
        const address = parseAddress(url, tools);
        const wanted = nameFilter(options, options.glob ?? address.language);
        const sum: Amount = { objects: 0, bytes: 0 };
        const folders = new Map<string, Amount>();
        for await (const { store, objects, fixed } of listAddress(address, tools, options)) {
          for (const { key, size = 0 } of objects) {
            if (key.endsWith('/') || !wanted(key.slice(fixed))) continue;
            add(sum, size);
            if (flags['byFolder'] !== true) continue;
            const slash = key.indexOf('/', fixed);
            const folder = store.url(slash < 0 ? key.slice(0, fixed) : key.slice(0, slash + 1));
            const amount = folders.get(folder) ?? { objects: 0, bytes: 0 };
            add(amount, size);
            folders.set(folder, amount);
          }
        }
        if (sum.objects === 0 && isFiltered(options)) throw nothingLeft(url);
        for (const [folder, amount] of [...folders].sort(([, a], [, b]) => b.bytes - a.bytes))
          await line(folder, amount, 'folder');
        await line(url, sum, 'total');
      }
      return 0;
    });
  },
};

function add(amount: Amount, bytes: number): void {
  amount.objects += 1;
  amount.bytes += bytes;
}
