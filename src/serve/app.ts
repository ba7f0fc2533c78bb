/** A server without a socket: everything in this room is one of these. */
export interface App {
  readonly fetch: (request: Request) => Promise<Response>;
}

/** One answered request, told after its last byte was handed over (or given up). */
export interface RequestRecord {
  method: string;
  /** Path and query as they came, still encoded: `/bucket/a%20b?list-type=2`. */
  path: string;
  /** 0 where the connection was dropped without an answer. */
  status: number;
  /** Bytes of the body that were handed over. */
  bytes: number;
  /** Of the request; names in lower case. */
  headers: Record<string, string>;
}

/** Hook for request logs. Must not throw. */
export type OnRequest = (record: RequestRecord) => void;
