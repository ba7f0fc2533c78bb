/** Failures of the wire as `CarrelError`s, worded once. */
import { CarrelError } from '../../errors.ts';

/** Reasons that will be the same a second later. */
const LASTING = new Set(['ENOTFOUND', 'EPROTO', 'ERR_INVALID_ARG_VALUE']);

/** OpenSSL's and Node's codes for a certificate that is not trusted. */
const CERTIFICATE =
  /^(CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERR_TLS_CERT_|ERR_SSL_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)/;

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
  const words: Record<string, string> = {
    ENOTFOUND: `the name of ${peer} is unknown`,
    EAI_AGAIN: `the name of ${peer} could not be looked up`,
    ECONNREFUSED: `${peer} refused the connection`,
    ETIMEDOUT: `${peer} could not be reached in time`,
    ENETUNREACH: `no way to ${peer}`,
    EHOSTUNREACH: `no way to ${peer}`,
    EPROTO: `${peer} does not speak TLS`,
  };
  const reason =
    words[code] ?? `no connection to ${peer}: ${cause instanceof Error ? cause.message : String(cause)}`;
  return new CarrelError('network', `${item}: ${reason}`, {
    item,
    next: LASTING.has(code)
      ? 'check the address'
      : 'check the connection and the proxy settings, then try again',
    cause,
    retryable: !LASTING.has(code),
  });
}

/** The system's code of an error (`ECONNRESET`), or an empty text. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}
