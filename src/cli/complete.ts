/**
 * The hidden command behind the completion scripts: candidates for the last of the words, one per line. Commands and
 * flags come from the command table, values from the words that were written when the catalogue was installed: the SQL
 * engine is never loaded.
 */
import type { Command, Option } from 'commander';
import { builtInArchiveNames } from '../archives/index.ts';
import { buildCommand } from './command.ts';
import { COMMANDS, loadCommand } from './command-table.ts';
import { type Known, knownWords } from './completion/known-words.ts';
import { lastIdentifier, lastOfList, openBrace, openLiteral, type Piece } from './completion/shell-line.ts';
import type { Terminal } from './terminal.ts';

/** Begins a line that is no candidate: `files` and `folders` ask the shell for its own, `nospace` to add no space. */
const DIRECTIVE = '\t';

/** Flag → column whose values it takes. */
const VALUE_COLUMNS: Record<string, string> = {
  '--collection': 'collection_id',
  '--analysis-result': 'analysis_result_id',
  '--modality': 'Modality',
  '--body-part': 'BodyPartExamined',
  '--license': 'license_short_name',
  '--manufacturer': 'Manufacturer',
};

/** Layouts that go by a name (`NAMED_LAYOUTS` of the cohort, which is not loaded for a word). */
const LAYOUTS = ['idc', 'classic', 'descriptive'];

/** Flags that take columns, and what separates several. */
const COLUMN_FLAGS = new Set(['--by', '--sum', '--columns', '--order']);

/** Flags whose value is a path. */
const PATH_FLAGS = new Set(['--output', '-o', '--lock', '--cache-dir', '--archive', '--root']);

/** Commands whose arguments are names of the catalogue, files, or both. */
const TAKES_NAMES = new Set(['get', 'lock', 'show', 'history', 'cite', 'licenses', 'open']);
const TAKES_FILES = new Set([
  'get',
  'lock',
  'cite',
  'licenses',
  'verify',
  'diff',
  'manifest',
  'serve',
  'ls',
  'add',
]);

/** Candidates for the last word. Never throws: a shell must not see an error while somebody types. */
export async function complete(words: readonly string[], terminal: Terminal): Promise<string[]> {
  try {
    return await candidates(words, terminal);
  } catch {
    return [];
  }
}

async function candidates(words: readonly string[], terminal: Terminal): Promise<string[]> {
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
  const ask = () => knownWords(words, terminal);
  const glued = /^(--[a-z-]+)=(.*)$/s.exec(last);
  if (glued !== null) {
    const [, flag = '', value = ''] = glued;
    const found = await valuesFor(optionOf(command, flag), flag, value, ask);
    return found.map((line) => (line.startsWith(DIRECTIVE) ? line : `${flag}=${line}`));
  }
  const previous = words.at(-2) ?? '';
  const option = words.length > 2 ? optionOf(command, previous) : undefined;
  if (option !== undefined && (option.required || option.optional))
    return await valuesFor(option, option.long ?? previous, last, ask);
  if (last.startsWith('-') && last !== '-') {
    const flags = command.options.flatMap(({ long }) => (long === undefined || long === null ? [] : [long]));
    return startingWith([...flags, '--help'], last);
  }
  if (command.commands.length > 0)
    return startingWith(
      command.commands.map((sub) => sub.name()),
      last,
    );
  return await argumentsOf(known.name, command.name(), last, ask);
}

function optionOf(command: Command, flag: string): Option | undefined {
  return command.options.find(({ long, short }) => long === flag || short === flag);
}

