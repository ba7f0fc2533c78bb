/** Local names for the files of a package: safe on every disk, one for each; what cannot have one is refused by its name. */
import { createHash } from 'node:crypto';
import type { NamePolicy } from '../../cohort/index.ts';
import { CarrelError, isCarrelError } from '../../errors.ts';
import { checkPlan, safeSegment } from '../../transfer/index.ts';
import type { PackageLayout } from './package-layout.ts';

/** A file that gets a name. */
export interface Nameable {
  path: string;
  /** As in `PackageEntry`. */
  refused?: string | undefined;
}

/** A path on one line, whatever it holds. */
export function shownPath(path: string): string {
  return JSON.stringify(path).slice(1, -1).replaceAll('\\"', '"').replaceAll('\\\\', '\\');
}

/** A file that will not be fetched, and why. */
export interface RefusedFile {
  path: string;
  error: CarrelError;
}

/**
 * Gives every file its name below the destination. With `strict`, a name that hurts a file system, or that differs from
 * another by capitals or Unicode form alone, is refused; with `escape` it is made safe and told apart. What would lead out of the
 * package or holds control characters is refused always.
 *
 * @param options.taken names of other packages of this run, folded; those of this one are added
 * @throws CarrelError `unsafe` where the layout itself gives two files one name
 */
export function nameFiles<File extends Nameable>(
  files: readonly File[],
  options: { layout: PackageLayout; names: NamePolicy; taken?: Set<string> | undefined },
): { named: (File & { local: string })[]; refused: RefusedFile[] } {
  const { layout, names, taken = new Set<string>() } = options;
  const refused: RefusedFile[] = [];
  const named: (File & { local: string })[] = [];
  const known = new Map<string, string | CarrelError>();
  for (const file of files) {
    const local = file.refused === undefined ? localOf(file.path, layout, names, known) : hostile(file);
    if (typeof local === 'string') named.push({ ...file, local });
    else refused.push({ path: file.path, error: local });
  }
  const apart = names === 'escape' ? tellApart(named) : named;
  const good = withoutCollisions(apart, taken, layout, refused);
  return { named: good, refused };
}

function hostile({ path, refused }: Nameable): CarrelError {
  return new CarrelError('unsafe', `${shownPath(path)}: refused, for it ${refused ?? 'is hostile'}`, {
    item: path,
    next: 'no client can fetch it safely; tell the archive',
  });
}

function localOf(
  path: string,
  layout: PackageLayout,
  names: NamePolicy,
  known: Map<string, string | CarrelError>,
): string | CarrelError {
  const segments: string[] = [];
  for (const { text, own } of layout.place(path)) {
    const safe = own ? (known.get(text) ?? settle(text, names)) : text;
    if (own) known.set(text, safe);
    if (typeof safe !== 'string') return refusal(path, safe);
    segments.push(safe);
  }
  const local = segments.join('/');
  const fault = faultOf(local);
  return fault === undefined ? local : refusal(path, fault);
}

/** A segment of a path of the package as it may stand on disk, or what is wrong with it. */
function settle(segment: string, names: NamePolicy): string | CarrelError {
  const fault = faultOf(`_/${segment}`);
  if (fault === undefined) return segment;
  return names === 'escape' ? safeSegment(segment) : fault;
}

function faultOf(path: string): CarrelError | undefined {
  try {
    checkPlan([{ path, digests: [], sources: [] }]);
    return undefined;
  } catch (error) {
    if (!isCarrelError(error, 'unsafe')) throw error;
    return error;
  }
}

function refusal(path: string, { message }: CarrelError): CarrelError {
  const reason = message.slice(message.lastIndexOf('": ') + 3);
  return new CarrelError('unsafe', `${shownPath(path)}: refused, for ${reason}`, {
    item: path,
    next: '--names escape fetches it under a safe name',
  });
}

/** Names that some file system takes for the same. */
export function foldName(path: string): string {
  return path.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');
}

function groups<File extends { local: string }>(files: readonly File[]): File[][] {
  const byName = new Map<string, File[]>();
  for (const file of files) {
    const key = foldName(file.local);
    const known = byName.get(key);
    if (known === undefined) byName.set(key, [file]);
    else known.push(file);
  }
  return [...byName.values()].filter((group) => group.length > 1);
}

/** Names that differ too little get a part of the hash of their path before the ending. */
function tellApart<File extends Nameable & { local: string }>(files: readonly File[]): File[] {
  const close = new Set(groups(files).flat());
  if (close.size === 0) return [...files];
  return files.map((file) => {
    if (!close.has(file)) return file;
    const hash = createHash('sha256').update(file.path).digest('hex').slice(0, 10);
    return { ...file, local: file.local.replace(/(\.[^./]{1,10})?$/, (ending) => `_${hash}${ending}`) };
  });
}

function withoutCollisions<File extends Nameable & { local: string }>(
  files: readonly File[],
  taken: Set<string>,
  layout: PackageLayout,
  refused: RefusedFile[],
): File[] {
  const folders = new Set<string>();
  for (const { local } of files)
    for (let at = local.lastIndexOf('/'); at > 0; at = local.lastIndexOf('/', at - 1)) {
      const folder = foldName(local.slice(0, at));
      if (folders.has(folder)) break;
      folders.add(folder);
    }
  const clash = new Map<File, string>();
  for (const group of groups(files)) {
    const [first, second] = group;
    if (first !== undefined && first.local === second?.local)
      throw sameName(first, second, group.length, layout);
    for (const file of group) {
      const other = group.find((one) => one !== file);
      clash.set(
        file,
        `its name differs from ${JSON.stringify(other?.path)} by capitals or Unicode form alone`,
      );
    }
  }
  return files.filter((file) => {
    const key = foldName(file.local);
    const reason =
      clash.get(file) ??
      (folders.has(key) ? 'it has the name of a folder of the package' : undefined) ??
      (taken.has(key) ? 'another package of this run has a file of this name' : undefined);
    if (reason === undefined) {
      taken.add(key);
      return true;
    }
    const error = new CarrelError('unsafe', `${shownPath(file.path)}: refused, for ${reason}`, {
      item: file.path,
      next: taken.has(key) ? 'fetch it into a folder of its own' : '--names escape tells them apart',
    });
    refused.push({ path: file.path, error });
    return false;
  });
}

function sameName(a: Nameable, b: Nameable, count: number, { text }: PackageLayout): CarrelError {
  return new CarrelError(
    'unsafe',
    `the layout ${JSON.stringify(text)} gives ${count} files one name: ${JSON.stringify(a.path)}, ${JSON.stringify(b.path)}`,
    { item: a.path, next: 'add {dir} to the layout, or use {path}' },
  );
}
