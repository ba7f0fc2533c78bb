/** Under which names a listed file may stand on a disk. */
import { safeSegment } from '../../transfer/index.ts';

const ASCII = /^[\0-\x7f]*$/;

/** What ascp replaces with `_` where the file system does not take it. */
const ILLEGAL = /[\p{Cc}<>:"\\|?*]/gu;

/**
 * Names for one path, the likeliest first: as listed; composed (macOS decomposes what it stores, Linux keeps what it gets, so
 * both sides are compared composed); under a name that Carrel made safe; under one that ascp made; with the separators of
 * Windows; without the blanks or the sign that another form of list would have had there. All in NFC.
 */
export function formsOf(path: string): string[] {
  const composed = path.normalize('NFC');
  const forms = new Set([composed]);
  // The hash in a safe name is that of the name as the package has it.
  const spellings = ASCII.test(path) ? [path] : [path, composed, path.normalize('NFD')];
  for (const one of spellings) forms.add(one.split('/').map(safeSegment).join('/'));
  forms.add(composed.replace(ILLEGAL, '_'));
  forms.add(composed.replaceAll('\\', '/'));
  forms.add(composed.trim());
  forms.add(composed.replace(/^[ *]+/, ''));
  forms.delete('');
  return [...forms];
}

/** Finds files by any of the names that they may have. */
export interface LocalIndex {
  /** Sorted. */
  readonly files: readonly string[];
  /** The file on disk for a path; undefined where none has any of its names. */
  find(path: string): string | undefined;
  /** The file with exactly this name, up to composition. */
  exact(path: string): string | undefined;
}

/** Indexes the files of a folder. */
export function indexFiles(files: readonly string[]): LocalIndex {
  const names = new Set(files);
  const composed = new Map<string, string>();
  for (const file of files) {
    const key = file.normalize('NFC');
    if (!composed.has(key)) composed.set(key, file);
  }
  const exact = (path: string) => (names.has(path) ? path : composed.get(path.normalize('NFC')));
  return {
    files,
    exact,
    find(path) {
      const found = exact(path);
      if (found !== undefined) return found;
      for (const form of formsOf(path)) {
        const other = composed.get(form);
        if (other !== undefined) return other;
      }
      return undefined;
    },
  };
}
