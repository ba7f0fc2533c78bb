/** A line of a listing of a Faspex package. */

/** A file, folder or link of a package. */
export interface PackageEntry {
  /** Below the root of the package, with `/` between names and none at the ends: `Yale_HER2_cohort/SVS/a b.svs`. */
  path: string;
  /**
   * `link`: a symbolic link on the server. Most of TCIA's content is links to files; they are fetched like files.
   * What a link points to is in `targetKind`, where the server says so.
   */
  kind: 'file' | 'folder' | 'link';
  targetKind?: 'file' | 'folder' | undefined;
  /** Bytes (of the target of a link); undefined where the server does not say. */
  size?: number | undefined;
  /** ISO 8601, as the server has it. */
  modified?: string | undefined;
  /** Of a link: where it points on the server. Tells of the server's disks; never a name for a local file. */
  target?: string | undefined;
  /**
   * Why this name is never asked for nor written to a disk: it would lead out of the package, or holds characters that
   * no list of files can hold. In words: `holds a control character`.
   */
  refused?: string | undefined;
}
