/**
 * Names to series. The tables are asked once for the whole list; what they do not know is looked for in the buckets
 * or asked of the archive's DRS host.
 */
import { CarrelError, isCarrelError } from '../errors.ts';
import type { ObjectUrlIdentifier } from '../identifiers/index.ts';
import { bucketClassFor, viaMirror } from '../locations/index.ts';
import { addCompound, addDrs, addUrl, addUuids } from './add-located.ts';
import type { Gathered, Wanted } from './gather.ts';
import { askForNames, type KnownNames } from './known-names.ts';
import { lookUpName, lookUpUid } from './look-up-name.ts';
import type { Cohort, Question, Tools } from './question.ts';
import { tellWithdrawn } from './tell-withdrawn.ts';

/** Resolves everything that was gathered into `cohort`; what leads nowhere goes to `cohort.unresolved`. */
export async function resolveNames(
  cohort: Cohort,
  gathered: Gathered,
  question: Question,
  tools: Tools,
): Promise<void> {
  for (const wanted of gathered.wanted) wanted.identifier = viaMirror(wanted.identifier, tools.archive);
  const known = await askForNames(gathered.wanted, tools);
  const strangers: Wanted[] = [];
  const asked: Wanted[] = [];
  for (const wanted of gathered.wanted) {
    const { identifier } = wanted;
    const isStranger = identifier.kind === 'crdc-uuid' || identifier.kind === 'guid';
    if (isStranger && !known.rows.has(identifier.uuid)) strangers.push(wanted);
    else asked.push(wanted);
  }
  const attempt = async (
    item: string,
    origin: string,
    into: Cohort,
    work: (into: Cohort) => Promise<void>,
  ) => {
    try {
      await work(into);
    } catch (error) {
      if (!isCarrelError(error) || error.code === 'interrupted') throw error;
      into.unresolved.push({ item, origin, error });
    }
    return into;
  };
  const resolve = (wanted: Wanted) =>
    attempt(wanted.identifier.text, wanted.origin, emptyLike(cohort), (into) =>
      resolveOne(into, wanted, known, question, tools),
    );
  await inTurn(asked, resolve, (found) => {
    add(cohort.series, found.series);
    add(cohort.objects, found.objects);
    add(cohort.notes, found.notes);
    add(cohort.unresolved, found.unresolved);
  });
  await addUuids(cohort, strangers, tools);
  for (const { json, origin } of gathered.compounds) {
    await attempt(origin, origin, cohort, (into) => addCompound(into, { json, origin }, tools));
  }
  await tellWithdrawn(cohort, gathered.wanted, tools);
}

/** Names that are asked for at the same time, where the network has to be asked. */
const AT_ONCE = 32;

/** Resolves names and hands over what was found, in their order: a thousand URLs are not a thousand journeys one by one. */
async function inTurn(
  names: readonly Wanted[],
  resolve: (wanted: Wanted) => Promise<Cohort>,
  take: (found: Cohort) => void,
): Promise<void> {
  const running = new Map<number, Promise<Cohort>>();
  let next = 0;
  try {
    for (const [index, wanted] of names.entries()) {
      for (; next < Math.min(names.length, index + AT_ONCE); next += 1) {
        const ahead = names[next];
        if (ahead === undefined || !isFar(ahead)) continue;
        const found = resolve(ahead);
        // Heard of at its turn.
        found.catch(() => {});
        running.set(next, found);
      }
      take(await (running.get(index) ?? resolve(wanted)));
      running.delete(index);
    }
  } finally {
    await Promise.allSettled(running.values());
  }
}

/** The tables answer the others, and one question after the other is what they are made for. */
function isFar({ identifier: { kind } }: Wanted): boolean {
  return kind === 'object-url' || kind === 'drs' || kind === 'drs-url';
}

function emptyLike(cohort: Cohort): Cohort {
  return { ...cohort, series: [], objects: [], notes: [], unresolved: [] };
}

