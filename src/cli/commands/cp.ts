/** `carrel cp`: objects to files by their letters, like `s5cmd cp`, `gsutil cp`, `gcloud storage cp` and `aws s3 cp`. */
import { Option } from 'commander';
import { type CopyRequest, isRemote, noUploads, planCopies } from '../../copies/index.ts';
import { CarrelError } from '../../errors.ts';
import type { CommandSpec } from '../command.ts';
import {
  addFetchFlags,
  addMatchFlags,
  addPlaceFlags,
  fetchOptions,
  listFromStdin,
  planTools,
  requestFlags,
  withCredentials,
} from '../copy-flags.ts';
import { carryOut } from '../copy-run.ts';
import { atDesk } from '../desk.ts';
import { writeObjects } from '../write-objects.ts';

/** `carrel cp`. */
export const spec: CommandSpec = {
  name: 'cp',
  summary: 'copy objects to files: s3://, gs://, https://, wildcards',
  examples: [
    "carrel cp 's3://idc-open-data/7a6b2389-53c6-4c5b-b07f-6d1ed4a3eed9/*' series/",
    'carrel cp s3://idc-open-data/7a6b2389-53c6-4c5b-b07f-6d1ed4a3eed9/0d73f84e-70ae-4eeb-96a0-1c613b5d9229.dcm one.dcm',
    'carrel cp -r gs://idc-open-data/7a6b2389-53c6-4c5b-b07f-6d1ed4a3eed9 .',
    "carrel cp -n --exclude '*.json' 's3://idc-open-metadata/bigquery_export/*' tables/ --dry-run",
    'carrel ls gs://crdcobj/f5d6b517-2c02-4035-9444-0f15be7180ff/ | carrel cp -I dicom/',
  ],
  exitCodes: [0, 1, 2, 3, 4, 5, 7, 8, 130],
  define(command) {
    command
      .argument(
        '<what...>',
        'objects, folders or patterns, and at last the destination: a folder, a file, or - for stdout',
      )
      .addOption(new Option('-r, --recursive', 'folders with everything below'))
      .addOption(new Option('-R', 'the same').hideHelp())
      .addOption(new Option('-f, --flatten', 'files by their own names, without the tree'))
      .addOption(new Option('-n, --no-clobber', 'leave files that are here'))
      .addOption(new Option('-s, --if-size-differ', 'leave files of the same size'))
      .addOption(new Option('-u, --if-source-newer', 'leave files that are not older than the object'))
      .addOption(new Option('-I, --read-paths-from-stdin', 'the objects stand on stdin, one per line'))
      .addOption(new Option('-m', 'taken: many at a time is how it always works').hideHelp());
    addMatchFlags(command);
    addFetchFlags(command);
    addPlaceFlags(command);
  },
  async run(run, words, flags) {
    const sources = words.slice(0, -1);
    const destination = words.at(-1) ?? '';
    const fromStdin = flags['readPathsFromStdin'] === true || sources.includes('-');
    if (sources.length === 0 && !fromStdin)
      throw new CarrelError('usage', 'cp needs what to copy and where to', {
        item: destination,
        next: `carrel cp ${isRemote(destination) ? `'${destination}' .` : 'URL DESTINATION'}`,
      });
    if (isRemote(destination)) throw noUploads(destination);
    const list = fromStdin ? await listFromStdin(run) : [];
    const named = sources.filter((source) => source !== '-');
    const request: CopyRequest = {
      ...requestFlags(flags),
      recursive: flags['recursive'] === true || flags['R'] === true,
      sources: [...named, ...list],
      destination,
    };
    return await atDesk(withCredentials(run, flags), async (desk) => {
      const tools = planTools(run, desk, flags);
      if (destination === '-') {
        const { verify, bandwidth } = fetchOptions(run, flags);
        const dryRun = flags['dryRun'] === true;
        return await writeObjects(run, request.sources, tools, { ...request, verify, bandwidth, dryRun });
      }
      const plan = await planCopies([request], tools);
      return await carryOut(run, plan, desk, {
        ...fetchOptions(run, flags),
        operation: 'cp',
        dryRun: flags['dryRun'] === true,
        verbose: flags['verbose'] === true,
        keepState: false,
      });
    });
  },
};
