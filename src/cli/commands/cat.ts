/** `carrel cat`: an object to stdout, verified as it passes. */
import { Option } from 'commander';
import { locateObject, readObject } from '../../cohort/index.ts';
import { CarrelError } from '../../errors.ts';
import type { CommandSpec } from '../command.ts';
import { atDesk } from '../desk.ts';
import { textOf } from '../settings.ts';
import { write } from '../terminal.ts';

/** `carrel cat`. */
export const spec: CommandSpec = {
  name: 'cat',
  summary: 'write an object to stdout',
  examples: [
    'carrel cat gs://crdcobj/f5d6b517-2c02-4035-9444-0f15be7180ff/crdcobj.json | jq .',
    'carrel cat drs://dg.4DFC/641121f1-5ca0-42cc-9156-fb5538c14355 > image.dcm',
  ],
  exitCodes: [0, 1, 2, 4, 5, 8],
  define(command) {
    command
      .argument('<url>', 's3://, gs://, https://, drs://')
      .addOption(new Option('--endpoint <url>', 'endpoint of a bucket that is not the archive’s'))
      .addOption(new Option('--from <mirror>', 'mirror to ask'))
      .addOption(new Option('--force', 'write binary data to a terminal'));
  },
  async run(run, [url = ''], flags) {
    return await atDesk(run, async (desk) => {
      const tools = { ...desk, http: desk.pool, from: textOf(run.settings, 'from'), signal: run.signal };
      const location = await locateObject(url, tools, flags['endpoint'] as string | undefined);
      if (run.terminal.out.isTTY === true && location.key.endsWith('.dcm') && flags['force'] !== true) {
        throw new CarrelError('usage', 'DICOM is binary and stdout is a terminal', {
          item: url,
          next: 'redirect it to a file, or insist with --force',
        });
      }
      // The piece is the connection's buffer: what the stream keeps must be a copy.
      await readObject(location, tools, async (piece) => {
        await write(run.terminal.out, Buffer.from(piece));
      });
      return 0;
    });
  },
};
