/** Planned files that take what they are from their location: a million of them hold no lists of their own. */
import type { Digest } from '../identifiers/index.ts';
import type { ObjectLocation, Source } from '../locations/index.ts';
import type { CohortFile } from './plan-cohort.ts';
import type { CohortSeries } from './question.ts';

class PlannedObject implements CohortFile {
  path: string;
  size: number | undefined;
  key: string;
  series: CohortSeries | undefined;
  declare digests: Digest[];
  declare sources: Source[];
  #location: ObjectLocation;

  constructor(path: string, location: ObjectLocation, series: CohortSeries | undefined) {
    this.path = path;
    this.size = location.size;
    this.key = location.key;
    this.series = series;
    this.#location = location;
    Object.defineProperty(this, 'digests', DIGESTS);
    Object.defineProperty(this, 'sources', SOURCES);
  }

  static locationOf(file: PlannedObject): ObjectLocation {
    return file.#location;
  }
}

// One descriptor for all of them: V8 then keeps it with the shape, and not with each file.
const DIGESTS: PropertyDescriptor & ThisType<PlannedObject> = {
  enumerable: true,
  configurable: true,
  get() {
    return PlannedObject.locationOf(this).digests;
  },
};
const SOURCES: PropertyDescriptor & ThisType<PlannedObject> = {
  enumerable: true,
  configurable: true,
  get() {
    return PlannedObject.locationOf(this).sources;
  },
};

/** A file of the cohort under this path. Its lists are those of the location, read when they are asked for. */
export function plannedObject(
  path: string,
  location: ObjectLocation,
  series: CohortSeries | undefined,
): CohortFile {
  return new PlannedObject(path, location, series);
}
