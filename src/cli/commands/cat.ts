/** `carrel cat`: an object to stdout, verified as it passes. */

import { createHash } from 'node:crypto';
import { Option } from 'commander';
import { CarrelError } from '../../errors.ts';
import { parseDigest, parseIdentifier } from '../../identifiers/index.ts';
import { locateUrl, type ObjectLocation, resolveDrs, viaMirror } from '../../locations/index.ts';
import { createCrc32c, withRetry } from '../../stores/index.ts';
import type { CommandSpec, Run } from '../command.ts';
import { atDesk, type Desk } from '../desk.ts';
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
      const [location, ...others] = await locationsOf(
        url,
        run,
        desk,
        flags['endpoint'] as string | undefined,
      );
      if (location === undefined) throw new CarrelError('not-found', `nothing is at ${url}`, { item: url });
      if (others.length > 0)
        throw new CarrelError('usage', `${url} names ${others.length + 1} objects`, {
          item: url,
          next: 'cat takes one; carrel get fetches many',
        });
      if (run.terminal.out.isTTY === true && location.key.endsWith('.dcm') && flags['force'] !== true) {
        throw new CarrelError('usage', 'DICOM is binary and stdout is a terminal', {
          item: url,
          next: 'redirect it to a file, or insist with --force',
        });
      }
      await copy(run, desk, location);
      return 0;
    });
  },
};

async function locationsOf(
  url: string,
  run: Run,
  desk: Desk,
  endpoint: string | undefined,
): Promise<ObjectLocation[]> {
  const identifier = viaMirror(parseIdentifier(url), desk.archive);
  const options = {
    archive: desk.archive,
    openStore: desk.openStore,
    from: textOf(run.settings, 'from'),
    signal: run.signal,
  };
  if (identifier.kind === 'object-url')
    return (await locateUrl(identifier, { ...options, endpoint, literal: true })).locations;
  if (identifier.kind === 'compound-object' && identifier.location.kind === 'object-url')
    return (await locateUrl(identifier.location, { ...options, endpoint, literal: true })).locations;
  if (identifier.kind === 'drs' || identifier.kind === 'drs-url' || identifier.kind === 'guid') {
    return (await resolveDrs(identifier, { ...options, http: desk.pool, token: desk.drsToken })).locations;
  }
  throw new CarrelError('usage', `${url} is no address of an object`, {
    item: url,
    next: 'give s3://, gs://, https:// or drs://; carrel get takes everything else',
  });
}

async function copy(run: Run, desk: Desk, location: ObjectLocation): Promise<void> {
  let failure: unknown;
  for (const { place, key } of location.sources) {
    let started = false;
    try {
      const body = await withRetry(desk.openStore(place)).get(key, { signal: run.signal });
      const expected = [...new Set([...location.digests, ...body.stat.digests])].map(parseDigest);
      const md5 = createHash('md5');
      const crc32c = createCrc32c();
      await body.consume(async (chunk) => {
        started = true;
        md5.update(chunk);
        crc32c.update(chunk);
        // The chunk is the connection's buffer: what the stream keeps must be a copy.
        await write(run.terminal.out, Buffer.from(chunk));
      });
      const found: Record<string, string> = { md5: md5.digest('hex'), crc32c: crc32c.digest() };
      const wrong = expected.find(
        ({ algorithm, hex }) => found[algorithm] !== undefined && found[algorithm] !== hex,
      );
      if (wrong === undefined) return;
      throw new CarrelError(
        'verification',
        `${desk.openStore(place).url(key)}: expected ${wrong.algorithm}:${wrong.hex}, found ${wrong.algorithm}:${found[wrong.algorithm]}`,
        {
          item: key,
          next: 'what was written is not to be trusted; try another mirror with --from',
        },
      );
    } catch (error) {
      // Bytes that are out cannot be taken back: only a source that gave nothing may be replaced by the next.
      if (started) throw error;
      failure ??= error;
    }
  }
  throw failure;
}
