/** `carrel sync`: makes a folder hold what a bucket holds, like `s5cmd sync`, `gsutil rsync -r` and `aws s3 sync`. */
import { resolve } from 'node:path';
import { Option } from 'commander';
import {
  type CopyRequest,
  findExtra,
  type GlobLanguage,
  isRemote,
  nameFilter,
  noUploads,
  parseAddress,
  planCopies,
  removeExtra,
} from '../../copies/index.ts';
import { CarrelError } from '../../errors.ts';
import type { CommandSpec, Run } from '../command.ts';
import {
  addFetchFlags,
  addMatchFlags,
  addPlaceFlags,
  fetchOptions,
  planTools,
  requestFlags,
  withCredentials,
} from '../copy-flags.ts';
import { carryOut } from '../copy-run.ts';
import { atDesk } from '../desk.ts';
import { toJson } from '../output/json.ts';
import { printable, write } from '../terminal.ts';

/** `carrel sync`. */
export const spec: CommandSpec = {
  name: 'sync',
  summary: 'make a folder hold what a bucket holds: fetch what differs',
  examples: [
    "carrel sync 's3://idc-open-data/7a6b2389-53c6-4c5b-b07f-6d1ed4a3eed9/*' series/",
    'carrel sync gs://idc-open-data/7a6b2389-53c6-4c5b-b07f-6d1ed4a3eed9 series/ --checksum',
    "carrel sync 's3://idc-open-metadata/bigquery_export/*' tables/ --delete --dry-run",
  ],
  exitCodes: [0, 1, 2, 3, 4, 5, 7, 8, 130],
  define(command) {
    command
      .argument('<source>', 'a folder (its contents) or a pattern: s3://, gs://, a local folder')
      .argument('<folder>', 'the folder to fill')
      .addOption(
        new Option(
          '--delete',
          'remove files of the folder that the source does not have; at the end, if nothing failed',
        ),
      )
      .addOption(new Option('--checksum', 'compare digests, not sizes and times').conflicts('sizeOnly'))
      .addOption(new Option('--size-only', 'compare sizes only'));
    addMatchFlags(command);
    addFetchFlags(command);
    addPlaceFlags(command);
  },
  async run(run, [source = '', folder = ''], flags) {
    if (isRemote(folder)) throw noUploads(folder);
    if (folder === '-')
      throw new CarrelError('usage', 'sync fills a folder', {
        item: folder,
        next: `carrel cp '${source}' -`,
      });
    const dryRun = flags['dryRun'] === true;
    const directory = resolve(run.terminal.cwd, folder);
    const request: CopyRequest = {
      ...requestFlags(flags),
      recursive: true,
      sync: flags['checksum'] === true ? 'digest' : flags['sizeOnly'] === true ? 'size' : 'time',
      sources: [source],
      // Always a folder, whether it is there or not.
      destination: /[/\\]$/.test(folder) ? folder : `${folder}/`,
    };
    return await atDesk(withCredentials(run, flags), async (desk) => {
      const tools = planTools(run, desk, flags);
      const plan = await planCopies([request], tools);
      const { language } = parseAddress(source, tools);
      const removeRest = async (): Promise<number> => {
        const extra = await extraOf(
          directory,
          plan.named,
          flags,
          (flags['glob'] as GlobLanguage | undefined) ?? language,
        );
        if (dryRun || flags['verbose'] === true || run.json) await printRemovals(run, extra, dryRun);
        return dryRun ? 0 : await removeExtra(directory, extra);
      };
      const afterwards = flags['delete'] === true ? removeRest : undefined;
      const exit = await carryOut(run, plan, desk, {
        ...fetchOptions(run, flags),
        operation: 'sync',
        dryRun,
        verbose: flags['verbose'] === true,
        keepState: true,
        ...(!dryRun && { afterwards }),
      });
      if (dryRun && plan.problems.length === 0) await afterwards?.();
      return exit;
    });
  },
};

/** What the source does not have and what no exclusion protects. */
async function extraOf(
  directory: string,
  named: ReadonlySet<string>,
  flags: Record<string, unknown>,
  language: GlobLanguage,
): Promise<string[]> {
  const wanted = new Set(
    [...named].map((path) => path.slice(directory.length).replaceAll('\\', '/').replace(/^\//, '')),
  );
  const isMeant = nameFilter(
    { include: flags['include'] as string[] | undefined, exclude: flags['exclude'] as string[] | undefined },
    language,
  );
  return await findExtra(directory, wanted, (path) => !isMeant(path));
}

async function printRemovals(run: Run, paths: readonly string[], dryRun: boolean): Promise<void> {
  for (const path of paths)
    await write(
      run.terminal.out,
      run.json
        ? `${toJson({ type: dryRun ? 'planned' : 'removed', operation: 'rm', path })}\n`
        : `rm ${printable(path)}\n`,
    );
}
