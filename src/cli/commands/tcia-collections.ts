/** `carrel tcia collections`: the data sets of The Cancer Imaging Archive, found by words. */
import { Option } from 'commander';
import { CarrelError } from '../../errors.ts';
import {
  downloadsOf,
  nearestCollections,
  searchCollections,
  TCIA_DOWNLOAD_KINDS,
  type TciaCatalogue,
  type TciaCollection,
  type TciaCollectionKind,
  type TciaDownloadKind,
} from '../../tcia/index.ts';
import { type CommandSpec, collect } from '../command.ts';
import { atDesk } from '../desk.ts';
import { toJson } from '../output/json.ts';
import { ROW_FORMATS, type Rows, rowFormat, writeRows } from '../output/rows.ts';
import { formatBytes, formatCount, plural } from '../output/text.ts';
import {
  addCatalogueFlags,
  catalogueState,
  openTciaCatalogue,
  tciaServersOf,
  tellAge,
} from '../tcia-catalogue.ts';
import { printable, write } from '../terminal.ts';

const KINDS = ['collection', 'analysis-result', ...TCIA_DOWNLOAD_KINDS] as const;

/** `carrel tcia collections`. */
export const collectionsSpec: CommandSpec = {
  name: 'collections',
  summary: 'the data sets of TCIA, found by words',
  examples: [
    'carrel tcia collections',
    'carrel tcia collections lung segmentation',
    'carrel tcia collections --kind faspex --format csv',
    'carrel tcia collections --refresh',
  ],
  exitCodes: [0, 1, 2, 4, 8],
  define(command) {
    command
      .argument('[words...]', 'words of names, titles, cancer types, data types, …; all must match')
      .addOption(
        new Option(
          '--kind <kind>',
          `collection, analysis-result, or a kind of download: ${TCIA_DOWNLOAD_KINDS.join(', ')} (repeatable)`,
        ).argParser(collect),
      )
      .addOption(
        new Option('--hidden', 'with those that TCIA keeps out of its lists: not yet published, or retired'),
      )
      .addOption(new Option('--format <format>', ROW_FORMATS.join(', ')));
    addCatalogueFlags(command);
  },
  async run(run, words, flags) {
    const format = rowFormat(flags['format'], run.json);
    const kinds = kindsOf((flags['kind'] as string[] | undefined) ?? []);
    const servers = tciaServersOf(run, flags);
    return await atDesk(run, async (desk) => {
      const opened = await openTciaCatalogue(run, desk, servers, flags);
      const { catalogue } = opened;
      const found = searchCollections(catalogue, { ...kinds, words, hidden: flags['hidden'] === true });
      if (found.length === 0 && words.length > 0)
        throw nothingFound(words, catalogue, kinds.kinds.length + kinds.downloads.length > 0);
      if (run.json) {
        const collections = found.map((one) => ({ ...one, ...amountsOf(catalogue, one) }));
        await write(run.terminal.out, `${toJson({ catalogue: catalogueState(opened), collections }, 2)}\n`);
        return 0;
      }
      await writeRows(
        run.terminal,
        format === 'table' ? tableOf(catalogue, found) : rowsOf(catalogue, found),
        format,
      );
      if (!run.quiet) {
        const all = catalogue.collections.filter(({ hidden }) => !hidden).length;
        await write(
          run.terminal.err,
          `${run.err.dim(`${plural(found.length, 'data set')} of ${formatCount(all)}; carrel tcia show NAME tells more`)}\n`,
        );
      }
      await tellAge(run, opened);
      return 0;
    });
  },
};

function kindsOf(values: readonly string[]): { kinds: TciaCollectionKind[]; downloads: TciaDownloadKind[] } {
  const wrong = values.find((value) => !(KINDS as readonly string[]).includes(value));
  if (wrong !== undefined) {
    throw new CarrelError('usage', `no kind ${JSON.stringify(wrong)}`, {
      item: wrong,
      next: KINDS.join(', '),
    });
  }
  const downloads = TCIA_DOWNLOAD_KINDS.filter((kind) => values.includes(kind));
  const kinds = (['collection', 'analysis-result'] as const).filter((kind) => values.includes(kind));
  return { kinds, downloads };
}

function nothingFound(words: readonly string[], catalogue: TciaCatalogue, filtered: boolean): CarrelError {
  const text = words.join(' ');
  const near = nearestCollections(text, catalogue.collections);
  return new CarrelError('not-found', `no data set of TCIA is described by ${text}`, {
    item: text,
    next:
      near.length > 0
        ? `did you mean ${near.map(({ name }) => name).join(', ')}?`
        : `take fewer words${filtered ? ', or leave --kind out' : ''}; carrel tcia collections lists all`,
  });
}

/** What the downloads of a data set add up to; bytes null where one of them has no size. */
function amountsOf(
  catalogue: TciaCatalogue,
  collection: TciaCollection,
): { downloadKinds: TciaDownloadKind[]; bytes: number | null; bytesKnown: number } {
  const own = downloadsOf(catalogue, collection);
  const known = own.reduce((sum, { size }) => sum + (size ?? 0), 0);
  return {
    downloadKinds: TCIA_DOWNLOAD_KINDS.filter((kind) => own.some((download) => download.kind === kind)),
    bytes: own.every(({ size }) => size !== null) ? known : null,
    bytesKnown: known,
  };
}

function tableOf(catalogue: TciaCatalogue, found: readonly TciaCollection[]): Rows {
  return {
    columns: ['name', 'subjects', 'downloads', 'size', 'licence', 'updated', 'title'],
    numeric: [1, 3],
    optional: [5, 4],
    whole: [0],
    rows: [
      found.map((one) => {
        const { downloadKinds, bytes, bytesKnown } = amountsOf(catalogue, one);
        const size = bytesKnown === 0 ? '' : `${bytes === null ? '≥ ' : ''}${formatBytes(bytesKnown)}`;
        const license = `${one.licenses.join(', ')}${one.access === 'public' ? '' : ` (${one.access})`}`;
        const subjects = one.subjects === null ? '' : formatCount(one.subjects);
        const kind = one.kind === 'analysis-result' ? ' (analysis result)' : one.hidden ? ' (hidden)' : '';
        return [
          one.name,
          subjects,
          downloadKinds.join(', '),
          size,
          license,
          one.updated,
          `${printable(one.title)}${kind}`,
        ];
      }),
    ],
  };
}

function rowsOf(catalogue: TciaCatalogue, found: readonly TciaCollection[]): Rows {
  return {
    columns: (
      'name,kind,doi,version,updated,subjects,species,cancer_types,cancer_locations,data_types,downloads,bytes,licenses,' +
      'access,title,page'
    ).split(','),
    rows: [
      found.map((one) => {
        const { downloadKinds, bytes } = amountsOf(catalogue, one);
        return [
          one.name,
          one.kind,
          one.doi,
          one.version,
          one.updated,
          one.subjects,
          one.species.join('; '),
          one.cancerTypes.join('; '),
          one.cancerLocations.join('; '),
          one.dataTypes.join('; '),
          downloadKinds.join('; '),
          bytes,
          one.licenses.join('; '),
          one.access,
          one.title,
          one.page,
        ];
      }),
    ],
  };
}