/** What a flag takes. */
async function valuesFor(
  option: Option | undefined,
  flag: string,
  typed: string,
  ask: () => Promise<Known>,
): Promise<string[]> {
  if (option?.argChoices !== undefined) return startingWith(option.argChoices, typed);
  if (PATH_FLAGS.has(flag)) {
    const names = flag === '--archive' ? [...builtInArchiveNames, 'sample'] : [];
    return [...startingWith(names, typed), `${DIRECTIVE}files`];
  }
  if (flag === '--layout') {
    const piece = openBrace(typed);
    if (piece === undefined) return [...startingWith(LAYOUTS, typed), `${DIRECTIVE}nospace`];
    const columns = ['file', ...(await ask()).columns];
    return [...pieces(piece, columns).map((word) => `${word}}`), `${DIRECTIVE}nospace`];
  }
  if (COLUMN_FLAGS.has(flag)) {
    const known = await ask();
    const piece = lastOfList(typed);
    if (flag === '--order' && piece.typed.includes(':')) {
      const column = piece.typed.slice(0, piece.typed.indexOf(':'));
      return pieces(piece, [`${column}:asc`, `${column}:desc`]);
    }
    const more = flag === '--columns' || flag === '--order' ? ['bytes', 'split'] : [];
    return pieces(piece, [...known.columns, ...more]);
  }
  if (flag === '--where' || flag === '--sql') return sqlPieces(typed, await ask());
  if (flag === '--license-policy') {
    const known = await ask();
    return pieces(lastOfList(typed), ['any', 'commercial', ...(known.values['license_short_name'] ?? [])]);
  }
  const column = VALUE_COLUMNS[flag];
  if (column !== undefined) return startingWith((await ask()).values[column] ?? [], typed);
  if (flag === '--release') return startingWith(['current', ...(await ask()).releases], typed);
  if (flag === '--version') return startingWith((await ask()).versions, typed);
  if (flag === '--from') return startingWith(['auto', ...(await ask()).mirrors], typed);
  if (flag === '--mirror')
    return startingWith(
      (await ask()).mirrors.map((name) => `${name}=`),
      typed,
    );
  if (flag === '--table') return startingWith((await ask()).archiveTables, typed);
  // `table, csv, jsonl`: flags that print their choices but check them later.
  const listed = option?.description?.replace(/:? *\(.*$/, '').split(/, | or /) ?? [];
  if (listed.length > 1 && listed.every((word) => /^[a-z0-9-]+$/.test(word)))
    return startingWith(listed, typed);
  return [];
}

/** What a command takes beside its flags. */
async function argumentsOf(
  command: string,
  name: string,
  typed: string,
  ask: () => Promise<Known>,
): Promise<string[]> {
  const found: string[] = [];
  if (command === 'completion') found.push(...startingWith(['bash', 'zsh', 'fish', 'powershell'], typed));
  if (TAKES_NAMES.has(command)) {
    const { values } = await ask();
    found.push(
      ...startingWith([...(values['collection_id'] ?? []), ...(values['analysis_result_id'] ?? [])], typed),
    );
  }
  if (command === 'diff') found.push(...startingWith(['current', ...(await ask()).releases], typed));
  if (command === 'sql') return sqlPieces(typed, await ask());
  if (name === 'schema') found.push(...startingWith((await ask()).archiveTables, typed));
  if (name === 'remove' || name === 'check') found.push(...startingWith((await ask()).versions, typed));
  if (TAKES_FILES.has(command) || TAKES_FILES.has(name)) found.push(`${DIRECTIVE}files`);
  return found;
}

/** The value in an open literal, else a column or a table. */
function sqlPieces(text: string, known: Known): string[] {
  const literal = openLiteral(text);
  if (literal !== undefined) {
    const column = known.columns.find((name) => name.toLowerCase() === literal.column.toLowerCase());
    const values = known.values[column ?? ''] ?? [];
    return [
      ...pieces(
        literal,
        values.map((value) => value.replaceAll("'", "''")),
      ).map((word) => `${word}'`),
      `${DIRECTIVE}nospace`,
    ];
  }
  const piece = lastIdentifier(text);
  if (piece === undefined || (piece.typed === '' && piece.before !== '')) return [];
  return [...pieces(piece, [...known.columns, ...known.tables]), `${DIRECTIVE}nospace`];
}

function pieces({ before, typed }: Piece, words: readonly string[]): string[] {
  return startingWith(words, typed).map((word) => `${before}${word}`);
}

/** Those that begin so; where none does, those that do without regard to case. */
function startingWith(words: readonly string[], prefix: string): string[] {
  const exact = words.filter((word) => word.startsWith(prefix));
  if (exact.length > 0) return [...new Set(exact)];
  const lower = prefix.toLowerCase();
  return [...new Set(words.filter((word) => word.toLowerCase().startsWith(lower)))];
}
