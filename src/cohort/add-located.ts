/** Things that the tables do not know: found in the buckets, at a DRS host, or by their URL. */
import { readFile } from 'node:fs/promises';
import type { SeriesRow } from '../catalog/index.ts';
import { CarrelError } from '../errors.ts';
import {
  type CompoundObjectIdentifier,
  type Identifier,
  type ObjectUrlIdentifier,
  uuidOf,
} from '../identifiers/index.ts';
import {
  fetchCompoundObject,
  locateCompound,
  locateUrl,
  locateUuids,
  type ObjectLocation,
  readCompoundObject,
  resolveDrs,
} from '../locations/index.ts';
import { safeSegment } from '../transfer/index.ts';
import type { Wanted } from './gather.ts';
import { instanceName } from './instance-name.ts';
import { patientStores } from './patient-store.ts';
import type { Cohort, CohortSeries, Tools } from './question.ts';

/** Adds what stands behind uuids that no table knows: folders in the buckets, files by the archive's resolver. */
export async function addUuids(cohort: Cohort, strangers: readonly Wanted[], tools: Tools): Promise<void> {
  const wanted = new Map<string, Wanted>();
  for (const one of strangers) {
    const uuid = uuidOf(one.identifier) ?? '';
    if (!(await addSlideFile(cohort, uuid, tools))) wanted.set(uuid, one);
  }
  const found = locateUuids(wanted.keys(), { ...options(tools), http: tools.http, token: tools.drsToken });
  for await (const { uuid, located, error } of found) {
    const { identifier, origin } = wanted.get(uuid) ?? { identifier: { text: uuid }, origin: 'argument' };
    if (error !== undefined) {
      cohort.unresolved.push({ item: identifier.text, origin, error });
      continue;
    }
    note(cohort, uuid, located.notes);
    if (located.level === 'series') {
      const count = located.locations.length;
      cohort.notes.push({
        item: uuid,
        message: `not in the catalogue; found in the buckets as a series of ${count} ${count === 1 ? 'file' : 'files'}`,
      });
    }
    addByFolder(cohort, located.locations, undefined);
  }
}

/** The files of slides stand in a table of their own; true where it knows the uuid. */
async function addSlideFile(cohort: Cohort, uuid: string, tools: Tools): Promise<boolean> {
  const instance = await tools.catalog?.instanceLookup(uuid, { signal: tools.signal });
  if (instance === undefined) return false;
  const rows = await tools.catalog?.select(
    { series: [instance.SeriesInstanceUID] },
    { signal: tools.signal },
  );
  for (const row of rows?.rows ?? []) {
    cohort.series.push({ crdc_series_uuid: row.crdc_series_uuid, row, instances: new Set([uuid]) });
  }
  return (rows?.rows.length ?? 0) > 0;
}

/** Adds what a DRS identifier stands for. */
export async function addDrs(cohort: Cohort, identifier: Identifier, tools: Tools): Promise<void> {
  const found = await resolveDrs(identifier, { ...options(tools), http: tools.http, token: tools.drsToken });
  note(cohort, identifier.text, found.notes);
  addByFolder(cohort, found.locations, found.paths);
}

/** Adds the objects of a URL. */
export async function addUrl(
  cohort: Cohort,
  url: ObjectUrlIdentifier,
  where: {
    endpoint?: string | undefined;
    endpointHint?: string | undefined;
    /** Rows of series that the tables know, for layout and licence. */
    rows?: ReadonlyMap<string, SeriesRow> | undefined;
  },
  tools: Tools,
): Promise<void> {
  const { rows, ...place } = where;
  const found = await locateUrl(url, { ...options(tools), ...place });
  note(cohort, url.text, found.notes);
  const base = url.form === 'object' ? url.key : url.key.replace(/[^/]*[*?].*$/, '');
  // A folder keeps its own name below the destination; a wildcard gives what stands below its fixed part.
  const cut = url.form === 'wildcard' ? base.length : base.replace(/\/$/, '').lastIndexOf('/') + 1;
  const paths = found.locations.map(({ key }) => {
    const end = key.indexOf('?', cut);
    return end === -1 ? key.slice(cut) : key.slice(cut, end);
  });
  addByFolder(cohort, found.locations, paths, rows);
}

