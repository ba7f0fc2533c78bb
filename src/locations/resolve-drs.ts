/**
 * Resolves DRS identifiers: single objects, bundles with everything below them, and series whose uuid the host does
 * not know. (The registry took IDC's series only for v1 and answers 404 for later ones by design; the buckets know.)
 */
import { CarrelError, isCarrelError } from '../errors.ts';
import type { Identifier } from '../identifiers/index.ts';
import { createDrsClient, type DrsClient, type DrsClientOptions } from './drs-client.ts';
import { type DrsTarget, drsTarget } from './drs-endpoint.ts';
import type { DrsChild, DrsObject } from './drs-object.ts';
import { drsLocation } from './drs-sources.ts';
import { type Located, type LocateOptions, locateSeries } from './locate-series.ts';
import type { ObjectLocation } from './location.ts';

/** Options of `resolveDrs`. */
export interface ResolveDrsOptions extends LocateOptions, Omit<DrsClientOptions, 'signal'> {
  /** Do not look into the buckets where the host has no answer. */
  drsOnly?: boolean | undefined;
}

/** What a DRS identifier stands for. */
export interface ResolvedDrs extends Located {
  kind: 'object' | 'bundle' | 'series';
  /** `objects[i]` belongs to `locations[i]`: its path below the bundle, with `/`; a plain name for a single object. */
  paths: string[];
}

/** Bundles in bundles; deeper ones are a loop or a joke. */
const DEEPEST = 20;

/** Objects of one bundle. */
const MOST_OBJECTS = 1_000_000;

/** Requests at a time to one host. */
const JOBS = 8;

/** From so many children on, a bulk request is worth asking for. */
const BULK_FROM = 4;

/**
 * Resolves one identifier. Where its host does not answer, or knows nothing of a uuid that names a series, the buckets
 * of the archive are asked, with a note. Throws `not-found` where neither knows it, `permission` where the host wants
 * a sign-in, `network` where it does not answer and the buckets do not hold it either, `unsupported` for access by
 * other protocols, `bad-input` for bundles that contain themselves.
 */
export async function resolveDrs(
  name: Identifier | string,
  options: ResolveDrsOptions,
): Promise<ResolvedDrs> {
  const target = drsTarget(name, options.archive);
  const client = createDrsClient(options);
  try {
    const object = await fetchObject(target, client);
    if (object.contents.length > 0) return await bundle(object, target, client, options);
    const { location, notes } = await drsLocation(object, target, client, options);
    return { kind: 'object', locations: [location], notes, paths: [safeName(object.name, location.key)] };
  } catch (error) {
    const mayBeSeries = isCarrelError(error, 'not-found', 'network') && target.uuid !== undefined;
    if (!mayBeSeries || options.drsOnly === true || !isCarrelError(error)) throw error;
    return await fromBuckets(target, error, options);
  }
}

function fetchObject(target: DrsTarget, client: DrsClient): Promise<DrsObject> {
  if (target.endpoint !== undefined) return client.object(target.endpoint, target.id);
  return client.indexRecord(target.indexUrl ?? '');
}

async function fromBuckets(
  target: DrsTarget,
  reason: CarrelError,
  options: ResolveDrsOptions,
): Promise<ResolvedDrs> {
  const uuid = target.uuid ?? '';
  try {
    const { locations, notes } = await locateSeries({ crdc_series_uuid: uuid, buckets: {} }, options);
    const paths = locations.map(({ key }) => key);
    const note = `${reason.message}; found as a series in the archive's buckets`;
    return { kind: 'series', locations, notes: [note, ...notes], paths };
  } catch (error) {
    if (!isCarrelError(error, 'not-found')) throw error;
    throw new CarrelError(
      reason.code,
      `${reason.message}; no bucket of ${options.archive.name} holds it as a series`,
      {
        item: target.id,
        next: reason.next ?? 'check the identifier; objects that were withdrawn are known to nobody',
        cause: reason,
        retryable: reason.retryable,
        status: reason.status,
      },
    );
  }
}

interface Leaf {
  path: string;
  target: DrsTarget;
  object: DrsObject;
}

async function bundle(
  root: DrsObject,
  target: DrsTarget,
  client: DrsClient,
  options: ResolveDrsOptions,
): Promise<ResolvedDrs> {
  const leaves: Leaf[] = [];
  const notes: string[] = [];
  await walk(root, target, '', new Set([idOf(target)]), {
    client,
    options,
    leaves,
    notes,
    visited: 0,
  });
  const found: ObjectLocation[] = [];
  const paths: string[] = [];
  await inParallel(leaves, async (leaf, index) => {
    const { location, notes: more } = await drsLocation(leaf.object, leaf.target, client, options);
    found[index] = location;
    paths[index] = leaf.path;
    notes.push(...more);
  });
  return { kind: 'bundle', locations: found, notes, paths };
}

