/** The content of packages for tests: bytes in a folder, and the lines that the server lists for them. */
import { createHash } from 'node:crypto';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ServedEntry } from './faspex-packages.ts';

/** A file of a package, with its bytes. */
export interface PackageFile {
  /** Below the root. A path that no folder can hold (`..`, an absolute one) has its bytes beside the package. */
  path: string;
  content: string | Uint8Array;
  /**
   * Listed as a symbolic link, as most files of TCIA are: `true` with a target, whose folder is misspelt the way one of
   * TCIA's is; `bare` without a word about the target; `unsized` with a target, and no size anywhere.
   */
  link?: true | 'bare' | 'unsized' | undefined;
  /** Path in the listing in place of where it lies. */
  shown?: string | undefined;
}

/** Options of `layOutPackage`. */
export interface LayOutOptions {
  /** Name of a file of MD5 sums at the root, such as `HER2_v3.sums`; it does not list itself. */
  sums?: string | undefined;
  mtime?: string | undefined;
}

/** Writes the bytes below the folder, which is made; the answer is what the server lists. */
export async function layOutPackage(
  folder: string,
  files: readonly PackageFile[],
  options: LayOutOptions = {},
): Promise<ServedEntry[]> {
  const { sums, mtime = '2024-03-23T21:07:20Z' } = options;
  const entries: ServedEntry[] = [];
  const lines: string[] = [];
  const all = [...files];
  for (const [index, { path, content, link, shown }] of all.entries()) {
    const bytes = Buffer.from(content as Uint8Array);
    const disk = isPlain(path) ? join(folder, path) : join(`${folder}.odd`, String(index));
    await mkdir(dirname(disk), { recursive: true });
    await writeFile(disk, bytes);
    await utimes(disk, new Date(mtime), new Date(mtime));
    lines.push(`${createHash('md5').update(bytes).digest('hex')} ${path}\n`);
    const size = link === 'bare' || link === 'unsized' ? null : bytes.length;
    const target = {
      path: `/pathology/pkg_v3/${path.replace('response', 'rsponse')}`,
      type: 'file',
      size,
    } as const;
    entries.push({
      path,
      disk,
      mtime,
      size,
      ...(shown === undefined ? {} : { shown }),
      ...(link === undefined ? {} : { type: 'symbolic_link' }),
      ...(link === true || link === 'unsized' ? { target } : {}),
    });
  }
  if (sums !== undefined) {
    const text = lines.join('');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, sums), text);
    entries.push({ path: sums, disk: join(folder, sums), size: Buffer.byteLength(text), mtime });
  }
  return entries;
}

function isPlain(path: string): boolean {
  const names = path.split('/');
  return !/\p{Cc}/u.test(path) && names.every((name) => name !== '' && name !== '.' && name !== '..');
}

/** Lines of many files without bytes: `<folder>/f000000.svs`, evenly over so many folders. */
export function* manyFiles(count: number, folders = 1): Generator<ServedEntry> {
  for (let index = 0; index < count; index += 1) {
    const folder = folders === 0 ? '' : `folder ${String(index % folders).padStart(3, '0')}/`;
    yield {
      path: `${folder}f${String(index).padStart(6, '0')}.svs`,
      size: index,
      mtime: '2024-03-23T21:07:20Z',
    };
  }
}
