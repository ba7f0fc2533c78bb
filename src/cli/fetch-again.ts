/** The commands that bring back what `carrel verify` found wrong or missing: whole, quoted, to be typed as they stand. */
import { DEFAULT_LAYOUT } from '../cohort/index.ts';
import {
  type FetchAgain,
  type LockedDownload,
  type LockedPackage,
  type LockedPackageFile,
  nbiaSeriesAgain,
  PACKAGE_LAYOUT,
  type PackageLock,
  packagePathOf,
  splitWords,
} from '../tcia/index.ts';
import type { VerifyReport } from '../transfer/index.ts';
import { formatCount } from './output/text.ts';
import { shellWord } from './shell-word.ts';

/** Files that are named one by one; more are fetched by what was asked for, where what is right does not come again. */
const MOST_NAMED = 12;

/** Series that one command names. */
const MOST_SERIES = 50;

/** What stands for a link: it lets anybody in, so that nothing here ever has it. */
const LINK = '"$LINK"';

/** A command, and what has to be known to use it. */
export interface NextCommand {
  command: string;
  about?: string | undefined;
}

/** Where files are wrong. */
export type WrongFiles = Pick<VerifyReport, 'missing' | 'mismatched' | 'unverifiable'>;

/**
 * Per package of the lock file, what fetches its wrong files again, to the same names.
 *
 * @param where the destination as it is typed
 */
export function packagesAgain(
  { packages, downloads = [] }: PackageLock,
  { missing, mismatched, unverifiable }: WrongFiles,
  where: string,
): NextCommand[] {
  const there = new Set([...mismatched, ...unverifiable].map(({ path }) => path));
  const wrong = new Set([...missing, ...there]);
  const ofPackages = packages.flatMap((one) => {
    const files = one.files.filter(({ local }) => wrong.has(local));
    if (files.length === 0) return [];
    const recheck = files.some(({ local }) => there.has(local)) ? ['--recheck'] : [];
    const name = nameOf(one);
    const words = [
      name,
      ...choiceOf(one, files),
      ...(one.collection?.download === undefined || name === LINK
        ? []
        : ['--download', String(one.collection.download)]),
      ...layoutWords(layoutOf(one, files)),
      ...(one.names === 'escape' ? ['--names', 'escape'] : []),
      ...recheck,
    ];
    const title = one.title === null ? '' : `, ${JSON.stringify(one.title)}`;
    const about =
      name === LINK ? `LINK is the link to package ${one.package_id} of ${one.host}${title}` : undefined;
    return [commandOf('carrel tcia get', words, where, about)];
  });
  return [...ofPackages, ...downloads.flatMap((one) => downloadAgain(one, wrong, there, where))];
}

/** Slides of PathDB and files of the web site. */
function downloadAgain(
  { collection, download, kind, files: all }: LockedDownload,
  wrong: ReadonlySet<string>,
  there: ReadonlySet<string>,
  where: string,
): NextCommand[] {
  const files = all.filter(({ local }) => wrong.has(local));
  if (files.length === 0) return [];
  const name = nameOf({ collection });
  // A name that reads as a pattern means more than itself.
  const named = files.length <= MOST_NAMED && files.every(({ path }) => !/[*?[\]{}\\]/.test(path));
  const words = [
    name === LINK ? '"$NAME"' : name,
    `--download ${kind === 'pathdb' ? kind : download}`,
    ...(named && files.length < all.length
      ? files.flatMap(({ path }) => [shellWord(`--include=${path}`)])
      : []),
    ...(all.some(({ path, local }) => !local.endsWith(path)) ? ['--names', 'escape'] : []),
    ...(files.some(({ local }) => there.has(local)) ? ['--recheck'] : []),
  ];
  return [commandOf('carrel tcia get', words, where)];
}

/** A lock file may come from a stranger: its name of a data set must not be taken for a flag or an address. */
function nameOf({ collection }: Pick<LockedPackage, 'collection'>): string {
  return collection !== null && /^[a-z0-9][\w.-]*$/i.test(collection.slug) ? collection.slug : LINK;
}

