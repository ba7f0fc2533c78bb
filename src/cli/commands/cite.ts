/** `carrel cite`: what to cite for data that was or would be fetched. Needs no network unless `--online` asks for it. */
import { Option } from 'commander';
import {
  CITATION_FORMATS,
  type CitationFormat,
  type CitationList,
  type OnlineCitations,
  resolveCitations,
} from '../../catalog/index.ts';
import { CarrelError } from '../../errors.ts';
import type { CommandSpec, Run } from '../command.ts';
import { atDesk, type Desk } from '../desk.ts';
import { namedOrSelected } from '../named-or-selected.ts';
import { printSelectionNotes } from '../notes.ts';
import { withDestination } from '../output/destination.ts';
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
    'carrel cite rider_pilot --format csl-json -o references.json',
    'carrel cite data/carrel.lock.json --format bibtex --online',
  ],
  exitCodes: [0, 2, 4],
  define(command) {
    command
      .argument('[what...]', 'anything that carrel get takes')
      .addOption(
        new Option('--format <format>', CITATION_FORMATS.join(', '))
          .default('text')
          .choices(CITATION_FORMATS),
      )
      .addOption(
        new Option('--online', 'ask doi.org for the full records; the tables answer where it does not'),
      )
      .addOption(new Option('-o, --output <file>', 'write the references to a file'));
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
      const format = flags['format'] as CitationFormat;
      const output = flags['output'] as string | undefined;
      const resolved = flags['online'] === true ? await resolve(run, desk, list, format) : undefined;
      await withDestination(run.terminal, output, async (terminal) => {
        if (!run.json) {
          await write(terminal.out, resolved?.text ?? list.format(format));
          return;
        }
        const citations = list.citations.map((citation, at) => {
          const online = resolved?.entries[at];
          return online === undefined
            ? citation
            : { ...citation, entry: online.entry, entryFrom: online.from };
        });
        const notes = [...list.notes, ...(resolved?.notes ?? [])];
        await write(terminal.out, `${toJson({ citations, notes }, 2)}\n`);
      });
      return 0;
    });
  },
};

/** Asks the resolver of DOIs: doi.org, or the one that `CARREL_DOI_RESOLVER` names. */
async function resolve(
  run: Run,
  desk: Desk,
  { citations }: CitationList,
  format: CitationFormat,
): Promise<OnlineCitations> {
  const resolver = run.terminal.env['CARREL_DOI_RESOLVER'];
  const resolved = await resolveCitations(citations, format, {
    http: desk.pool,
    cacheDir: desk.cacheDir,
    resolver: resolver === undefined || resolver === '' ? undefined : resolver,
    signal: run.signal,
  });
  await printSelectionNotes(run, resolved.notes);
  return resolved;
}
