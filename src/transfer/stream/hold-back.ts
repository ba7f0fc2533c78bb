/**
 * The end of a stream, kept until the whole is proven. What was handed over cannot be taken back, so the last bytes wait:
 * a small object is proven before anything of it is seen, and a large one that turns out to be wrong never looks whole.
 */

/** A queue that lets through what is not among the last bytes. */
export interface HoldBack {
  /** Takes a copy of the piece; hands over what is behind by now. */
  add(piece: Uint8Array): Promise<void>;
  /** Hands over the rest. */
  release(): Promise<void>;
  /** Forgets what is held. */
  clear(): void;
  /** Bytes handed over so far. */
  readonly given: number;
}

/**
 * Holds back at least so many bytes, and less than one piece more.
 *
 * @param give takes a piece that is its own to keep
 */
export function createHoldBack(bytes: number, give: (piece: Uint8Array) => void | Promise<void>): HoldBack {
  const pieces: Uint8Array[] = [];
  let held = 0;
  let given = 0;
  const next = async (): Promise<void> => {
    const piece = pieces.shift() ?? new Uint8Array();
    held -= piece.length;
    given += piece.length;
    await give(piece);
  };
  return {
    async add(piece) {
      pieces.push(Buffer.from(piece));
      held += piece.length;
      while (held - (pieces[0]?.length ?? held) >= bytes) await next();
    },
    async release() {
      while (pieces.length > 0) await next();
    },
    clear() {
      pieces.length = 0;
      held = 0;
    },
    get given() {
      return given;
    },
  };
}
