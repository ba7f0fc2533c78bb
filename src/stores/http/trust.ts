/** Which authorities are believed. */
import { readFileSync } from 'node:fs';
import { createSecureContext, DEFAULT_CIPHERS, rootCertificates, type SecureContext } from 'node:tls';
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
  const toAdd = inStore && given.length === 0 ? [] : added;
  // Node's own list, with AES of 128 bits in front: a third less work for both ends than the 256 bits that it begins with, and
  // what browsers and Go ask for first. Nothing is added to the list or taken from it.
  const ciphers = shortKeysFirst(DEFAULT_CIPHERS);
  const context = createSecureContext({ ciphers });
  if (toAdd.every((pem) => addTo(context, pem))) return context;
  return createSecureContext({ ca: [...rootCertificates, ...added], ciphers });
}

/**
 * Adds to Node's own store, which is parsed once for all threads of a process; with the option `ca`, each thread would parse
 * all 145 built-in certificates again (30 ms of a processor). False where this version of Node has no such method.
 */
function addTo(context: SecureContext, pem: string): boolean {
  const native = context.context as { addCACert?: (pem: string) => void } | undefined;
  if (typeof native?.addCACert !== 'function') return false;
  native.addCACert(pem);
  return true;
}

/** Exported for its tests. */
export function shortKeysFirst(list: string): string {
  const first = 'TLS_AES_128_GCM_SHA256';
  const names = list.split(':');
  return names.includes(first) ? [first, ...names.filter((name) => name !== first)].join(':') : list;
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
