/** What Faspex answers when a download is asked for: everything that `ascp` or a gateway needs, secrets included. */

/** Who transfers: `ascp` over FASP, or an HTTP gateway. */
export type TransferType = 'connect' | 'http_gateway';

/**
 * A transfer spec as it came, unchanged: the token is bound to exactly these sources. Fields: IBM's Faspex 5 API v5.
 * `token` and `cookie` are secrets: never in logs, arguments or errors.
 */
export interface TransferSpec {
  direction: string;
  remote_host: string;
  remote_user: string;
  ssh_port?: number | undefined;
  fasp_port?: number | undefined;
  cipher?: string | undefined;
  token: string;
  cookie?: string | undefined;
  /** One absolute source per path asked for, in that order, each ending with the path; one for a whole package. */
  paths: readonly { source: string; destination?: string | undefined }[];
  source_root?: string | undefined;
  tags?: unknown;
  target_rate_kbps?: number | undefined;
  min_rate_kbps?: number | undefined;
  rate_policy?: string | undefined;
  sshfp?: string | undefined;
  wss_enabled?: boolean | undefined;
  wss_port?: number | undefined;
  http_fallback?: boolean | string | undefined;
  http_fallback_port?: number | undefined;
  content_protection?: string | undefined;
  multi_session?: number | null | undefined;
  [field: string]: unknown;
}
