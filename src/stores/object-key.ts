/** Object keys in URLs and in order. */

/**
 * A key as the path of a URL: every byte of its UTF-8 form but letters, digits and `-._~/` is percent-encoded. `+` becomes
 * `%2B`: S3 takes a bare one for a blank in some places and not in others. Lone surrogates become U+FFFD.
 */
export function encodeKey(key: string): string {
  return key.split('/').map(encodeComponent).join('/');
}

/** `name=value&…` in the order of the names, encoded as signatures want it (RFC 3986, `/` as `%2F`). */
export function encodeQuery(query: Record<string, string>): string {
  return Object.entries(query)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${encodeComponent(name)}=${encodeComponent(value)}`)
    .join('&');
}

function encodeComponent(text: string): string {
  if (/^[A-Za-z0-9._~-]*$/.test(text)) return text;
  return Array.from(Buffer.from(text, 'utf8'), (byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9._~-]/.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}

/**
 * Undoes `encoding-type=url` of a listing, where blanks are `+` (Amazon, MinIO) or `%20`. A text that is not encoded
 * after all is given back as it stands.
 */
export function decodeListed(text: string): string {
  if (!/[%+]/.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

/** The order of listings: by UTF-8 bytes, which is by code points; JavaScript's own order differs beyond U+FFFF. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
