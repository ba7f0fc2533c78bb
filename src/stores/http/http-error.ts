/** Failures of the wire as `CarrelError`s, worded once. */
import { CarrelError } from '../../errors.ts';

/** Reasons that will be the same a second later. */
const LASTING = /^(ENOTFOUND|EPROTO|ERR_SSL_|ERR_INVALID_)/;

/** OpenSSL's and Node's codes for a certificate that is not trusted. */
const CERTIFICATE =
  /^(CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERR_TLS_CERT_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)/;

/** A URL for messages: without its query and user, which may hold a signature or a password. */
export function withoutSecrets(url: string): string {
  return url.replace(/[?#].*$/s, '').replace(/^([a-z+.-]+:\/\/)[^/@]*@/i, '$1');
}

/** A failure that may pass: reset, stall, early end, malformed reply. */
export function wireError(url: string, what: string, cause?: unknown): CarrelError {
  const item = withoutSecrets(url);
  return new CarrelError('network', `${item}: ${what}`, {
    item,
    next: 'try again; what has arrived so far is kept',
    cause,
    retryable: true,
  });
}

/** A failure of connecting, in words, with what to do about it. */
export function connectError(url: string, peer: string, cause: unknown): CarrelError {
  const item = withoutSecrets(url);
  const code = codeOf(cause);
  if (CERTIFICATE.test(code)) {
    return new CarrelError('network', `${item}: the certificate of ${peer} is not trusted (${code})`, {
      item,
      next: 'where a proxy or a private server has its own authority, name its PEM file in SSL_CERT_FILE',
      cause,
    });
  }
  if (/^(EPROTO|ERR_SSL_)/.test(code)) {
    return new CarrelError('network', `${item}: ${peer} does not speak TLS as we do (${code})`, {
      item,
      next: 'check whether the address should begin with http://',
      cause,
    });
  }
  const words: Record<string, string> = {
    ENOTFOUND: `the name of ${peer} is unknown`,
    EAI_AGAIN: `the name of ${peer} could not be looked up`,
    ECONNREFUSED: `${peer} refused the connection`,
    ETIMEDOUT: `${peer} could not be reached in time`,
    ENETUNREACH: `no way to ${peer}`,
    EHOSTUNREACH: `no way to ${peer}`,
  };
  const reason =
    words[code] ?? `no connection to ${peer}: ${cause instanceof Error ? cause.message : String(cause)}`;
  return new CarrelError('network', `${item}: ${reason}`, {
    item,
    next: LASTING.test(code)
      ? 'check the address'
      : 'check the connection and the proxy settings, then try again',
    cause,
    retryable: !LASTING.test(code),
  });
}

/** A connection that ended: within a body (`progress`: `5 of 9 bytes`), or before the reply. */
export function brokenError(
  url: string,
  progress: string | undefined,
  cause: Error | undefined,
): CarrelError {
  const code = codeOf(cause);
  const what = cause === undefined ? 'the server ended the connection' : 'the connection was lost';
  const when = progress === undefined ? 'before its reply' : `after ${progress}`;
  return wireError(url, `${what} ${when}${code === '' ? '' : ` (${code})`}`, cause);
}

/** The system's code of an error (`ECONNRESET`), or an empty text. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}
