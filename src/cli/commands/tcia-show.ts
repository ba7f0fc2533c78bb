/** `carrel tcia show`: a data set of TCIA, what can be downloaded of it and by which command, and what IDC has of it. */
import { Option } from 'commander';
import { CarrelError, isCarrelError } from '../../errors.ts';
import {
  type AskOptions,
  CONTROLLED_ACCESS_PAGE,
  citationOf,
  downloadsOf,
  fetchDoi,
  type IdcAlternative,
  type IdcPart,
  idcAlternative,
  isInPathDb,
  isSecret,
  partsFor,
  resolveCollection,
  type TciaCatalogue,
  type TciaCollection,
  type TciaDownload,
  type TciaServers,
  withoutSecret,
} from '../../tcia/index.ts';
import type { CommandSpec, Run } from '../command.ts';
import { atDesk, type Desk } from '../desk.ts';
import { toJson } from '../output/json.ts';
import { formatBytes, formatCount, formatTable, plural } from '../output/text.ts';
import {
  addCatalogueFlags,
  catalogueState,
  openTciaCatalogue,
  tciaServersOf,
  tellAge,
} from '../tcia-catalogue.ts';
import { printable, write } from '../terminal.ts';

/** Everything that is told. */
interface Told {
  collection: TciaCollection;
  downloads: TciaDownload[];
  citations: string[];
  versions: TciaCatalogue['versions'];
  /** Undefined where the installed tables know nothing of it. */
  idc: IdcAlternative | undefined;
  /** Why `idc` is not known. */
  idcProblem: CarrelError | undefined;
}

/** `carrel tcia show`. */
export const showSpec: CommandSpec = {
  name: 'show',
  summary: 'a data set of TCIA: downloads, licences, versions, citation, and whether IDC has it',
  examples: [
    'carrel tcia show DLBCL-Morphology',
    'carrel tcia show 10.7937/E7KH-R486 --json',
    'carrel tcia show https://www.cancerimagingarchive.net/collection/cmb-gec/',
  ],
  exitCodes: [0, 1, 2, 4, 8],
  define(command) {
    command
      .argument('<what>', 'name or slug in any case, DOI in any form, or page')
      .addOption(
        new Option('--links', 'also print addresses of packages; they hold a passcode that lets anybody in'),
      );
    addCatalogueFlags(command);
  },
  async run(run, [what = ''], flags) {
    const servers = tciaServersOf(run, flags);
    const links = flags['links'] === true;
    return await atDesk(run, async (desk) => {
      const opened = await openTciaCatalogue(run, desk, servers, flags);
      const { catalogue } = opened;
      const ask: AskOptions | undefined =
        flags['offline'] === true ? undefined : { http: desk.pool, signal: run.signal, attempts: 2 };
      const collection = await resolveCollection(what, { catalogue, servers, ask });
      const told: Told = {
        collection,
        downloads: downloadsOf(catalogue, collection),
        citations: await citationsOf(collection, catalogue, servers, ask),
        versions: collection.versions.flatMap((id) => catalogue.versions.find((one) => one.id === id) ?? []),
        ...(await askIdc(run, desk, collection)),
      };
      if (run.json)
        await write(
          run.terminal.out,
          `${toJson({ what, catalogue: catalogueState(opened), ...documentOf(told, links) }, 2)}\n`,
        );
      else {
        await write(run.terminal.out, `${textOf(run, told, links)}\n`);
        await tellAge(run, opened);
      }
      return 0;
    });
  },
};

/** As TCIA prints them; else as DataCite knows the DOI, where it may be asked. */
async function citationsOf(
  { citations, doi }: TciaCollection,
  catalogue: TciaCatalogue,
  servers: TciaServers,
  ask: AskOptions | undefined,
): Promise<string[]> {
  const own = citations.flatMap((id) => catalogue.citations.find((one) => one.id === id)?.text ?? []);
  if (own.length > 0 || doi === null || ask === undefined) return own;
  try {
    return [citationOf(await fetchDoi(servers.datacite, doi, { ...ask, attempts: 1 }))];
  } catch (error) {
    if (!isCarrelError(error) || error.code === 'interrupted') throw error;
    return [];
  }
}

async function askIdc(
  run: Run,
  desk: Desk,
  collection: TciaCollection,
): Promise<Pick<Told, 'idc' | 'idcProblem'>> {
  try {
    const catalog = await desk.catalog();
    return { idc: await idcAlternative(collection, catalog, run.signal), idcProblem: undefined };
  } catch (error) {
    // Tables that cannot be asked say nothing about TCIA; what TCIA has is told all the same.
    if (!isCarrelError(error, 'not-found', 'sql', 'bad-input')) throw error;
    const message = `whether ${desk.archive.name} has the same images is not known: ${error.message}`;
    return { idc: undefined, idcProblem: new CarrelError('not-found', message, { next: error.next }) };
  }
}

/** The next step for a download. */
function nextOf({ slug, page }: TciaCollection, download: TciaDownload): string {
  if (download.access === 'controlled') return `controlled access: apply as ${CONTROLLED_ACCESS_PAGE} says`;
  if (download.kind !== 'external') return `carrel tcia get ${slug} --download ${download.id}`;
  return `see ${(isSecret(download) ? null : (download.url ?? download.search)) ?? page}`;
}

