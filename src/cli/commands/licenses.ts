/** `carrel licenses`: under which licences things stand, in the release asked for. */
import type { CommandSpec } from '../command.ts';
import { atDesk } from '../desk.ts';
import { namedOrSelected } from '../named-or-selected.ts';
import { settleNotes } from '../notes.ts';
import { toJson } from '../output/json.ts';
import { formatBytes, formatCount, formatTable } from '../output/text.ts';
import { addSelectionFlags } from '../selection-flags.ts';
import { write } from '../terminal.ts';

/** `carrel licenses`. */
export const spec: CommandSpec = {
  name: 'licenses',
  summary: 'licences of what is named',
  examples: [
    'carrel licenses --collection nlst',
    'carrel licenses data/carrel.lock.json --json',
    'carrel licenses --release v23 --collection phantom_fda',
  ],
  exitCodes: [0, 2, 4],
  define(command) {
    command.argument('[what...]', 'anything that carrel get takes');
    addSelectionFlags(command);
  },
  async run(run, what, flags) {
    return await atDesk(run, async (desk) => {
      const asked = await namedOrSelected(run, desk, what, flags);
      const { licenses, notes } = await asked.catalog.licenses(asked.what, { signal: run.signal });
      await settleNotes(run, notes, flags['strict'] === true, licenses.length === 0);
      if (run.json) {
        await write(
          run.terminal.out,
          `${toJson({ archive: desk.archive.name, release: asked.catalog.releaseName, licenses, notes }, 2)}\n`,
        );
        return 0;
      }
      const rows = licenses.map((share) => [
        share.license ?? '(not stated)',
        `${share.commercial ? 'yes' : 'no'} (${share.why})`,
        formatCount(share.collections),
        formatCount(share.series),
        `${formatCount(share.instances)}${share.seriesWithoutInstances > 0 ? '+' : ''}`,
        `${formatBytes(share.bytes)}${share.seriesRounded > 0 ? ' (rounded)' : ''}`,
      ]);
      await write(
        run.terminal.out,
        `${formatTable(['licence', 'commercial use', 'collections', 'series', 'files', 'size'], rows, { width: run.terminal.out.isTTY === true ? run.terminal.out.columns : undefined, right: [2, 3, 4, 5] })}\n`,
      );
      if (!run.quiet)
        await write(
          run.terminal.err,
          `${run.err.dim(`as published with ${asked.catalog.releaseName}; a licence can change without a new version`)}\n`,
        );
      return 0;
    });
  },
};
