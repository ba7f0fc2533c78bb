/** `carrel tcia nbia`: one question to NBIA's REST interface, as a table. */
import { Option } from 'commander';
import { CarrelError } from '../../errors.ts';
import { askNbia, describeNbiaSeries, type NbiaRow } from '../../tcia/index.ts';
import type { CommandSpec } from '../command.ts';
import { atDesk } from '../desk.ts';
import { ROW_FORMATS, rowFormat, writeRows } from '../output/rows.ts';
import { plural } from '../output/text.ts';
import { serverOption, tciaServersOf } from '../tcia-catalogue.ts';
import { write } from '../terminal.ts';

/** `carrel tcia nbia`. */
export const nbiaSpec: CommandSpec = {
  name: 'nbia',
  summary: 'ask NBIA, TCIA’s image server, a question of its REST interface',
  examples: [
    'carrel tcia nbia getCollectionValues',
    'carrel tcia nbia getPatient Collection=TCGA-BRCA --format csv',
    'carrel tcia nbia getSeries Collection=TCGA-BRCA Modality=MR',
    'carrel tcia nbia getSeries Collection=NLST PatientID=100002 --nlst',
    'carrel tcia nbia getSeriesMetadata list=1.3.6.1.4.1.14519.5.2.1.7695.1700.153974929648969296590126728101',
  ],
  exitCodes: [0, 1, 2, 4, 8],
  define(command) {
    command
      .argument('<question>', 'getCollectionValues, getPatient, getPatientStudy, getSeries, getSeriesSize, …')
      .argument('[filters...]', 'FIELD=VALUE, as NBIA spells them: Collection=TCGA-BRCA')
      .addOption(new Option('--nlst', 'ask the server of the National Lung Screening Trial'))
      .addOption(new Option('--format <format>', ROW_FORMATS.join(', ')))
      .addOption(serverOption());
  },
  async run(run, [question = '', ...filters], flags) {
    const format = rowFormat(flags['format'], run.json);
    const parameters = Object.fromEntries(filters.map(filterOf));
    if (!/^(?:get|New)[A-Z]\w{1,60}$/.test(question) || /^get(?:Single)?Image/.test(question))
      throw new CarrelError('usage', `${question}: no question that is answered with rows`, {
        item: question,
        next: 'carrel tcia nbia getSeries Collection=NAME; images come with carrel get UID --nbia',
      });
    const servers = tciaServersOf(run, flags);
    return await atDesk(run, async ({ pool: http }) => {
      const options = { http, servers, signal: run.signal };
      const rows = /^getSeriesMeta[dD]ata$/.test(question)
        ? [...(await describeNbiaSeries((parameters['list'] ?? '').split(/[\s,]+/), options)).values()]
        : await askNbia(question, parameters, options, flags['nlst'] === true ? 'nlst' : 'nbia');
      const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
      const cells = rows.map((row) => columns.map((column) => (row as NbiaRow)[column] ?? null));
      await writeRows(run.terminal, { columns, rows: [cells] }, format);
      if (!run.quiet && !run.json)
        await write(run.terminal.err, `${run.err.dim(plural(rows.length, 'row'))}\n`);
      return 0;
    });
  },
};

function filterOf(filter: string): [string, string] {
  const at = filter.indexOf('=');
  if (at > 0) return [filter.slice(0, at), filter.slice(at + 1)];
  throw new CarrelError('usage', `${filter}: a filter is written FIELD=VALUE`, {
    item: filter,
    next: 'such as Collection=TCGA-BRCA',
  });
}
