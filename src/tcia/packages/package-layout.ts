/** Where the files of a package come to stand below the destination: the template of `--layout`. */
import { CarrelError } from '../../errors.ts';
import { safeSegment } from '../../transfer/index.ts';

/** The default: as in the package, in a folder of its own. */
export const PACKAGE_LAYOUT = '{package}/{path}';

/** What a template may name beside `{path}`, `{dir}` and `{file}`, which are of the file. */
export interface LayoutValues {
  /** Name of the package: of its data set where that is known, else its title. */
  package: string;
  collection?: string | undefined;
  version?: string | undefined;
}

/** A template, made ready. */
export interface PackageLayout {
  text: string;
  /** Segments of the name for a path of a package; those of the path as they are, the others safe. */
  place: (path: string) => LayoutSegment[];
}

/** One segment of a name; `own`: as the package has it. */
export interface LayoutSegment {
  text: string;
  own: boolean;
}

const OF_FILE = ['path', 'dir', 'file'];
const OF_PACKAGE = ['package', 'collection', 'version'] as const;

/**
 * Reads a template.
 *
 * @throws CarrelError `usage` for names that it does not know, for `{path}` or `{dir}` that is not a whole segment, where it has
 *   neither `{path}` nor `{file}`, and for a value that is not known of this package
 */
export function readPackageLayout(text: string, values: LayoutValues): PackageLayout {
  const fail = (message: string): CarrelError =>
    new CarrelError('usage', `the layout ${JSON.stringify(text)} ${message}`, {
      item: text,
      next: `write it of ${[...OF_PACKAGE, ...OF_FILE].map((name) => `{${name}}`).join(', ')}; the default is ${PACKAGE_LAYOUT}`,
    });
  const segments = text.split('/').filter((segment) => segment !== '');
  if (text.startsWith('/') || segments.some((segment) => segment === '.' || segment === '..'))
    throw fail('leaves the destination');
  const named = [...text.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name);
  if (/[{}]/.test(text.replaceAll(/\{[^{}]*\}/g, ''))) throw fail('has a brace without its other half');
  for (const name of named) {
    if (!OF_FILE.includes(name) && !OF_PACKAGE.some((known) => known === name))
      throw fail(`names {${name}}, which packages do not have`);
  }
  if (!named.includes('path') && !named.includes('file')) throw fail('gives every file the same name');
  const fixed = segments.map((segment) => {
    if (segment === '{path}' || segment === '{dir}') return segment;
    if (/\{(?:path|dir)\}/.test(segment))
      throw fail('has {path} or {dir} beside other text: they are segments of their own');
    return segment.replaceAll(/\{(package|collection|version)\}/g, (_, name: (typeof OF_PACKAGE)[number]) => {
      const value = values[name];
      if (value === undefined) throw fail(`names {${name}}, and the link alone does not tell it`);
      return value;
    });
  });
  return {
    text,
    place(path) {
      const names = path.split('/');
      const file = names.at(-1) ?? path;
      return fixed.flatMap((segment): LayoutSegment[] => {
        if (segment === '{path}') return names.map((name) => ({ text: name, own: true }));
        if (segment === '{dir}') return names.slice(0, -1).map((name) => ({ text: name, own: true }));
        if (segment === '{file}') return [{ text: file, own: true }];
        return [{ text: safeSegment(segment.replaceAll('{file}', file)), own: false }];
      });
    },
  };
}
