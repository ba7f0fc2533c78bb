/** What a stream is of, and what became of it. */
import type { Digest } from '../../identifiers/index.ts';
import type { Source } from '../../locations/index.ts';
import type { OpenStore } from '../../stores/index.ts';
import type { Evidence, TransferEvent } from '../events.ts';
import type { Verification } from '../evidence.ts';
import type { TransferRetry } from '../fetch/retry.ts';

/** What is to be streamed. */
export interface StreamedObject {
  /** How errors and events call it. */
  name: string;
  size?: number | undefined;
  digests: readonly Digest[];
  /** Best first; never empty. */
  sources: readonly Source[];
}

/** How it is streamed. */
export interface StreamOptions {
  openStore: OpenStore;
  /** Takes a piece, which is its own to keep; the next one comes when the promise resolves. What it throws ends the stream. */
  onPiece: (piece: Uint8Array) => void | Promise<void>;
  /** From `start` to `end` (exclusive) or to the end. Of bytes out of an object only the number can be checked. */
  range?: { start: number; end?: number | undefined } | undefined;
  /** Default `full`. */
  verify?: Verification | undefined;
  /** Bytes per second at most. */
  bandwidth?: number | undefined;
  retry?: TransferRetry | undefined;
  /** `retry` and `note`. */
  onEvent?: ((event: TransferEvent) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** What came, and how it is known to be right. */
export interface StreamResult {
  bytes: number;
  /** The strongest digest that agreed; `size` or `none` where there was nothing to compare with. */
  verifiedBy: Evidence;
  digest: Digest | undefined;
  mirror: string;
}
