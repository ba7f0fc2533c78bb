/**
 * From a series version to its objects, by listing its folder. The listing is the authority: it covers every version
 * that was ever released, tells sizes and digests, and needs no resolver.
 *
 * Traps: a retired series may have moved to another bucket since the table was made, so an empty folder is looked for
 * in the other classes of buckets; folders may hold `crdcobj.json` and a placeholder object named like the folder, so
 * only `<uuid>/<name>.dcm` counts; a mirror on a disk may hold a part of a series, so the count of the catalogue is
 * compared where it is known.
 */
import type { Archive, BucketClass } from '../archives/index.ts';
import { CarrelError, isCarrelError } from '../errors.ts';
import type { ObjectStat, OpenStore } from '../stores/index.ts';
import type { ObjectLocation } from './location.ts';
import { bucketClassFor, classPlaces, type From, type MirrorPlace } from './sources-for.ts';
import { standingObject } from './standing-object.ts';

/** What is needed to list one series version; a `SeriesRow` of the catalogue fits. */
export interface SeriesRef {
  crdc_series_uuid: string;
  /** Bucket by mirror, as the catalogue names it; empty or unknown: all classes are tried. */
  buckets: Readonly<Record<string, string>>;
  /** Number of files according to the catalogue, where it says. */
  instanceCount?: number | null | undefined;
}

/** Options of everything that looks into buckets. */
export interface LocateOptions {
  archive: Archive;
  openStore: OpenStore;
  /** `auto` (the default): best mirror first, the others as failover. A name: that mirror and no other. */
  from?: From | undefined;
  /** Mirror to start with where `from` is `auto`: the cloud that a URL names. */
  prefer?: string | undefined;
  signal?: AbortSignal | undefined;
  /** Failures in a row by mirror, shared between calls so that a dead mirror is not asked first every time. */
  health?: Map<string, number> | undefined;
}

/** Objects, and what the user should know about how they were found. */
export interface Located {
  locations: ObjectLocation[];
  notes: string[];
}

/** A series version that was found. */
export interface LocatedSeries extends Located {
  crdc_series_uuid: string;
  /** Class of buckets that it stands in: `open`. */
  bucketClass: string;
}

/** Failures in a row after which a mirror is asked last, and a DRS host no more. */
export const UNHEALTHY = 3;

/**
 * Lists the objects of a series version, sorted by key.
 * Throws `not-found` where every bucket answered and none holds it, `network` (or the first mirror's failure) where
 * some could not be asked, `unsupported` where no mirror can be listed, `usage` for an unknown mirror.
 */
export async function locateSeries(series: SeriesRef, options: LocateOptions): Promise<LocatedSeries> {
  const uuid = series.crdc_series_uuid.toLowerCase();
  const own = bucketClassFor(options.archive, series.buckets);
  const others = options.archive.bucketClasses.filter((bucketClass) => bucketClass !== own);
  const search = createSearch(uuid, series.instanceCount ?? undefined, options);
  if (own !== undefined) await search.tryClass(own);
  if (!search.found()) await search.tryClasses(others);
  const result = search.result();
  if (own !== undefined && result.bucketClass !== own.name) {
    result.notes.push(
      `${uuid} stands in the bucket class ${result.bucketClass}, not in ${own.name} as the catalogue says`,
    );
  }
  return result;
}

interface Hit {
  bucketClass: BucketClass;
  place: MirrorPlace;
  objects: ObjectStat[];
}

interface Search {
  tryClass(bucketClass: BucketClass): Promise<void>;
  tryClasses(classes: readonly BucketClass[]): Promise<void>;
  found(): boolean;
  result(): LocatedSeries;
}

