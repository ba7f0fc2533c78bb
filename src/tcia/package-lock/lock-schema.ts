/**
 * The shape of `carrel.lock.tcia.json`: packages pinned to their files. The one source of the reader and of the published JSON
 * Schema (`docs/tcia-lock.schema.json`, written by `scripts/write-tcia-lock-schema.ts`).
 */
import * as v from 'valibot';

/** The version of the format that this build writes and reads. */
export const PACKAGE_LOCK_VERSION = 1;

const text = v.pipe(v.string(), v.minLength(1));
const nullableText = v.nullable(text);

const relativePath = v.pipe(text, v.regex(/^[^/\0][^\0]*$/, 'must be a relative path with /'));

const digest = v.pipe(
  v.string(),
  v.regex(
    /^(md5:[0-9a-f]{32}|sha256:[0-9a-f]{64})$/,
    'must be md5:<32 hex> or sha256:<64 hex> in lower case',
  ),
  v.description('Digest of the whole file, algorithm:hex'),
);

const file = v.object({
  path: v.pipe(relativePath, v.description('In the package, as its server names it')),
  local: v.pipe(
    relativePath,
    v.regex(/^[^\\]*$/, 'must be without backslashes'),
    v.description('Below the folder of the lock file, with /'),
  ),
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.description('Bytes on disk')),
  digests: v.pipe(
    v.array(digest),
    v.description('Sorted; of the list of the package, or of the bytes on disk'),
  ),
  evidence: v.pipe(
    v.picklist(['sums', 'size', 'own', 'none']),
    v.description(
      'What of the package the file was proven by: sums, its list of digests; size, its listing; own or none, nothing. Unless it is sums, digests are those of the bytes that came; none: there are none',
    ),
  ),
});

const lockedPackage = v.object({
  host: v.pipe(text, v.description('Server of Faspex, without scheme')),
  package_id: text,
  package_uuid: nullableText,
  title: nullableText,
  collection: v.nullable(
    v.object({
      slug: v.pipe(text, v.description('Name of the collection or analysis result at TCIA')),
      version: v.pipe(nullableText, v.description('Version of the collection when this was fetched')),
      doi: nullableText,
      download: v.optional(
        v.pipe(
          v.number(),
          v.safeInteger(),
          v.description('Id of the download that leads to the package, where it was named by its collection'),
        ),
      ),
    }),
  ),
  layout: v.optional(
    v.pipe(text, v.description('Template of the local names, where all files have them of one')),
  ),
  names: v.optional(
    v.pipe(v.picklist(['strict', 'escape']), v.description('How names that hurt a file system were taken')),
  ),
  question: v.pipe(
    v.object({
      paths: v.array(v.string()),
      include: v.array(v.string()),
      exclude: v.array(v.string()),
    }),
    v.description('What was asked for; the whole package where all three are empty. Sorted'),
  ),
  files: v.pipe(v.array(file), v.description('Sorted by path')),
});

const lockedDownload = v.object({
  collection: v.object({ slug: text, version: nullableText, doi: nullableText }),
  download: v.pipe(v.number(), v.safeInteger(), v.description('Id of the download at TCIA')),
  title: text,
  kind: v.pipe(text, v.description('pathdb: slides one by one; else a file of the web site')),
  files: v.pipe(
    v.array(
      v.object({
        ...file.entries,
        etag: v.pipe(nullableText, v.description('As its server said, without quotes')),
        modified: v.pipe(nullableText, v.description('Last-Modified, RFC 3339')),
      }),
    ),
    v.description('Sorted by path, which is the name that the service gives'),
  ),
});

/** The lock file of packages, version 1. Unknown members are ignored: members may be added, never renamed. */
export const packageLockSchema = v.pipe(
  v.object({
    carrel_tcia_lock: v.pipe(v.literal(PACKAGE_LOCK_VERSION), v.description('Version of this format')),
    packages: v.pipe(v.array(lockedPackage), v.description('Sorted by host and package_id')),
    downloads: v.optional(
      v.pipe(
        v.array(lockedDownload),
        v.description('What came over HTTPS and is no package; sorted by collection and download'),
      ),
    ),
  }),
  v.title('carrel.lock.tcia.json'),
  v.description(
    'Packages of TCIA pinned to their files. Sorted, without times, paths of the machine and secrets: no passcode, no link.',
  ),
);
