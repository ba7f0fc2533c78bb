/**
 * The hidden command behind the completion scripts: candidates for the last of the words, one per line. Commands
 * and flags come from the command table, values of selection flags from the installed catalogue.
 */
import type { Command } from 'commander';
import { buildCommand, createRun } from './command.ts';
import { COMMANDS, loadCommand } from './command-table.ts';
import type { Terminal } from './terminal.ts';

/** Flag → column whose values it takes. */
const VALUE_COLUMNS: Record<string, string> = {
  '--collection': 'collection_id',
  '--analysis-result': 'analysis_result_id',
  '--modality': 'Modality',
  '--body-part': 'BodyPartExamined',
  '--license': 'license_short_name',
  '--manufacturer': 'Manufacturer',
};

/** Candidates for the last word. Never throws: a shell must not see an error while somebody types. */
export async function complete(words: readonly string[], terminal: Terminal): Promise<string[]> {
  const last = words.at(-1) ?? '';
  if (words.length <= 1)
    return startingWith(
      COMMANDS.map(({ name }) => name),
      last,
    );
  const known = COMMANDS.find(({ name }) => name === words[0]);
  if (known === undefined) return [];
  let command: Command = buildCommand(await loadCommand(known.name), 'carrel', async () => {});
  for (const word of words.slice(1, -1))
    command = command.commands.find((sub) => sub.name() === word) ?? command;
  const previous = words.at(-2) ?? '';
  const option = command.options.find(({ long, short }) => long === previous || short === previous);
  if (option?.argChoices !== undefined) return startingWith(option.argChoices, last);
  const column = VALUE_COLUMNS[previous];
  if (column !== undefined) return await values(column, last, terminal);
  if (last.startsWith('-')) {
    return startingWith(
      command.options.flatMap(({ long }) => (long === undefined || long === null ? [] : [long])),
      last,
    );
  }
  return startingWith(
    command.commands.map((sub) => sub.name()),
    last,
  );
}

async function values(column: string, prefix: string, terminal: Terminal): Promise<string[]> {
  try {
    const { openDesk } = await import('./desk.ts');
    const run = createRun(terminal, [], {}, new AbortController().signal);
    const desk = await openDesk(run);
    try {
      const catalog = await desk.catalog();
      const found = await catalog.suggest(column, prefix);
      return found;
    } finally {
      await desk.close();
    }
  } catch {
    return [];
  }
}

function startingWith(candidates: readonly string[], prefix: string): string[] {
  return candidates.filter((candidate) => candidate.startsWith(prefix));
}
