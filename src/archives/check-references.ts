/** What a schema cannot say of a record: names that must exist, names that must be unique, templates. */
import type { ParsedRecord } from './record.ts';

/** Faults as `field: message`; empty for a sound record. */
export function checkReferences(record: ParsedRecord): string[] {
  const mirrors = new Set(record.mirrors.map(({ name }) => name));
  const known = (field: string, mirror: string) =>
    mirrors.has(mirror)
      ? []
      : [`${field}: no mirror is called "${mirror}" (known: ${[...mirrors].join(', ')})`];
  return [
    ...repeated(
      'mirrors',
      record.mirrors.map(({ name }) => name),
      'name',
    ),
    ...repeated(
      'bucketClasses',
      record.bucketClasses.map(({ name }) => name),
      'name',
    ),
    ...repeated(
      'viewers',
      record.viewers.map(({ name }) => name),
      'name',
    ),
    ...checkBuckets(record, known),
    ...checkCatalog(record, known),
  ];
}

type KnownMirror = (field: string, mirror: string) => string[];

function checkBuckets(record: ParsedRecord, known: KnownMirror): string[] {
  const faults: string[] = [];
  const owner = new Map<string, string>();
  record.bucketClasses.forEach((bucketClass, i) => {
    const at = `bucketClasses[${i}]`;
    if (Object.keys(bucketClass.buckets).length === 0)
      faults.push(`${at}.buckets: must name at least one bucket`);
    const named = [
      ...Object.entries(bucketClass.buckets).map(([mirror, bucket]) => ({
        field: `${at}.buckets.${mirror}`,
        mirror,
        bucket,
      })),
      ...bucketClass.historical.map(({ mirror, bucket }, j) => ({
        field: `${at}.historical[${j}]`,
        mirror,
        bucket,
      })),
    ];
    for (const { field, mirror, bucket } of named) {
      faults.push(...known(field, mirror));
      if (bucket.includes('..')) faults.push(`${field}: a bucket name must not hold ".."`);
      const other = owner.get(bucket);
      if (other !== undefined && other !== bucketClass.name) {
        faults.push(`${field}: the bucket "${bucket}" belongs to the class "${other}" already`);
      }
      owner.set(bucket, bucketClass.name);
    }
  });
  return faults;
}

function checkCatalog({ catalog }: ParsedRecord, known: KnownMirror): string[] {
  const { releasePrefix, versions, sources, tables } = catalog;
  const faults = [
    ...repeated(
      'catalog.versions',
      versions.map(({ version }) => version),
      'version',
    ),
    ...repeated(
      'catalog.tables',
      tables.map(({ name }) => name.toLowerCase()),
      'name',
    ),
    ...repeated(
      'catalog.tables',
      tables.map(({ file }) => file),
      'file',
    ),
    ...Object.entries(catalog.bucketColumns).flatMap(([column, mirror]) =>
      known(`catalog.bucketColumns.${column}`, mirror),
    ),
  ];
  versions.forEach(({ release }, i) => {
    const number = release.startsWith(releasePrefix) ? release.slice(releasePrefix.length) : '';
    if (!/^[1-9][0-9]{0,8}$/.test(number)) {
      faults.push(
        `catalog.versions[${i}].release: must be "${releasePrefix}" and a number, such as "${releasePrefix}1"`,
      );
    }
  });
  sources.forEach(({ kind, url }, i) => {
    if (kind !== 'wheel' && !url.includes('{file}'))
      faults.push(`catalog.sources[${i}].url: must hold {file}`);
    if (versions.length > 1 && !url.includes('{version}'))
      faults.push(`catalog.sources[${i}].url: must hold {version}`);
  });
  if (tables.length > 0 && !tables.some(({ name, core }) => name === 'index' && core)) {
    faults.push('catalog.tables: must hold a core table called "index", with one row per series');
  }
  return faults;
}

/** `mirrors[2].name: "aws" stands here twice` */
function repeated(list: string, values: string[], key: string): string[] {
  return values.flatMap((value, i) =>
    values.indexOf(value) < i ? [`${list}[${i}].${key}: "${value}" stands there twice`] : [],
  );
}
