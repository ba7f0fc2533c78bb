/** `carrel head`: what the store says of an object, with every checksum that it gives. */
import { findMatches, nameFilter, nothingLeft, parseAddress } from '../../copies/index.ts';
import type { CommandSpec } from '../command.ts';
import { addMatchFlags, addPlaceFlags, planTools, requestFlags, withCredentials } from '../copy-flags.ts';
import { atDesk } from '../desk.ts';
import { toJson } from '../output/json.ts';
import { formatBytes, formatCount } from '../output/text.ts';
import { printable, write } from '../terminal.ts';

/** `carrel head`. */
export const spec: CommandSpec = {
  name: 'head',
  summary: 'size, time and every checksum of an object',
  examples: [
    'carrel head s3://idc-open-data/7a6b2389-53c6-4c5b-b07f-6d1ed4a3eed9/0d73f84e-70ae-4eeb-96a0-1c613b5d9229.dcm',
    "carrel head 'gs://crdcobj/f5d6b517-2c02-4035-9444-0f15be7180ff/*' --json",
  ],
  exitCodes: [0, 1, 2, 4, 8],
  define(command) {
    command.argument('<url...>', 'objects or patterns: s3://, gs://, https://, files');
    addMatchFlags(command);
    addPlaceFlags(command);
  },
  async run(run, urls, flags) {
    return await atDesk(withCredentials(run, flags), async (desk) => {
      const tools = planTools(run, desk, flags);
      for (const url of urls) {
        const address = parseAddress(url, tools);
        const options = requestFlags(flags);
        const { matches, store } = await findMatches(address, tools, options);
        const isWanted = nameFilter(options, options.glob ?? address.language);
        const wanted = matches.filter(({ name }) => isWanted(name));
        if (wanted.length === 0) throw nothingLeft(url);
        for (const match of wanted) {
          // A listing knows less than the object itself: it is asked.
          const stat = await store.stat(match.key, { signal: run.signal });
          const { place } = store;
          const facts = {
            url: match.url,
            size: stat.size ?? null,
            lastModified: stat.lastModified ?? null,
            etag: stat.etag ?? null,
            generation: stat.generation ?? null,
            contentEncoding: stat.contentEncoding ?? null,
            digests: [...new Set([...stat.digests, ...match.stat.digests])],
            endpoint: place.endpoint,
            access: place.access ?? 'anonymous',
          };
          if (run.json) {
            await write(run.terminal.out, `${toJson({ type: 'object', ...facts })}\n`);
            continue;
          }
          const { url: address, size, digests, ...rest } = facts;
          const rows: [string, string][] = [
            ['size', size === null ? 'not said' : `${formatCount(size)} bytes (${formatBytes(size)})`],
            ...Object.entries(rest).flatMap(([name, value]): [string, string][] =>
              value === null ? [] : [[name, value]],
            ),
            ...(digests.length === 0
              ? [['digests', 'none: only the size can be compared'] satisfies [string, string]]
              : digests.map((digest): [string, string] => ['digest', digest])),
          ];
          await write(
            run.terminal.out,
            `${run.out.bold(printable(address))}\n${rows.map(([name, value]) => `  ${name.padEnd(15)} ${printable(value)}\n`).join('')}`,
          );
        }
      }
      return 0;
    });
  },
};
