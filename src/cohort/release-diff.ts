/** A comparison of releases with rows by name. */
import { type Change, DIFF_COLUMNS, type Diff, type OpenDiff } from '../catalog/index.ts';

/** A series in a comparison. What is only on one side is null on the other. */
export interface DiffRow {
  change: Change;
  collection_id: string | null;
  PatientID: string | null;
  StudyInstanceUID: string | null;
  SeriesInstanceUID: string;
  Modality: string | null;
  uuid_before: string | null;
  uuid_after: string | null;
  bytes_before: number | null;
  bytes_after: number | null;
  files_before: number | null;
  files_after: number | null;
  collection_before: string | null;
  collection_after: string | null;
  bucket_before: string | null;
  bucket_after: string | null;
  license_before: string | null;
  license_after: string | null;
}

/** The comparison; its rows can be read as long as it is open. */
export interface ReleaseDiff extends Diff, AsyncDisposable {
  /** Series by what became of them; default: all but the unchanged ones. */
  rows(options?: {
    changes?: readonly Change[] | undefined;
    limit?: number | undefined;
  }): AsyncIterable<DiffRow>;
  close(): void;
}

/** The changes that are told where nobody says which. */
const TOLD: readonly Change[] = ['added', 'removed', 'revised', 'moved'];

/** Gives an open comparison its typed rows. */
export function createReleaseDiff(opened: OpenDiff): ReleaseDiff {
  const { from, to, changes, relicensed, bytesRounded, by, instances, notes } = opened;
  const close = () => opened.close();
  return {
    from,
    to,
    changes,
    relicensed,
    bytesRounded,
    by,
    instances,
    notes,
    async *rows({ changes: wanted = TOLD, limit } = {}) {
      for await (const piece of opened.list({ changes: wanted, limit })) {
        for (const values of piece)
          yield Object.fromEntries(DIFF_COLUMNS.map((name, at) => [name, values[at]])) as unknown as DiffRow;
      }
    },
    close,
    async [Symbol.asyncDispose]() {
      close();
    },
  };
}
