/** `carrel history`: every version of a series and the releases that hold it. */
import type { SeriesVersion } from '../../catalog/index.ts';
import { CarrelError } from '../../errors.ts';
import { type Identifier, parseIdentifier, uuidOf } from '../../identifiers/index.ts';
import type { CommandSpec } from '../command.ts';
import { atDesk } from '../desk.ts';
import { toJson } from '../output/json.ts';
import { formatBytes, formatCount, formatTable } from '../output/text.ts';
import { printable, write } from '../terminal.ts';

/** `carrel history`. */
export const spec: CommandSpec = {
  name: 'history',
  summary: 'every version of a series and the releases that hold it',
  examples: [
    'carrel history 1.3.6.1.4.1.5962.99.1.171941254.777277241.1640849481094.2.0',
    'carrel history e127d258-37c2-47bb-a7d1-1faa7f47f47a --json',
  ],
  exitCodes: [0, 2, 4],
  define(command) {
    command.argument('<series>', 'SeriesInstanceUID, or the uuid (in any form) of one of its versions');
  },
  async run(run, [text = '']) {
    const identifier = parseIdentifier(text);
    const id = idOf(identifier);
    if (id === undefined) {
      throw new CarrelError('usage', `${JSON.stringify(text)} does not name a series`, {
        item: text,
        next: 'give a SeriesInstanceUID or a crdc_series_uuid; carrel show finds them',
      });
    }
    return await atDesk(run, async (desk) => {
      const catalog = await desk.catalog();
      const history = await catalog.history(id, { signal: run.signal });
      if (run.json) {
        await write(run.terminal.out, `${toJson(history, 2)}\n`);
        return 0;
      }
      const prefix = desk.archive.catalog.releasePrefix;
      const newest = history.asOf;
      const rows = history.versions.map((version) => [
        releasesOf(version, prefix),
        version.crdc_series_uuid,
        version.collection_id,
        formatCount(version.instanceCount),
        `${version.bytesRounded ? '~' : ''}${formatBytes(version.bytes)}`,
        Object.values(version.ranges.at(-1)?.buckets ?? {})[0] ?? '?',
      ]);
      await write(
        run.terminal.out,
        `series ${history.SeriesInstanceUID}\nstudy  ${history.StudyInstanceUID}, patient ${printable(history.PatientID)}\n\n${formatTable(['releases', 'crdc_series_uuid', 'collection', 'files', 'size', 'bucket'], rows, { width: run.terminal.out.columns, right: [3, 4] })}\n`,
      );
      for (const gap of history.gaps)
        await write(run.terminal.out, `in no release from ${prefix}${gap.from} to ${prefix}${gap.to}\n`);
      for (const note of history.notes)
        await write(run.terminal.err, `${run.err.dim('note:')} ${printable(note)}\n`);
      if (!run.quiet)
        await write(
          run.terminal.err,
          `${run.err.dim(`as the tables of ${newest} know it; carrel get UUID fetches any of them`)}\n`,
        );
      return 0;
    });
  },
};

function releasesOf({ ranges, current }: SeriesVersion, prefix: string): string {
  const merged: { from: number; to: number }[] = [];
  for (const { from, to } of ranges) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last.to + 1) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  const texts = merged.map(({ from, to }) =>
    from === to ? `${prefix}${from}` : `${prefix}${from}–${prefix}${to}`,
  );
  return `${texts.join(', ')}${current ? ' (current)' : ''}`;
}

/** SeriesInstanceUID, or the uuid of the series version that the name holds. */
function idOf(identifier: Identifier): string | undefined {
  if (identifier.kind === 'dicom-uid') return identifier.uid;
  return identifier.kind === 'object-url' ? identifier.seriesUuid : uuidOf(identifier);
}
