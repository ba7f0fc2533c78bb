/** `--include` and `--exclude`: what of the matches is wanted. As in s5cmd an exclusion wins, whatever the order. */
import { CarrelError } from '../errors.ts';
import { compileGlob, type GlobLanguage } from './glob.ts';

/** Patterns over names below the fixed part of a source. */
export interface NameFilters {
  include?: readonly string[] | undefined;
  exclude?: readonly string[] | undefined;
}

/** A test for names; true for everything where there are no patterns. */
export function nameFilter(filters: NameFilters, language: GlobLanguage): (name: string) => boolean {
  const compile = (patterns: readonly string[] = []) =>
    patterns.map((pattern) => compileGlob(pattern, language).matches);
  const [include, exclude] = [compile(filters.include), compile(filters.exclude)];
  return (name) =>
    !exclude.some((matches) => matches(name)) &&
    (include.length === 0 || include.some((matches) => matches(name)));
}

/** True where a pattern chooses among the matches. */
export function isFiltered({ include = [], exclude = [] }: NameFilters): boolean {
  return include.length + exclude.length > 0;
}

/** The error of a source that holds something, and nothing that is wanted. */
export function nothingLeft(source: string): CarrelError {
  return new CarrelError('not-found', `${source}: --include and --exclude leave nothing of it`, {
    item: source,
    next: 'they match whole names below the fixed part of the address, as carrel ls shows them',
  });
}
