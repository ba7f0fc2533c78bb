/**
 * The contract of the HTTP client. It is written for one purpose: many whole objects and ranges over kept HTTP/1.1
 * connections, with bodies handed over as views of the receive buffer instead of through streams (measured: less than
 * half of the processor time of the general clients).
 */

/** Limits of one request, in milliseconds. */
export interface HttpTimeouts {
  /** From the wish for a connection (free slot given) to its readiness: look-up, TCP, proxy, TLS. Default 10,000. */
  connect: number;
  /** From the request's last byte to the end of the reply's head. Default 30,000. */
  firstByte: number;
  /** Between two pieces of a body, while the consumer is ready for more. Default 20,000. */
  idle: number;
}

/** A request. */
export interface HttpRequest {
  /** Default `GET`. */
  method?: string | undefined;
  /**
   * Absolute `http:` or `https:` URL. Path and query go over the wire as they stand, apart from characters that a
   * request line cannot hold: `..`, `%2e` and `//` are kept, which the `URL` class would not do.
   */
  url: string;
  /** Names in any case. Values are never written into errors or events. */
  headers?: Record<string, string> | undefined;
  body?: Uint8Array | undefined;
  signal?: AbortSignal | undefined;
  timeouts?: Partial<HttpTimeouts> | undefined;
  /** `follow` (default) up to five redirects, or hand the 3xx reply over. */
  redirect?: 'follow' | 'manual' | undefined;
}

/** Header fields of a reply; names in lower case, repeated fields joined with `, `. */
export type HttpHeaders = ReadonlyMap<string, string>;

/** What is called for each piece of a body. */
export type OnChunk = (chunk: Uint8Array) => void | Promise<void>;

/** Puts a body into memory of the caller's, which is as long as the body; `onBytes` is told of each piece that stands there. */
export type Land = (target: Uint8Array, onBytes: (count: number) => void) => Promise<void>;

/** A reply with its body unread. Exactly one of `consume`, `land`, `bytes`, `text`, `cancel`
 * must be called. */
export interface HttpReply {
  status: number;
  headers: HttpHeaders;
  /** Where the reply came from in the end, after redirects. */
  url: string;
  /** Bytes of the body as announced by the server; undefined for chunked and close-delimited bodies. */
  length?: number | undefined;
  /**
   * Hands the body over in order. A chunk is a view of the connection's receive buffer: it is valid until the callback
   * returns or its promise resolves; meanwhile nothing more is read. Rejects with `network` (retryable) where the body
   * ends early, is longer than announced or stalls; with the callback's own error where that fails.
   */
  consume: (onChunk: OnChunk) => Promise<void>;
  /**
   * Reads the body from the socket straight to where it belongs, without a copy; undefined where the reply does not tell its
   * length. Rejects as `consume` does. After a rejection nothing more is written to the target.
   */
  land?: Land | undefined;
  /** The body in memory; `network` beyond `limit` bytes (default 64 MiB). */
  bytes: (limit?: number) => Promise<Uint8Array>;
  /** The body as UTF-8. */
  text: (limit?: number) => Promise<string>;
  /** Gives the body up, and the connection with it. */
  cancel: () => void;
}

/** What a pool has done so far. */
export interface HttpStats {
  /** Requests written, with redirects and repetitions. */
  requests: number;
  /** Connections opened. */
  connections: number;
  /** Bytes of bodies received. */
  bytes: number;
}

/** A keep-alive HTTP/1.1 client. Nothing is retried, except a request on a kept connection that was dead already. */
export interface HttpPool {
  /** Resolves with any status once the head of the reply is there. Rejects with `network`, `unsafe`, `interrupted`, `usage`. */
  request(request: HttpRequest): Promise<HttpReply>;
  readonly stats: Readonly<HttpStats>;
  /** Ends every connection; requests under way and later ones fail. */
  close(): Promise<void>;
}

/** Options of a pool. */
export interface HttpPoolOptions {
  /** Most connections to one origin at a time; further requests wait in order. Default 32. */
  connectionsPerOrigin?: number | undefined;
  /** Requests after which a connection is closed by us (S3 closes after 100). Default 95. */
  requestsPerConnection?: number | undefined;
  /** Milliseconds that an unused connection is kept (S3 closes after 5 to 20 s). Default 4,000. */
  keepAliveMs?: number | undefined;
  timeouts?: Partial<HttpTimeouts> | undefined;
  /** Certificates (PEM) to trust in addition to the built-in ones. */
  ca?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined;
  /** Where proxies and certificate files are named; default `process.env`. */
  env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Default `carrel/<version>`. */
  userAgent?: string | undefined;
  /** Name → addresses, for tests and split-horizon set-ups; default the system's resolver. */
  lookup?: ((host: string) => Promise<readonly { address: string; family: number }[]>) | undefined;
}
