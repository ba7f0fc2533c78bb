/** What goes between a connection and its owner. */
import type { HttpTimeouts, Land, OnChunk } from './http.ts';
import type { ReplyHead } from './parse-head.ts';

/** A request as it goes over the wire. */
export interface WireRequest {
  method: string;
  /** Request line and fields with the blank line. */
  head: string;
  body?: Uint8Array | undefined;
  signal?: AbortSignal | undefined;
  timeouts: HttpTimeouts;
  /** URL, for messages. */
  url: string;
}

/** A reply whose body stands on the connection. Exactly one of `consume`, `land`, `cancel`. */
export interface WireReply {
  head: ReplyHead;
  consume: (onChunk: OnChunk) => Promise<void>;
  /** As in `HttpReply`; undefined where the head does not tell the length. */
  land: Land | undefined;
  cancel: () => void;
}

/** Told to the owner of a connection. */
export interface ConnectionEvents {
  /** The reply is complete, and another request may follow. */
  onFree(connection: Connection): void;
  /** Gone, whether idle or not. Called once. */
  onClosed(connection: Connection): void;
  onBody(bytes: number): void;
}

/** One connection. */
export interface Connection {
  /** Requests written so far. */
  readonly requests: number;
  /** Seconds that the server said to keep it. */
  readonly keepAliveSeconds: number | undefined;
  /** Writes a request; resolves with the head of the reply. Rejects with `StaleConnection` or a `CarrelError`. */
  exchange(request: WireRequest): Promise<WireReply>;
  /** Whether it keeps the process alive. */
  setActive(active: boolean): void;
  destroy(): void;
}

/** A kept connection was dead before a byte of the reply came: the request can be repeated at once (RFC 9110, 9.2.2). */
export class StaleConnection extends Error {
  override readonly name = 'StaleConnection';
}
