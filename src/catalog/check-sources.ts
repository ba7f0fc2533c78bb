/** What sources must agree on before anything of them is installed: the package, and the version. */
import type { Archive } from '../archives/index.ts';
import { CarrelError } from '../errors.ts';
import { packageName } from './pip-wheel.ts';
import type { Source } from './sources.ts';

/** A wheel of another package may hold Parquet files too, and a table called `index` is soon found among them. */
export function mustBePackageOf(archive: Archive, source: Source): void {
  const expected = packageName(archive);
  const same = (name: string) => name.replaceAll(/[-_.]+/g, '-').toLowerCase();
  if (source.package === undefined || expected === undefined || same(source.package) === same(expected))
    return;
  throw new CarrelError(
    'bad-input',
    `${source.name} is the package ${source.package}; the tables of ${archive.name} are in ${expected}`,
    {
      item: source.name,
      next: `pip download --no-deps ${expected}; or unpack the file and give its folder, if its tables are meant`,
    },
  );
}

/** The version that the options, the file names and the tables name; they must agree. */
export function agreedVersion(
  options: { sources: string[]; version?: string | undefined },
  sources: Source[],
  builtFrom: string | undefined,
): string {
  const claims = [options.version, ...sources.map(({ version }) => version), builtFrom?.split('-')[0]];
  const versions = [...new Set(claims.filter((claim) => claim !== undefined))];
  const [version] = versions;
  if (version === undefined) {
    throw new CarrelError('bad-input', 'the files do not say which version of the catalogue they are', {
      item: options.sources.join(', '),
      next: 'add --version, for example --version 25.0.5',
    });
  }
  if (versions.length > 1) {
    throw new CarrelError('bad-input', `the files are of different versions: ${versions.join(', ')}`, {
      item: options.sources.join(', '),
      next: 'install each version by itself',
    });
  }
  return version;
}
