/** `carrel tcia sums`: the list of checksums of a package, without the rest. */
import { Option } from 'commander';
import { CarrelError, isCarrelError } from '../../errors.ts';
import { fetchPackageSums, onePackage, printSumLine } from '../../tcia/index.ts';
import { type CommandSpec, collect } from '../command.ts';
import { atDesk } from '../desk.ts';
import { withDestination } from '../output/destination.ts';
import { toJson } from '../output/json.ts';
import { tellNote } from '../output/package-report.ts';
import { formatCount, plural } from '../output/text.ts';
import { addCatalogueFlags, tciaServersOf } from '../tcia-catalogue.ts';
import { catalogueQuestions, interruptedQuietly } from '../tcia-questions.ts';
import { write } from '../terminal.ts';
import { addTransportFlags, transportOf } from '../transport-flags.ts';

/** Lines that are written at once. */
const PIECE = 1000;

/** `carrel tcia sums`. */
export const sumsSpec: CommandSpec = {
  name: 'sums',
  summary: "a package's own list of checksums, without fetching the rest",
  examples: [
    'carrel tcia sums DLBCL-Morphology --sort',
    'carrel tcia sums HER2-tumor-ROIs --sort -o HER2.sums',
    'carrel tcia sums "$LINK" | grep Her2Pos_Case_01',
  ],
  exitCodes: [0, 1, 2, 4, 7, 8, 130],
  define(command) {
    command
      .argument('<what>', 'name, DOI or page of a data set, or a Faspex link in any form')
      .addOption(new Option('--sort', 'by path instead of as the list has it'))
      .addOption(new Option('-o, --output <file>', 'write the list to a file'))
      .addOption(
        new Option(
          '--download <choice>',
          'of several packages: id, or words of the title (repeatable)',
        ).argParser(collect),
      );
    addTransportFlags(command);
    addCatalogueFlags(command);
  },
  async run(run, [what = ''], flags) {
    if (what.trim() === '')
      throw new CarrelError('usage', 'a name is empty', {
        item: '',
        next: 'is a variable of the shell not set?',
      });
    const servers = tciaServersOf(run, flags);
    const text = (name: string) => (typeof flags[name] === 'string' ? flags[name] : undefined);
    try {
      return await atDesk(run, async (desk) => {
        const questions = catalogueQuestions(run, desk, servers, flags);
        const target = await onePackage(what, {
          ...questions,
          downloads: flags['download'] as string[] | undefined,
        });
        const lists = await fetchPackageSums(target, {
          faspex: { http: desk.pool },
          machine: { env: run.terminal.env },
          ...transportOf(flags),
          onNote: (message) => void tellNote(run, message),
          signal: run.signal,
        });
        const entries = lists.flatMap((list) => list.entries);
        if (flags['sort'] === true) entries.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
        await withDestination(run.terminal, text('output'), async (terminal) => {
          for (let at = 0; at < entries.length; at += PIECE) {
            const lines = entries.slice(at, at + PIECE).map(({ path, digests }) => {
              if (run.json) return `${toJson({ path, digests })}\n`;
              return printSumLine(path, (digests[0] ?? '').replace(/^.*:/, ''));
            });
            if (!(await write(terminal.out, lines.join('')))) break;
          }
        });
        const unusable = lists.reduce((sum, { problemCount }) => sum + problemCount, 0);
        const names = lists.map(({ origin }) => origin).join(', ');
        await tellNote(
          run,
          `${names}: ${plural(entries.length, 'file')}${unusable === 0 ? '' : `, and ${formatCount(unusable)} lines that cannot be used`}`,
        );
        if (entries.length === 0)
          throw new CarrelError('not-found', `${names} lists nothing`, {
            item: names,
            next: 'carrel tcia browse shows what there is',
          });
        return 0;
      });
    } catch (error) {
      if (isCarrelError(error, 'interrupted')) throw interruptedQuietly();
      throw error;
    }
  },
};
