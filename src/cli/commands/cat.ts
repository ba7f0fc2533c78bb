/** `carrel cat`: objects to stdout, one after another, verified as they pass; or bytes out of them. */
import { Option } from 'commander';
import { locateObject } from '../../cohort/index.ts';
import { CarrelError } from '../../errors.ts';
import type { CommandSpec } from '../command.ts';
import {
  addMatchFlags,
  addPlaceFlags,
  fetchOptions,
  planTools,
  requestFlags,
  withCredentials,
} from '../copy-flags.ts';
import { atDesk } from '../desk.ts';
import { textOf } from '../settings.ts';
import { type Slice, writeObjects } from '../write-objects.ts';

/** `carrel cat`. */
export const spec: CommandSpec = {
  name: 'cat',
  summary: 'write objects to stdout',
  examples: [
    'carrel cat gs://crdcobj/f5d6b517-2c02-4035-9444-0f15be7180ff/crdcobj.json | jq .',
    'carrel cat drs://dg.4DFC/641121f1-5ca0-42cc-9156-fb5538c14355 > image.dcm',
    "carrel cat 's3://my-bucket/logs/*.txt' | grep ERROR",
    'carrel cat --range 128-131 s3://idc-open-data/7a6b2389-53c6-4c5b-b07f-6d1ed4a3eed9/0d73f84e-70ae-4eeb-96a0-1c613b5d9229.dcm',
  ],
  exitCodes: [0, 1, 2, 3, 4, 5, 8],
  define(command) {
    command
      .argument('<url...>', 's3://, gs://, https://, drs://, files; patterns give one object after another')
      .addOption(
        new Option('--range <bytes>', 'first-last as in HTTP and gsutil: 0-99, 128-, -16 (the last 16)'),
      )
      .addOption(new Option('--force', 'write binary data to a terminal'))
      .addOption(
        new Option(
          '--verify <how>',
          'full, size or none; bytes out of an object can only be counted',
        ).choices(['full', 'size', 'none']),
      )
      .addOption(new Option('--bandwidth <rate>', 'at most so many bytes per second: 50M'));
    addMatchFlags(command);
    addPlaceFlags(command);
  },
  async run(run, urls, flags) {
    const slice = typeof flags['range'] === 'string' ? parseRange(flags['range']) : undefined;
    return await atDesk(withCredentials(run, flags), async (desk) => {
      const tools = planTools(run, desk, flags);
      const { verify, bandwidth } = fetchOptions(run, flags);
      return await writeObjects(run, urls, tools, {
        ...requestFlags(flags),
        slice,
        verify,
        bandwidth,
        force: flags['force'] === true,
        // What only a DRS host knows.
        locate: (name) =>
          /^(?:drs:\/\/|dg\.|https?:\/\/[^/]+\/(?:ga4gh|index)\/)/i.test(name)
            ? locateObject(name, {
                ...desk,
                http: desk.pool,
                from: textOf(run.settings, 'from'),
                signal: run.signal,
              })
            : undefined,
      });
    });
  },
};

/** `0-99` (both included), `128-`, `-16`. */
function parseRange(text: string): Slice {
  const [, first = '', last = ''] = /^(\d{0,15})-(\d{0,15})$/.exec(text) ?? [];
  if ((first === '' && Number(last) === 0) || (first !== '' && last !== '' && Number(first) > Number(last)))
    throw new CarrelError('usage', `${text} is no range of bytes`, {
      item: text,
      next: 'write 0-99, 128- or -16',
    });
  if (first === '') return { start: -Number(last) };
  return { start: Number(first), end: last === '' ? undefined : Number(last) + 1 };
}
