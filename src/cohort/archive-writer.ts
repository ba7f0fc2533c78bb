/** What writers of tar and zip have in common. */

/** Hands bytes on; resolves when more may come. */
export type WriteBytes = (bytes: Uint8Array) => Promise<void>;

/** A file that may be read more than once. */
export type Body = () => AsyncIterable<Uint8Array>;

/** An archive that is written from its beginning to its end. */
export interface ArchiveWriter {
  /** Throws where the body has not `size` bytes: what was written cannot be taken back then. */
  add(path: string, size: number, body: Body): Promise<void>;
  end(): Promise<void>;
  /** Ends it so that every reader takes it for broken, where a missing end alone would not do. */
  breakOff?(): Promise<void>;
}

/** 1980-01-01T00:00:00Z in seconds: the earliest time that zip can say, and one that no reader complains about. */
export const FIXED_TIME = 315_532_800;
