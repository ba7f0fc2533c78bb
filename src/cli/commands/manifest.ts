/** `carrel manifest convert|check|split`. */
import { readFile, writeFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { Option } from 'commander';
import type { Archive } from '../../archives/index.ts';
import { type SeriesRow, withdrawnText } from '../../catalog/index.ts';
import { resolveCohort } from '../../cohort/index.ts';
import { CarrelError } from '../../errors.ts';
import { printIdentifier } from '../../identifiers/index.ts';
import { bucketClassFor } from '../../locations/index.ts';
import {
  type Manifest,
  type ManifestRow,
  readManifest,
  splitManifest,
  type WritableFormat,
  writeManifest,
} from '../../manifests/index.ts';
import { makeFolder } from '../../transfer/index.ts';
import { balanced, refuseBlindPolicy, seriesUuidOf } from '../balanced-entries.ts';
import type { CommandSpec, Run } from '../command.ts';
import { atDesk } from '../desk.ts';
import { toJson } from '../output/json.ts';
import { formatCount, plural } from '../output/text.ts';
import { readStdin } from '../read-stdin.ts';
import { count } from '../selection-flags.ts';
import { printable, write } from '../terminal.ts';

const FORMATS = ['s5cmd', 'csv', 'tsv', 'json', 'uids', 'dcf'] as const satisfies readonly WritableFormat[];

/** `carrel manifest`. */
export const spec: CommandSpec = {
  name: 'manifest',
  summary: 'convert, check and split manifests',
  examples: [
    'carrel manifest check manifest.s5cmd',
    'carrel manifest convert cohort.csv --to s5cmd',
    'carrel manifest split manifest.s5cmd --shards 10',
  ],
  exitCodes: [0, 2, 3, 4],
  define() {},
  async run() {
    return undefined;
  },
  subcommands: [
    {
      name: 'check',
      summary: 'line by line: what can be used, and what the catalogue knows of it',
      examples: ['carrel manifest check manifest.s5cmd', 'cat list.txt | carrel manifest check - --json'],
      exitCodes: [0, 2, 3, 4],
      define(command) {
        command
          .argument('<manifest>', 'a file, or - for stdin')
          .addOption(new Option('--offline', 'read the file only, ask no catalogue'));
      },
      run: check,
    },
    {
      name: 'convert',
      summary: 'any format to any other',
      examples: [
        'carrel manifest convert cohort.csv --to s5cmd > cohort.s5cmd',
        'carrel manifest convert data/carrel.lock.json --to csv -o cohort.csv',
      ],
      exitCodes: [0, 2, 3, 4],
      define(command) {
        command
          .argument('<manifest>', 'a file, or - for stdin')
          .addOption(new Option('--to <format>', FORMATS.join(', ')).choices(FORMATS).makeOptionMandatory())
          .addOption(
            new Option('--cloud <cloud>', 'whose buckets stand in URLs')
              .choices(['aws', 'gcs'])
              .default('aws'),
          )
          .addOption(new Option('-o, --output <file>', 'write to a file'));
      },
      run: convert,
    },
    {
      name: 'split',
      summary: 'into shards for array jobs, the same every time',
      examples: [
        'carrel manifest split manifest.s5cmd --parts 10 -o parts',
        'carrel manifest split manifest.s5cmd --shards 10',
      ],
      exitCodes: [0, 2, 4, 6, 8],
      define(command) {
        command
          .argument('<manifest>', 'a file')
          .addOption(
            new Option('--parts <n>', 'balanced by bytes, as the catalogue tells them').argParser(count),
          )
          .addOption(new Option('--shards <n>', 'cut by number, without a catalogue').argParser(count))
          .addOption(
            new Option('--license-policy <policy>', 'with --parts: what no line may break; as in carrel get'),
          )
          .addOption(new Option('-o, --output <dir>', 'folder of the parts').default('.'));
      },
      run: split,
    },
  ],
};

async function check(run: Run, [path = '']: string[], flags: Record<string, unknown>): Promise<0 | 3> {
  const manifest = await read(run, path);
  const problems = manifest.problems.map(({ line, text, reason }) => ({ line, text, reason }));
  let series: number | undefined;
  if (flags['offline'] !== true) {
    await atDesk(run, async (desk) => {
      const tools = await desk.tools();
      if (tools.catalog === undefined) return;
      const uuids = manifest.entries.flatMap(({ identifier }) => seriesUuidOf(identifier));
      const known = await tools.catalog.seriesByUuid(uuids, { signal: run.signal, columns: [] });
      series = known.size;
      const strange = uuids.filter((uuid) => !known.has(uuid));
      const withdrawn = await tools.catalog.withdrawn(strange, { signal: run.signal });
      for (const { identifier, line, text } of manifest.entries) {
        const [uuid] = seriesUuidOf(identifier);
        const gone = uuid === undefined ? undefined : withdrawn.get(uuid);
        if (gone !== undefined)
          problems.push({
            line,
            text,
            reason: `${uuid} ${withdrawnText(desk.archive, gone)}; --release ${gone.knownBy} asks the tables that still list it`,
          });
        else if (uuid !== undefined && !known.has(uuid))
          problems.push({
            line,
            text,
            reason: `${uuid} is not in the catalogue of ${tools.catalog.releaseName}; only the buckets can tell`,
          });
        else if (uuid !== undefined && isForeign(identifier, desk.archive)) {
          const bucket = Object.values(known.get(uuid)?.buckets ?? {})[0] ?? 'another bucket';
          problems.push({
            line,
            text,
            reason: `its bucket is none of this archive's; the series is in ${bucket}`,
          });
        }
      }
    });
  }
  problems.sort((a, b) => a.line - b.line);
  for (const { line, url } of manifest.pointers ?? [])
    manifest.notes.push(`line ${line}: names the manifest ${url}, which carrel get fetches and reads`);
  if (run.json)
    await write(
      run.terminal.out,
      `${toJson({ format: manifest.format, entries: manifest.entries.length, series: series ?? null, problems, notes: manifest.notes }, 2)}\n`,
    );
  else {
    for (const { line, text, reason } of problems)
      await write(
        run.terminal.out,
        `${printable(basename(path))}:${line}: ${printable(reason)}   ${run.out.dim(printable(text.slice(0, 100)))}\n`,
      );
    for (const note of manifest.notes)
      await write(run.terminal.err, `${run.err.dim('note:')} ${printable(note)}\n`);
    const known = series === undefined ? '' : `, ${formatCount(series)} series known to the catalogue`;
    await write(
      run.terminal.out,
      `${manifest.format}: ${plural(manifest.entries.length, 'entry', 'entries')}${known}, ${plural(problems.length, 'problem')}\n`,
    );
  }
  return problems.length === 0 ? 0 : 3;
}

/** A bucket that belongs to no mirror of the archive: misspelt, or somebody else's. */
function isForeign(identifier: Manifest['entries'][number]['identifier'], archive: Archive): boolean {
  return (
    identifier.kind === 'object-url' &&
    identifier.scheme !== 'https' &&
    bucketClassFor(archive, identifier.bucket) === undefined
  );
}

async function convert(run: Run, [path = '']: string[], flags: Record<string, unknown>): Promise<0 | 3> {
  return await atDesk(run, async (desk) => {
    const tools = await desk.tools();
    const cohort = await resolveCohort(
      {
        what: [path === '-' ? '-' : resolve(run.terminal.cwd, path)],
        selection: {},
        all: true,
        readStdin: () => readStdin(run.terminal),
      },
      tools,
      { cwd: run.terminal.cwd },
    );
    const rows: ManifestRow[] = cohort.series.flatMap(
      ({ row, locked, instances, crdc_series_uuid, locations }) => {
        const buckets =
          row?.buckets ??
          locked?.files[0]?.mirrors ??
          Object.fromEntries(
            (locations?.[0]?.sources ?? []).map(({ mirror, place }) => [mirror, place.bucket]),
          );
        const base: ManifestRow = {
          ...identityOf(row ?? locked),
          crdc_series_uuid,
          buckets: allBuckets(desk.archive.bucketClasses, buckets),
        };
        return instances === undefined
          ? [base]
          : [...instances].map((uuid) => ({ ...base, key: `${crdc_series_uuid}/${uuid}.dcm` }));
      },
    );
    for (const { origin, error } of cohort.unresolved)
      await write(
        run.terminal.err,
        `${run.err.red('left out')} ${printable(`${origin}: ${error.message}`)}\n`,
      );
    const output = flags['output'];
    const text = writeManifest(rows, {
      format: flags['to'] as WritableFormat,
      cloud: flags['cloud'] as 'aws' | 'gcs',
      fileName: typeof output === 'string' ? basename(output) : undefined,
      guidPrefix: desk.archive.drs?.prefix,
    });
    if (typeof output === 'string') await writeFile(resolve(run.terminal.cwd, output), text);
    else await write(run.terminal.out, text);
    return cohort.unresolved.length === 0 ? 0 : 3;
  });
}

function identityOf(from: SeriesRow | { SeriesInstanceUID: string | null } | undefined): ManifestRow {
  return from === undefined ? {} : { ...from };
}

/** Buckets of every mirror, from those that a row names. */
function allBuckets(
  classes: readonly { buckets: Record<string, string> }[],
  known: Readonly<Record<string, string>>,
): Record<string, string> {
  const found = classes.find(({ buckets }) =>
    Object.entries(known).some(([mirror, bucket]) => buckets[mirror] === bucket),
  );
  return found === undefined ? { ...known } : { ...known, ...found.buckets };
}

async function split(run: Run, [path = '']: string[], flags: Record<string, unknown>): Promise<0> {
  const manifest = await read(run, path);
  if (manifest.problems.length > 0) {
    throw new CarrelError(
      'bad-input',
      `${path} has ${plural(manifest.problems.length, 'line')} that cannot be used`,
      { item: path, next: `carrel manifest check ${path} names them` },
    );
  }
  const [parts, number] = [flags['parts'], flags['shards']];
  if ((parts === undefined) === (number === undefined))
    throw new CarrelError('usage', 'give --parts N (balanced by bytes) or --shards N (by number)', {
      item: path,
      next: `carrel manifest split ${path} --parts 10`,
    });
  if (parts === undefined) refuseBlindPolicy(run, path);
  const shards =
    typeof parts === 'number'
      ? await balanced(run, manifest, parts)
      : splitManifest(manifest.entries, Number(number));
  const folder = resolve(run.terminal.cwd, String(flags['output']));
  await makeFolder(folder);
  const width = String(shards.length - 1).length;
  const names: string[] = [];
  for (const [index, entries] of shards.entries()) {
    const name = `${basename(path).replace(/\.[^.]*$/, '')}.${String(index).padStart(width, '0')}.txt`;
    // One name per line, canonical: every line can be given to `carrel get`.
    await writeFile(
      resolve(folder, name),
      entries.map(({ identifier }) => `${printIdentifier(identifier)}\n`).join(''),
    );
    names.push(name);
  }
  if (run.json)
    await write(
      run.terminal.out,
      `${toJson({ shards: names.map((name, index) => ({ name, entries: shards[index]?.length ?? 0 })) }, 2)}\n`,
    );
  else
    await write(
      run.terminal.out,
      names
        .map((name, index) => `${name}  ${plural(shards[index]?.length ?? 0, 'entry', 'entries')}\n`)
        .join(''),
    );
  return 0;
}

async function read(run: Run, path: string): Promise<Manifest> {
  if (path === '-') return readManifest(await readStdin(run.terminal), { origin: '-' });
  const bytes = await readFile(resolve(run.terminal.cwd, path)).catch((cause: unknown) => {
    throw new CarrelError('not-found', `cannot read ${path}`, { item: path, next: 'check the path', cause });
  });
  return readManifest(bytes, { origin: path });
}