function choiceOf({ files: all, question }: LockedPackage, files: readonly LockedPackageFile[]): string[] {
  const { paths, include, exclude } = question;
  if (files.length <= MOST_NAMED && files.length < all.length)
    return pathWords(files.map(({ path }) => path));
  return [
    ...pathWords(paths),
    ...include.flatMap((pattern) => ['--include', shellWord(pattern)]),
    ...exclude.flatMap((pattern) => ['--exclude', shellWord(pattern)]),
  ];
}

/** Paths behind a name; what could be taken for a name or a flag is told apart. */
function pathWords(paths: readonly string[]): string[] {
  return paths.map((path) => {
    const plain = path.includes('/') && !path.startsWith('-') && splitWords(['', path]).paths.length === 1;
    return plain ? shellWord(path) : shellWord(`--path=${path}`);
  });
}

/** The template that gives files their local names, as far as that can be told; undefined for the default. */
function layoutOf({ layout }: LockedPackage, files: readonly LockedPackageFile[]): string | undefined {
  if (layout !== undefined) return layout === PACKAGE_LAYOUT ? undefined : layout;
  const [first] = files;
  if (first === undefined || !`/${first.local}`.endsWith(`/${first.path}`)) return undefined;
  const folder = first.local.slice(0, -first.path.length);
  // One folder in front is what the default gives.
  return /^[^/]+\/$/.test(folder) || /[{}]/.test(folder) ? undefined : `${folder}{path}`;
}

function layoutWords(layout: string | undefined): string[] {
  return layout === undefined ? [] : ['--layout', shellWord(layout)];
}

function commandOf(command: string, words: readonly string[], where: string, about?: string): NextCommand {
  const folder = where === '.' ? [] : ['-o', shellWord(where)];
  return { command: [command, ...words, ...folder].join(' '), about };
}

/**
 * What fetches the files of a package again that only its list of checksums is known of. Nothing tells its name or its link.
 *
 * @param where the folder that was verified, as it is typed
 */
export function listedAgain(files: readonly FetchAgain[], where: string): NextCommand[] {
  const places = new Map<string, FetchAgain[]>();
  for (const file of files) {
    const known = places.get(file.mapping.add);
    if (known === undefined) places.set(file.mapping.add, [file]);
    else known.push(file);
  }
  return [...places].map(([folder, some]) => {
    const paths = some.map(({ listed, mapping }) => packagePathOf(listed, mapping));
    const words = [
      LINK,
      ...(paths.length <= MOST_NAMED ? pathWords(paths) : []),
      ...(/[{}]/.test(folder) ? [] : layoutWords(folder === '' ? '{path}' : `${folder}/{path}`)),
      ...(some.some(({ there }) => there) ? ['--recheck'] : []),
    ];
    const right = paths.length <= MOST_NAMED ? '' : '; what is here and right does not come again';
    const title = /(?:^|\/)PKG - ([^/]+)/.exec(folder)?.[1];
    const which = title === undefined ? 'the package' : `the package ${JSON.stringify(title)}`;
    const about = `LINK is the link to ${which}, or the name of its data set${right}`;
    return commandOf('carrel tcia get', words, where, about);
  });
}

/** What fetches the series again that wrong files of NBIA belong to. */
export async function nbiaAgain(
  directory: string,
  paths: readonly string[],
  where: string,
): Promise<NextCommand[]> {
  const { again, unknown } = await nbiaSeriesAgain(directory, paths);
  const known = again.flatMap(({ uids, layout }) => {
    const words = layout === DEFAULT_LAYOUT ? [] : layoutWords(layout);
    const commands: NextCommand[] = [];
    for (let at = 0; at < uids.length; at += MOST_SERIES)
      commands.push(
        commandOf('carrel get', [...uids.slice(at, at + MOST_SERIES), '--prefer nbia', ...words], where),
      );
    return commands;
  });
  if (unknown.length === 0) return known;
  const about = `MANIFEST names the series of ${formatCount(unknown.length)} files that nothing here tells the series of`;
  return [...known, commandOf('carrel get', ['"$MANIFEST"', '--nbia'], where, about)];
}
