/**
 * Two independent 32-bit hashes of a text. Not cryptographic: what the index finds is compared with the text itself, so a
 * collision costs time and never an answer. Mixing after Bret Mulvey's and Austin Appleby's (public domain) finalisers.
 */

/** Hashes a text into `[a, b]`, unsigned. 0.2 µs for a DICOM UID; MD5 would take 2 µs. */
export function hashText(text: string): [a: number, b: number] {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return [a >>> 0, b >>> 0];
}
