/** Rows of `carrel tcia browse`. */
import type { Digest } from '../../identifiers/index.ts';
import type { PackageEntry } from '../../tcia/index.ts';
import { formatBytes } from './text.ts';

/** One flat schema for every listing, whatever is in it. Columns may be added, never renamed. */
export const COLUMNS = [
  { name: 'package', type: 'VARCHAR' },
  { name: 'path', type: 'VARCHAR' },
  { name: 'name', type: 'VARCHAR' },
  { name: 'kind', type: 'VARCHAR' },
  { name: 'bytes', type: 'BIGINT' },
  { name: 'modified', type: 'VARCHAR' },
  { name: 'link', type: 'BOOLEAN' },
  { name: 'target', type: 'VARCHAR' },
  { name: 'refused', type: 'VARCHAR' },
  { name: 'digest', type: 'VARCHAR' },
] as const;

/** What people see. */
export const TABLE = ['kind', 'size', 'modified', 'path'];

/** A link is what it points to; where nobody says what that is, it is fetched like a file and called a link. */
export function kindOf({ kind, targetKind }: PackageEntry): 'file' | 'folder' | 'link' {
  return kind === 'link' ? (targetKind ?? 'link') : kind;
}

function nameOf({ path }: PackageEntry): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** A row of any format. */
export function rowOf(packageId: string, entry: PackageEntry, digest: Digest | undefined): unknown[] {
  const { path, kind, size, modified, target, refused } = entry;
  const values = [
    packageId,
    path,
    nameOf(entry),
    kindOf(entry),
    size,
    modified,
    kind === 'link',
    target,
    refused,
    digest,
  ];
  return values.map((value) => value ?? null);
}

/** A row for people. */
export function lineOf(entry: PackageEntry): unknown[] {
  const { path, size, modified } = entry;
  const kind = kindOf(entry);
  return [
    kind,
    kind === 'folder' ? '' : formatBytes(size),
    (modified ?? '').replace('T', ' ').slice(0, 19),
    kind === 'folder' ? `${path}/` : path,
  ];
}
