/**
 * Order of keys as S3 and GCS list them: by the bytes of their UTF-8 form. It differs from JavaScript's own
 * order only where a surrogate pair meets U+E000…U+FFFF.
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const xIsPair = x >= 0xd800 && x <= 0xdfff;
    const yIsPair = y >= 0xd800 && y <= 0xdfff;
    if (xIsPair === yIsPair) return x - y;
    return xIsPair ? 1 : -1;
  }
  return a.length - b.length;
}
