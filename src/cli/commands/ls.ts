/** `carrel ls`: objects and folders of a bucket, like `s5cmd ls` and `gsutil ls`. */

import { Option } from 'commander';
import { listObjects } from '../../cohort/index.ts';
import type { ListPage, Store } from '../../stores/index.ts';
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
      const tools = { ...desk, from: textOf(run.settings, 'from'), signal: run.signal };
      const pages = listObjects(url, tools, {
        cwd: run.terminal.cwd,
        recursive: flags['recursive'] === true,
        endpoint: flags['endpoint'] as string | undefined,
      });
      for await (const page of pages) await printPage(run, page.store, page, flags['long'] === true);
      return 0;
    });
  },
};

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
