/** `carrel show`: what is this? From the catalogue alone; the buckets are asked only with `--online`. */
import { Option } from 'commander';
import type { Catalog } from '../../catalog/index.ts';
import { type NamedThing, type Shown, showName, withdrawnError } from '../../cohort/index.ts';
import { CarrelError } from '../../errors.ts';
import { type AsKind, type Identifier, uuidOf } from '../../identifiers/index.ts';
import { locateUuid } from '../../locations/index.ts';
import type { CommandSpec, Run } from '../command.ts';
import { atDesk, type Desk } from '../desk.ts';
import { toJson } from '../output/json.ts';
import { formatBytes, formatCount, plural } from '../output/text.ts';
import { printable, write } from '../terminal.ts';

/** `carrel show`. */
export const spec: CommandSpec = {
  name: 'show',
  summary: 'what is this?',
  examples: [
    'carrel show 1.3.6.1.4.1.14519.5.2.1.7695.1700.153974929648969296590126728101',
    'carrel show e127d258-37c2-47bb-a7d1-1faa7f47f47a',
    'carrel show rider_pilot --json',
    'carrel show cc9c8541-949d-48d9-beaf-7028aa4906dc --online',
  ],
  exitCodes: [0, 1, 2, 4],
  define(command) {
    command
      .argument('<what>', 'UID, UUID, drs:// URI, URL, collection, PatientID or DOI')
      .addOption(new Option('--as <kind>', 'series, study, patient, collection, …'))
      .addOption(new Option('--collection <id>', 'the collection of an ambiguous PatientID'))
      .addOption(new Option('--release <release>', 'as of a release'))
      .addOption(new Option('--online', 'ask the buckets about a uuid that the tables do not know'));
  },
  async run(run, [text = ''], flags) {
    return await atDesk(run, async (desk) => {
      const catalog = await desk.catalog(flags['release'] as string | undefined);
      const shown = await showName(
        text,
        { ...desk, catalog },
        {
          as: flags['as'] as AsKind | undefined,
          collection: flags['collection'] as string | undefined,
          signal: run.signal,
        },
      );
      const { matches } = shown;
      if (matches.length === 0) return await showUnknown(run, desk, catalog, shown, flags['online'] === true);
      if (run.json)
        await write(
          run.terminal.out,
          `${toJson({ what: text, archive: desk.archive.name, release: catalog.releaseName, evidence: catalog.evidence, missing: catalog.missing, notes: catalog.notes, matches }, 2)}\n`,
        );
      else {
        await write(run.terminal.out, `${matches.map((one) => textOf(one, catalog)).join('\n\n')}\n`);
        for (const note of run.quiet ? [] : catalog.notes)
          await write(run.terminal.err, `${run.err.dim('note:')} ${printable(note)}\n`);
      }
      if (matches.every(({ level }) => level === 'patient') && matches.length > 1) {
        throw new CarrelError(
          'ambiguous',
          `PatientID ${matches[0]?.value} stands for ${matches.length} patients`,
          {
            item: text,
            next: `choose with --collection ${matches.map(({ collections }) => collections[0]).join(' or --collection ')}`,
          },
        );
      }
      if (matches.length > 1 && !run.quiet)
        await write(
          run.terminal.err,
          `${run.err.dim('note:')} ${printable(text)} names ${matches.length} things; choose with --as for get\n`,
        );
      return 0;
    });
  },
};