interface Walk {
  client: DrsClient;
  options: ResolveDrsOptions;
  leaves: Leaf[];
  notes: string[];
  /** Objects asked for, bundles included. */
  visited: number;
}

/** Collects the single objects below a bundle. `above` holds the ids on the way down, against loops. */
async function walk(
  object: DrsObject,
  at: DrsTarget,
  folder: string,
  above: ReadonlySet<string>,
  state: Walk,
): Promise<void> {
  if (above.size > DEEPEST) throw loop(at, `is nested more than ${DEEPEST} deep`);
  const children = flatten(object.contents, folder, at, state);
  state.visited += children.length;
  if (state.visited > MOST_OBJECTS) throw loop(at, `holds more than ${MOST_OBJECTS} objects`);
  const resolved = await resolveChildren(children, state);
  const names = new Set<string>();
  for (const [index, child] of children.entries()) {
    const below = resolved[index];
    if (below === undefined) continue;
    let path = `${child.folder}${safeName(child.name || below.name, idOf(child.target))}`;
    if (names.has(path)) path = `${child.folder}${safeName(undefined, idOf(child.target))}`;
    names.add(path);
    if (below.contents.length > 0) {
      if (above.has(idOf(child.target))) throw loop(child.target, 'contains itself');
      await walk(below, child.target, `${path}/`, new Set([...above, idOf(child.target)]), state);
    } else {
      state.leaves.push({ path, target: child.target, object: below });
    }
  }
}

interface ChildTarget {
  folder: string;
  name: string;
  target: DrsTarget;
}

/** Children with an id, also those inside of folders that have none of their own (`contents` within `contents`). */
function flatten(contents: readonly DrsChild[], folder: string, at: DrsTarget, state: Walk): ChildTarget[] {
  return contents.flatMap((child): ChildTarget[] => {
    const target = childTarget(child, at, state.options);
    if (target !== undefined) return [{ folder, name: child.name, target }];
    if (child.contents.length > 0) {
      return flatten(child.contents, `${folder}${safeName(child.name, 'folder')}/`, at, state);
    }
    state.notes.push(`${folder}${child.name} is named in the bundle and has no address yet`);
    return [];
  });
}

function childTarget(child: DrsChild, at: DrsTarget, options: ResolveDrsOptions): DrsTarget | undefined {
  for (const uri of child.uris) {
    // `drs://dg.4DFC/some_TBD_uuid` and the like: announced, never made.
    if (/\bTBD\b|_TBD_/i.test(uri)) continue;
    try {
      return drsTarget(uri, options.archive);
    } catch (error) {
      if (!isCarrelError(error)) throw error;
    }
  }
  return child.id === undefined ? undefined : { endpoint: at.endpoint, id: child.id, own: at.own };
}

async function resolveChildren(children: readonly ChildTarget[], state: Walk): Promise<DrsObject[]> {
  const bulk = new Map<string, Map<string, DrsObject>>();
  const endpoints = [...new Set(children.flatMap(({ target }) => target.endpoint ?? []))];
  for (const endpoint of endpoints) {
    const ids = children.filter(({ target }) => target.endpoint === endpoint).map(({ target }) => target.id);
    if (ids.length >= BULK_FROM) bulk.set(endpoint, await state.client.objects(endpoint, ids));
  }
  const objects: DrsObject[] = [];
  await inParallel(children, async ({ target }, index) => {
    const known = bulk.get(target.endpoint ?? '')?.get(target.id);
    objects[index] = known ?? (await fetchObject(target, state.client));
  });
  return objects;
}

async function inParallel<T>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) await work(item, index);
  };
  await Promise.all(Array.from({ length: Math.min(JOBS, items.length) }, worker));
}

function loop(target: DrsTarget, what: string): CarrelError {
  return new CarrelError('bad-input', `the bundle ${target.id} ${what}`, {
    item: target.id,
    next: 'tell the operator of its DRS host',
  });
}

function idOf(target: DrsTarget): string {
  return target.uuid ?? target.id;
}

/** A name that is one part of a path. DRS allows `[A-Za-z0-9.-_]`; hosts send what they have. */
function safeName(name: string | undefined, fallback: string): string {
  const wanted =
    name === undefined || name === '' ? (fallback.split('/').pop() ?? '') : name.replace(/\/+$/, '');
  const safe = wanted.replace(/[^\p{L}\p{N}._ -]/gu, '_');
  return safe === '' || /^\.+$/.test(safe) ? '_' : safe;
}