/** Adds the children of a compound object, given by its place or as JSON. */
export async function addCompound(
  cohort: Cohort,
  from:
    | { identifier: CompoundObjectIdentifier; origin: string; endpoint?: string | undefined }
    | { json: unknown; origin: string },
  tools: Tools,
): Promise<void> {
  const found =
    'json' in from
      ? await locateCompound(readCompoundObject(from.json, from.origin), {
          ...options(tools),
          http: tools.http,
          token: tools.drsToken,
        })
      : await locatePlaced(from.identifier, from.endpoint, tools);
  note(cohort, 'json' in from ? from.origin : from.identifier.text, found.notes);
  for (const uuid of found.missing) {
    cohort.unresolved.push({
      item: uuid,
      origin: from.origin,
      error: new CarrelError(
        'not-found',
        `${uuid} is a child of the compound object, but no bucket and no resolver has it`,
        {
          item: uuid,
          next: 'it may have been withdrawn; the other children are fetched',
        },
      ),
    });
  }
  const uuid = found.crdc_series_uuid;
  const instances = new Set(found.locations.map(({ key }) => instanceName(key)));
  if (uuid === undefined) addByFolder(cohort, found.locations, undefined);
  else {
    const row = (await tools.catalog?.seriesByUuid([uuid], { signal: tools.signal }))?.get(uuid);
    cohort.series.push({ crdc_series_uuid: uuid, row, instances, locations: found.locations });
  }
}

async function locatePlaced(
  identifier: CompoundObjectIdentifier,
  endpoint: string | undefined,
  tools: Tools,
): ReturnType<typeof locateCompound> {
  const { location } = identifier;
  if (location.kind === 'path') {
    const json: unknown = JSON.parse(await readFile(location.path, 'utf8'));
    return await locateCompound(readCompoundObject(json, location.path), {
      ...options(tools),
      http: tools.http,
      token: tools.drsToken,
    });
  }
  const compound = await fetchCompoundObject(location, { ...options(tools), endpoint });
  return await locateCompound(compound, {
    ...options(tools),
    http: tools.http,
    token: tools.drsToken,
    bucket: location.bucket,
    beside: location,
    endpoint,
  });
}

/**
 * Objects under `<series uuid>/` of the archive become series without a row; all others stand under their own names.
 */
function addByFolder(
  cohort: Cohort,
  locations: readonly ObjectLocation[],
  paths: readonly string[] | undefined,
  rows?: ReadonlyMap<string, SeriesRow>,
): void {
  const folders = new Map<string, ObjectLocation[]>();
  locations.forEach((location, index) => {
    const uuid = location.crdc_series_uuid;
    if (uuid !== undefined) {
      const found = folders.get(uuid);
      if (found === undefined) folders.set(uuid, [location]);
      else found.push(location);
    } else {
      const name = paths?.[index] ?? location.key;
      const path = safePath(name);
      // A short name that was not changed when it was made safe cannot be hostile.
      cohort.objects.push(
        path === name && name.length < SHORT ? { location, path } : { location, path, name },
      );
    }
  });
  for (const [uuid, found] of folders) {
    const series: CohortSeries = {
      crdc_series_uuid: uuid,
      row: rows?.get(uuid),
      locations: found,
      instances: new Set(found.map(({ key }) => instanceName(key))),
    };
    cohort.series.push(series);
  }
}

/** Characters of a path that no file system takes for too long, whatever they are. */
const SHORT = 300;

/** Each segment made safe; a name that is safe is given back as it is, not as a copy. */
function safePath(name: string): string {
  if (!name.includes('/') && name !== '') return safeSegment(name);
  const path = name
    .split('/')
    .filter((segment) => segment !== '')
    .map(safeSegment)
    .join('/');
  return path === name ? name : path;
}

/** Options that every look into buckets takes. */
function options(tools: Tools): Pick<Tools, 'archive' | 'openStore' | 'from' | 'signal'> {
  return {
    archive: tools.archive,
    openStore: patientStores(tools.openStore),
    from: tools.from,
    signal: tools.signal,
  };
}

function note(cohort: Cohort, item: string, notes: readonly string[]): void {
  for (const message of notes) cohort.notes.push({ item, message });
}
