/** `carrel open`: the viewer link of a study or series. Prints it; a browser is opened only on a terminal. */

import { execFile } from 'node:child_process';
import { Option } from 'commander';
import { viewerUrl } from '../../archives/index.ts';
import { resolveCohort } from '../../cohort/index.ts';
import { CarrelError } from '../../errors.ts';
import { type AsKind, parseIdentifier } from '../../identifiers/index.ts';
import type { CommandSpec } from '../command.ts';
import { atDesk } from '../desk.ts';
import { toJson } from '../output/json.ts';
import { write } from '../terminal.ts';

/** `carrel open`. */
export const spec: CommandSpec = {
  name: 'open',
  summary: 'viewer link',
  examples: [
    'carrel open 1.3.6.1.4.1.14519.5.2.1.7695.1700.153974929648969296590126728101',
    'carrel open UID --viewer slim --print',
  ],
  exitCodes: [0, 2, 4],
  define(command) {
    command
      .argument('<what>', 'a study or a series, named in any form')
      .addOption(new Option('--viewer <name>', 'viewer of the archive (default: by modality)'))
      .addOption(new Option('--as <kind>', 'study or series'))
      .addOption(new Option('--print', 'only print the link'));
  },
  async run(run, [text = ''], flags) {
    return await atDesk(run, async (desk) => {
      const as = flags['as'] as AsKind | undefined;
      const identifier = parseIdentifier(text, { as });
      const cohort = await resolveCohort({ what: [text], selection: {}, as }, await desk.tools(), {
        cwd: run.terminal.cwd,
      });
      const rows = cohort.series.flatMap(({ row }) => (row === undefined ? [] : [row]));
      const [first] = rows;
      const study = first?.StudyInstanceUID;
      if (first === undefined || study === undefined)
        throw new CarrelError('not-found', `the catalogue does not know ${text}`, {
          item: text,
          next: 'viewers show what is in the current release',
        });
      if (rows.some((row) => row.StudyInstanceUID !== study)) {
        throw new CarrelError('usage', `${text} holds more than one study`, {
          item: text,
          next: 'name a study or a series: carrel search lists them',
        });
      }
      if (!first.current)
        throw new CarrelError(
          'not-found',
          `${text} is not in the current release, and viewers show nothing else`,
          { item: text, next: `carrel get ${first.crdc_series_uuid} fetches it` },
        );
      const wholeStudy =
        rows.length > 1 || (identifier.kind === 'dicom-uid' && identifier.uid === study && as !== 'series');
      // A segmentation of a slide belongs into the slide's viewer: the modalities of the whole study decide.
      const catalog = await desk.catalog();
      const { rows: modalities } = await catalog.groupBy({ study: [study] }, ['Modality'], {
        signal: run.signal,
      });
      const url = viewerUrl(desk.archive, {
        StudyInstanceUID: study,
        SeriesInstanceUID: wholeStudy ? undefined : first.SeriesInstanceUID,
        modalities: modalities.map(({ values }) => String(values['Modality'])),
        viewer: flags['viewer'] as string | undefined,
      });
      if (url === undefined)
        throw new CarrelError('not-found', `the archive ${desk.archive.name} has no viewer for this`, {
          item: text,
          next: 'its record (archive.json) lists its viewers',
        });
      await write(run.terminal.out, run.json ? `${toJson({ url })}\n` : `${url}\n`);
      if (flags['print'] !== true && !run.json && run.terminal.out.isTTY === true) openBrowser(url);
      return 0;
    });
  },
};

/** Asks the desktop to open a link; where there is none, the printed link is enough. */
function openBrowser(url: string): void {
  const [command, args]: [string, string[]] =
    process.platform === 'darwin'
      ? ['open', [url]]
      : process.platform === 'win32'
        ? ['rundll32', ['url.dll,FileProtocolHandler', url]]
        : ['xdg-open', [url]];
  const child = execFile(command, args, () => {});
  child.unref();
}