function createSearch(uuid: string, expected: number | undefined, options: LocateOptions): Search {
  const { archive, from, prefer, signal } = options;
  const health = options.health ?? new Map<string, number>();
  let best: Hit | undefined;
  let complete = false;
  const tried: string[] = [];
  const absent = new Set<string>();
  const failures: { place: MirrorPlace; error: CarrelError }[] = [];

  async function look(bucketClass: BucketClass, place: MirrorPlace): Promise<void> {
    try {
      const objects = await listSeries(uuid, place, options);
      health.set(place.mirror, 0);
      tried.push(`${place.mirror}:${place.place.bucket}`);
      if (objects.length <= (best?.objects.length ?? 0)) {
        if (objects.length < (best?.objects.length ?? 1)) absent.add(placeKey(place));
        return;
      }
      // What held less is no source: a file that it lacks would be asked for there.
      if (best !== undefined) absent.add(placeKey(best.place));
      best = { bucketClass, place, objects };
      complete = expected === undefined || objects.length >= expected;
    } catch (error) {
      if (!isCarrelError(error) || isCarrelError(error, 'interrupted') || signal?.aborted === true)
        throw error;
      if (isCarrelError(error, 'not-found')) {
        tried.push(`${place.mirror}:${place.place.bucket}`);
        absent.add(placeKey(place));
        return;
      }
      if (isCarrelError(error, 'network')) health.set(place.mirror, (health.get(place.mirror) ?? 0) + 1);
      failures.push({ place, error });
    }
  }

  const healthyFirst = (places: MirrorPlace[]): MirrorPlace[] => {
    const isDown = ({ mirror }: MirrorPlace): boolean => (health.get(mirror) ?? 0) >= UNHEALTHY;
    return [...places.filter((place) => !isDown(place)), ...places.filter(isDown)];
  };

  return {
    found: () => best !== undefined,
    async tryClass(bucketClass) {
      for (const place of healthyFirst(classPlaces(archive, bucketClass, from, prefer))) {
        await look(bucketClass, place);
        if (complete) return;
      }
    },
    async tryClasses(classes) {
      const places = classes.flatMap((bucketClass) =>
        classPlaces(archive, bucketClass, from, prefer).map((place) => ({ bucketClass, place })),
      );
      const mirrors = [
        ...new Set(healthyFirst(places.map(({ place }) => place)).map(({ mirror }) => mirror)),
      ];
      // One mirror after the other, its buckets at once: a uuid stands in one of them.
      for (const mirror of mirrors) {
        const here = places.filter(({ place }) => place.mirror === mirror);
        await Promise.all(here.map(({ bucketClass, place }) => look(bucketClass, place)));
        if (complete) return;
      }
    },
    result() {
      if (best === undefined) throw nothingFound(uuid, tried, failures, options);
      return describe(uuid, best, { absent, failures, expected }, options);
    },
  };
}

/** Objects of the series' folder that are files of it. */
async function listSeries(uuid: string, place: MirrorPlace, options: LocateOptions): Promise<ObjectStat[]> {
  const store = options.openStore(place.place);
  const prefix = `${uuid}/`;
  const objects: ObjectStat[] = [];
  for await (const page of store.list(prefix, { signal: options.signal })) {
    for (const object of page.objects) {
      const name = object.key.slice(prefix.length);
      if (object.key.startsWith(prefix) && name.length > 4 && name.endsWith('.dcm') && !name.includes('/')) {
        objects.push(object);
      }
    }
  }
  return objects;
}

function describe(
  uuid: string,
  hit: Hit,
  seen: {
    absent: Set<string>;
    failures: { place: MirrorPlace; error: CarrelError }[];
    expected: number | undefined;
  },
  { archive, from, prefer }: LocateOptions,
): LocatedSeries {
  const notes = seen.failures.map(
    ({ place, error }) => `${place.mirror} could not be asked for ${uuid} (${error.message})`,
  );
  const { objects } = hit;
  if (seen.expected !== undefined && objects.length < seen.expected) {
    notes.push(
      `${uuid} has ${objects.length} files where the catalogue says ${seen.expected}: some may have been withdrawn`,
    );
  }
  // Where it was found comes first, where it was missed not at all; mirrors not asked hold the same keys.
  const places = [
    hit.place,
    ...classPlaces(archive, hit.bucketClass, from, prefer).filter(
      (place) => place.mirror !== hit.place.mirror && !seen.absent.has(placeKey(place)),
    ),
  ];
  const locations = objects
    .map((object) => {
      const location = standingObject(object, places);
      location.crdc_series_uuid = uuid;
      return location;
    })
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  return { crdc_series_uuid: uuid, bucketClass: hit.bucketClass.name, locations, notes };
}

function nothingFound(
  uuid: string,
  tried: readonly string[],
  failures: { place: MirrorPlace; error: CarrelError }[],
  { archive, from }: LocateOptions,
): CarrelError {
  const [failure] = failures;
  if (failure !== undefined) {
    const names = [...new Set(failures.map(({ place }) => place.mirror))].join(', ');
    return new CarrelError(
      failure.error.code,
      `${uuid} could not be looked up on ${names}: ${failure.error.message}`,
      {
        item: uuid,
        next:
          from === undefined || from === 'auto'
            ? (failure.error.next ?? 'try again later')
            : 'try --from auto, which also asks the other mirrors',
        cause: failure.error,
        retryable: failure.error.retryable,
        status: failure.error.status,
      },
    );
  }
  const elsewhere =
    from === undefined || from === 'auto' ? '' : 'the other mirrors were not asked (--from auto does); ';
  return new CarrelError('not-found', `no bucket of ${archive.name} holds the series ${uuid}`, {
    item: uuid,
    next: `looked in ${tried.length === 0 ? 'no bucket' : tried.join(', ')}; ${elsewhere}it may have been withdrawn, or be the uuid of an instance or a study`,
  });
}

function placeKey({ mirror, place }: MirrorPlace): string {
  return `${mirror} ${place.bucket}`;
}
