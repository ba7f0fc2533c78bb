/** `carrel cite`: what to cite for data that was or would be fetched. Needs no network. */
import { Option } from 'commander';
import { CarrelError } from '../../errors.ts';
import type { CommandSpec } from '../command.ts';
import { atDesk } from '../desk.ts';
import { namedOrSelected } from '../named-or-selected.ts';
import { printSelectionNotes } from '../notes.ts';
import { toJson } from '../output/json.ts';
import { addSelectionFlags } from '../selection-flags.ts';
import { write } from '../terminal.ts';

/** `carrel cite`. */
export const spec: CommandSpec = {
  name: 'cite',
  summary: 'references to cite',
  examples: [
    'carrel cite data/carrel.lock.json',
    'carrel cite --collection nlst --format bibtex',
    'carrel cite rider_pilot --format csl-json',
  ],
  exitCodes: [0, 2, 4],
  define(command) {
    command
      .argument('[what...]', 'anything that carrel get takes')
      .addOption(
        new Option('--format <format>', 'text, bibtex or csl-json')
          .default('text')
          .choices(['text', 'bibtex', 'csl-json']),
      );
    addSelectionFlags(command);
  },
  async run(run, what, flags) {
    return await atDesk(run, async (desk) => {
      const asked = await namedOrSelected(run, desk, what, flags);
      const list = await asked.catalog.citations(asked.what, { signal: run.signal });
      await printSelectionNotes(run, list.notes);
      if (list.citations.length === 0)
        throw new CarrelError('not-found', 'nothing to cite: no series match', {
          next: 'carrel search with the same flags shows what there is',
        });
      if (run.json)
        await write(run.terminal.out, `${toJson({ citations: list.citations, notes: list.notes }, 2)}\n`);
      else await write(run.terminal.out, list.format(flags['format'] as 'text' | 'bibtex' | 'csl-json'));
      return 0;
    });
  },
};
