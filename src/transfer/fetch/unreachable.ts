/** Kinds of failures that say something about the server or the line, and nothing about the object. */
import type { CarrelError } from '../../errors.ts';
import { systemCode } from '../disk-error.ts';

/** The server has too much to do. */
export const isThrottling = ({ status }: CarrelError): boolean => status === 429 || status === 503;

/** The server did not answer at all: no connection, no name, silence, a body that broke off. */
export function isUnreachable(error: CarrelError): boolean {
  return error.code === 'network' && error.status === undefined && (error.retryable || isUnconnected(error));
}

/** Nobody could be spoken to: no name, no way, no connection. No object is to blame for that. */
export function isUnconnected({ cause }: CarrelError): boolean {
  return /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|E(?:NET|HOST)(?:UNREACH|DOWN))$/.test(systemCode(cause) ?? '');
}