function textOf(one: NamedThing, catalog: Catalog): string {
  const { row } = one;
  const state = one.current
    ? `in ${catalog.releaseName}`
    : `not in ${catalog.releaseName}; superseded or retired`;
  const range =
    one.releases.from === one.releases.to ? one.releases.from : `${one.releases.from} to ${one.releases.to}`;
  const lines: [string, string | null | undefined][] = [
    [one.level, `${one.value} (${state})`],
    [
      'collection',
      one.collections.length > 5
        ? `${one.collections.slice(0, 5).join(', ')} and ${one.collections.length - 5} more`
        : one.collections.join(', '),
    ],
    [
      'patient',
      row?.PatientID ??
        (one.level === 'collection' || one.patients > 1 ? formatCount(one.patients) : undefined),
    ],
    ['study', row?.StudyInstanceUID ?? formatCount(one.studies)],
    ['series', row === undefined ? formatCount(one.series) : row.SeriesInstanceUID],
    ['version', row?.crdc_series_uuid],
    ['modality', one.modalities.join(', ')],
    ['description', row === undefined ? undefined : stringOrNull(row.columns['SeriesDescription'])],
    ['body part', row === undefined ? undefined : stringOrNull(row.columns['BodyPartExamined'])],
    [
      'size',
      `${one.instances > 0 ? `${plural(one.instances, 'file')}, ` : ''}${row?.bytesRounded === true ? 'about ' : ''}${formatBytes(one.bytes)}`,
    ],
    ['licence', one.licenses.map(({ license }) => license ?? 'not stated for this version').join(', ')],
    [
      'source',
      row === undefined || row.source_DOI === null ? undefined : `https://doi.org/${row.source_DOI}`,
    ],
    ['releases', range],
    ['note', one.note],
    ...Object.entries(one.urls ?? {}).map(([mirror, url]): [string, string] => [mirror, url]),
    ['viewer', one.viewer],
  ];
  return (
    lines
      .filter((line): line is [string, string] => typeof line[1] === 'string' && line[1] !== '')
      // The first line says it already.
      .filter(([label, value], index) => index === 0 || label !== one.level || value === undefined)
      .map(([label, value]) => `${label.padEnd(16)} ${printable(value)}`)
      .join('\n')
  );
}

function stringOrNull(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The bare name that older tables are asked about. */
function nameOf(identifier: Identifier): string {
  if (identifier.kind === 'dicom-uid') return identifier.uid;
  return uuidOf(identifier) ?? (identifier.kind === 'name' ? identifier.name : identifier.text);
}

/** A uuid that no table knows may still stand in the buckets: withdrawn tables, instances, studies. */
async function showUnknown(
  run: Run,
  desk: Desk,
  catalog: Catalog,
  { identifier, others: found }: Shown,
  online: boolean,
): Promise<0> {
  const uuid = 'uuid' in identifier ? identifier.uuid : undefined;
  const where = `${desk.archive.name} ${catalog.releaseName}`;
  if (uuid === undefined || !online) {
    const name = nameOf(identifier);
    const withdrawn = (await catalog.withdrawn([name], { signal: run.signal })).get(name);
    if (withdrawn !== undefined) throw withdrawnError(desk, identifier.text, withdrawn);
    const suggestions =
      uuid === undefined && found.length === 0
        ? await catalog.suggest('any', identifier.text, { signal: run.signal })
        : [];
    throw new CarrelError('not-found', `${identifier.text} is not in the tables of ${where}`, {
      item: identifier.text,
      next:
        found.length > 0
          ? `it is there as ${found.map(({ level, value }) => `${level} ${value}`).join(', ')}`
          : uuid !== undefined
            ? 'the tables list series, not every file; ask the buckets and the resolver with --online'
            : suggestions.length > 0
              ? `did you mean ${suggestions.join(', ')}?`
              : 'carrel search lists what there is',
    });
  }
  const located = await locateUuid(uuid, {
    archive: desk.archive,
    openStore: desk.openStore,
    http: desk.pool,
    signal: run.signal,
  });
  const bytes = located.locations.reduce((sum, { size }) => sum + (size ?? 0), 0);
  const urls = (located.locations[0]?.sources ?? []).map(({ place, key }) => desk.openStore(place).url(key));
  if (run.json)
    await write(
      run.terminal.out,
      `${toJson({ what: identifier.text, level: located.level, files: located.locations.length, bytes, notes: located.notes, firstFile: urls }, 2)}\n`,
    );
  else
    await write(
      run.terminal.out,
      `${located.level.padEnd(16)} ${uuid} (not in the tables of ${where}; found in the buckets)\n${'size'.padEnd(16)} ${plural(located.locations.length, 'file')}, ${formatBytes(bytes)}\n${urls.map((url) => `${'first file'.padEnd(16)} ${url}\n`).join('')}`,
    );
  return 0;
}
