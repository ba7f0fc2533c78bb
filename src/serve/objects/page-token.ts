/**
 * Tokens of listings: opaque to clients, and all that is needed to go on, so that servers keep nothing between
 * pages and any of several can answer the next one.
 */
export function writePageToken(after: string): string {
  return Buffer.from(`1${after}`, 'utf8').toString('base64');
}

/** The name that a listing goes on after; undefined where the token is none of ours. */
export function readPageToken(token: string): string | undefined {
  const text = Buffer.from(token, 'base64').toString('utf8');
  return text.length > 1 && text.startsWith('1') && writePageToken(text.slice(1)) === token
    ? text.slice(1)
    : undefined;
}