function documentOf(
  { collection, downloads, citations, versions, idc, idcProblem }: Told,
  links: boolean,
): Record<string, unknown> {
  return {
    collection,
    downloads: downloads.map((download) => ({
      ...(links ? download : withoutSecret(download)),
      next: nextOf(collection, download),
      idc: idc === undefined ? [] : partsFor(download, idc).map(({ command }) => command),
    })),
    versions,
    citations,
    idc: idc ?? null,
    idcProblem:
      idcProblem === undefined ? null : { message: idcProblem.message, next: idcProblem.next ?? null },
  };
}

function textOf(run: Run, told: Told, links: boolean): string {
  const { collection: one, downloads, citations, versions } = told;
  const state = [
    one.kind === 'collection' ? 'collection' : 'analysis result',
    one.version === null ? '' : `version ${one.version}`,
    one.updated === null ? '' : `updated ${one.updated}`,
    one.hidden ? 'not in the lists of TCIA: not yet published, or retired' : '',
  ].filter((part) => part !== '');
  const lines: [string, string | null][] = [
    ['name', `${one.name} (${state.join(', ')})`],
    ['title', one.title === one.name ? null : one.title],
    ['DOI', one.doi === null ? null : `https://doi.org/${one.doi}`],
    ['page', one.page],
    ['subjects', one.subjects === null ? null : formatCount(one.subjects)],
    ['species', one.species.join(', ')],
    ['cancer', [one.cancerTypes.join(', '), one.cancerLocations.join(', ')].filter(Boolean).join('; ')],
    ['data', [...one.dataTypes, ...one.supportingData].join(', ')],
    ['collections', one.collections.join(', ')],
    [
      'licence',
      `${one.licenses.join(', ') || 'not stated'}${one.access === 'public' ? '' : `; ${one.access} access`}`,
    ],
    ...versions.map(({ number, date, text }): [string, string] => [
      'version',
      [`${number ?? '?'}${date === null ? '' : ` of ${date}`}`, text]
        .filter((part) => part !== null)
        .join(': '),
    ]),
    ...citations.map((text): [string, string] => ['cite', text]),
  ];
  const head = lines
    .filter((line): line is [string, string] => line[1] !== null && line[1] !== '')
    .map(([label, value]) => `${label.padEnd(12)} ${printable(value)}`);
  return [head.join('\n'), ...downloadsText(run, told, downloads, links), idcText(run, told)].join('\n\n');
}

function downloadsText(
  run: Run,
  { collection, idc }: Told,
  downloads: readonly TciaDownload[],
  links: boolean,
): string[] {
  if (downloads.length === 0) return ['TCIA lists no downloads of it'];
  const rows = downloads.map((download) => [
    download.id,
    download.title,
    download.kind,
    formatBytes(download.size),
    [...download.fileTypes].join(', '),
    countsOf(download),
    `${download.license ?? ''}${download.access === 'controlled' ? ' (controlled)' : ''}`,
    download.updated,
  ]);
  const table = formatTable(
    ['download', 'title', 'kind', 'size', 'files', 'holds', 'licence', 'updated'],
    rows,
    {
      width: run.terminal.out.isTTY === true ? run.terminal.out.columns : undefined,
      right: [0, 3],
      optional: [7, 4, 5],
      whole: [0, 2],
    },
  );
  const next = downloads.map((download) => {
    const also = idc === undefined ? [] : partsFor(download, idc);
    const slides = download.kind === 'faspex' && download.access === 'public' && isInPathDb(download);
    const roads = [
      nextOf(collection, download),
      ...(slides
        ? [`or slide by slide over HTTPS: carrel tcia get ${collection.slug} --download pathdb`]
        : []),
      ...also.map(({ command }) => `or from ${idc?.archive ?? ''}: ${command}`),
    ];
    const link = links && download.url !== null ? [download.url] : [];
    return `${String(download.id).padStart(8)}  ${[...roads, ...link].map(printable).join('\n          ')}`;
  });
  return [table, next.join('\n')];
}

function countsOf({ counts }: TciaDownload): string {
  const parts: [number | null, string, string][] = [
    [counts.subjects, 'subject', 'subjects'],
    [counts.series, 'series', 'series'],
    [counts.images, 'image', 'images'],
  ];
  return parts
    .flatMap(([count, unit, units]) => (count === null ? [] : plural(count, unit, units)))
    .join(', ');
}

function idcText(run: Run, { idc, idcProblem }: Told): string {
  if (idcProblem !== undefined)
    return `${printable(idcProblem.message)}\n${run.out.dim(printable(idcProblem.next ?? ''))}`;
  if (idc === undefined) return 'the installed archive has none of it';
  const line = (part: IdcPart) =>
    `${part.modalities.join(', ')}: ${plural(part.series, 'series', 'series')} of ${plural(part.patients, 'patient')}, ` +
    `${formatBytes(part.bytes)}, ${part.licenses.join(', ') || 'licence not stated'}` +
    `${part.by === 'doi' ? '' : ` (the same collection under ${part.sourceDoi === null ? 'no DOI' : `DOI ${part.sourceDoi}`})`}` +
    `${part.modalities.includes('SM') ? '; slides are DICOM there, other files than at TCIA' : ''}\n  ${part.command}`;
  return `in ${idc.archive} ${idc.release}:\n${idc.parts.map((part) => printable(line(part))).join('\n')}`;
}
