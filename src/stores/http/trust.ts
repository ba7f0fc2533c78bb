/** Which authorities are believed. */
import { readFileSync } from 'node:fs';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { CarrelError } from '../../errors.ts';
import type { HttpPoolOptions } from './http.ts';

/** Variables that name a PEM file. Node itself reads the first, but only where nothing else is added. */
const VARIABLES = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'AWS_CA_BUNDLE'] as const;

/** What Node has put into its own store when it started. */
const EXTRA_AT_START = process.env['NODE_EXTRA_CA_CERTS'] || undefined;

/**
 * The context of all TLS connections of a pool. Certificates of the `ca` option and of the variables are believed in
 * addition to the built-in ones: a company's proxy must not lose the public web. Throws `usage` where a file cannot be read.
 */
export function createTrust(options: Pick<HttpPoolOptions, 'ca' | 'env'>): SecureContext {
  const env = options.env ?? process.env;
  const given = options.ca === undefined ? [] : [options.ca].flat();
  const added = given.map((pem) => (typeof pem === 'string' ? pem : Buffer.from(pem).toString('latin1')));
  let inStore = true;
  for (const variable of VARIABLES) {
    const path = env[variable];
    if (path === undefined || path === '') continue;
    added.push(readCertificates(variable, path));
    inStore &&= variable === 'NODE_EXTRA_CA_CERTS' && path === EXTRA_AT_START;
  }
  // Without other additions, Node's own store is used: it is parsed once for all threads of the process.
  const own = inStore && given.length === 0;
  return createSecureContext(own ? {} : { ca: [...rootCertificates, ...added] });
}

function readCertificates(variable: string, path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (cause) {
    throw new CarrelError('usage', `${variable} names a file that cannot be read: ${path}`, {
      item: path,
      next: `correct or unset ${variable}`,
      cause,
    });
  }
}