async function resolveOne(
  cohort: Cohort,
  wanted: Wanted,
  known: KnownNames,
  question: Question,
  tools: Tools,
): Promise<void> {
  const { identifier } = wanted;
  switch (identifier.kind) {
    case 'crdc-uuid':
    case 'guid':
    case 'drs':
    case 'drs-url': {
      // The tables know the uuid: no resolver needs to be asked.
      const row = identifier.uuid === undefined ? undefined : known.rows.get(identifier.uuid);
      if (row !== undefined) cohort.series.push({ crdc_series_uuid: row.crdc_series_uuid, row });
      else await addDrs(cohort, identifier, tools);
      return;
    }
    case 'object-url':
      await resolveUrl(cohort, identifier, wanted, known, question, tools);
      return;
    case 'compound-object':
      await addCompound(
        cohort,
        { identifier, origin: wanted.origin, endpoint: wanted.endpoint ?? question.endpoint },
        tools,
      );
      return;
    case 'faspex-link':
      throw new CarrelError(
        'unsupported',
        'Aspera packages of The Cancer Imaging Archive cannot be fetched yet',
        {
          item: 'a Faspex link',
          next: 'fetch the package with IBM Aspera, or look for the same images in the catalogue: carrel search --collection …',
        },
      );
    case 'dicom-uid':
      add(cohort.series, await lookUpUid(wanted, identifier.uid, known, question, tools));
      return;
    case 'name':
      if (known.uids.has(identifier.name)) {
        add(cohort.series, await lookUpUid(wanted, identifier.name, known, question, tools));
        return;
      }
      if (known.unknown.has(identifier.name) && known.unknown.size > MOST_SUGGESTED)
        throw new CarrelError('not-found', `${JSON.stringify(identifier.text)} is not in the catalogue`, {
          item: identifier.text,
          next: 'carrel show NAME says what it may be meant to be',
        });
      add(cohort.series, await lookUpName(wanted, question, cohort, tools));
      return;
    case 'doi':
      add(cohort.series, await lookUpName(wanted, question, cohort, tools));
      return;
    case 'path':
    case 'stdin':
      throw new CarrelError('bad-input', 'a manifest cannot name another file', { item: identifier.text });
  }
}

/** For so many unknown names the nearest real ones are looked for; that takes a scan each. */
const MOST_SUGGESTED = 20;

/** One by one: a collection has up to 592,600 series, more than a call takes arguments. */
function add<T>(list: T[], more: readonly T[]): void {
  for (const one of more) list.push(one);
}

/** A URL names its cloud, and so does the endpoint in a manifest's header: the mirror of that cloud. */
function mirrorNamed(
  url: ObjectUrlIdentifier,
  hint: string | undefined,
  { archive }: Tools,
): string | undefined {
  const scheme = url.scheme === 'gs' || hint === 'gcs' ? 'gs' : 's3';
  return archive.mirrors.find((mirror) => mirror.scheme === scheme)?.name;
}

/** A URL in a bucket of the archive whose series the tables know is that series; any other is taken as it stands. */
async function resolveUrl(
  cohort: Cohort,
  url: ObjectUrlIdentifier,
  wanted: Wanted,
  known: KnownNames,
  question: Question,
  tools: Tools,
): Promise<void> {
  const row = url.seriesUuid === undefined ? undefined : known.rows.get(url.seriesUuid);
  const ours = bucketClassFor(tools.archive, url.bucket) !== undefined;
  // A wildcard inside the folder (`…/<uuid>/0*.dcm`) is more than a uuid: only the bucket can answer it.
  const whole = url.form !== 'wildcard' || /\/\*(\.dcm)?$/.test(url.key);
  if (
    row !== undefined &&
    ours &&
    url.layout === 'hierarchical' &&
    whole &&
    question.endpoint === undefined
  ) {
    const one = url.form === 'object' ? url.instanceUuid : undefined;
    cohort.series.push({
      crdc_series_uuid: row.crdc_series_uuid,
      row,
      instances: one === undefined ? undefined : new Set<string>([one]),
      prefer: mirrorNamed(url, wanted.endpointHint, tools),
    });
    return;
  }
  const endpoint = wanted.endpoint ?? question.endpoint;
  try {
    await addUrl(
      cohort,
      url,
      { endpoint, endpointHint: wanted.endpointHint, rows: ours ? known.rows : undefined },
      tools,
    );
  } catch (error) {
    if (row === undefined || !isCarrelError(error, 'not-found', 'permission', 'network')) throw error;
    throw new CarrelError(error.code, error.message, {
      item: url.text,
      next: `the catalogue knows this series in ${Object.values(row.buckets)[0] ?? 'the archive'}; carrel get ${row.crdc_series_uuid}`,
      cause: error,
    });
  }
}
