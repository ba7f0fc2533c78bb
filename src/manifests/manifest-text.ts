/**
 * From bytes to lines: encodings as they are found in the wild, and the limits that keep a wrong file (an image,
 * a tarball) from being taken for a manifest.
 */
import { CarrelError } from '../errors.ts';

/** Characters of one line of a line-based manifest; the longest real line seen is below 1,000. */
const LINE_LIMIT = 1_000_000;

/** Characters of a whole manifest: below V8's own limit of a string. */
const TEXT_LIMIT = 500_000_000;

/**
 * Text of a manifest: UTF-8 (with or without BOM), or UTF-16 with BOM as Windows tools write it.
 * Throws `bad-input` for binary data and for more than 500 MB.
 */
export function manifestText(input: string | Uint8Array, origin: string): string {
  if (input.length > TEXT_LIMIT) {
    throw new CarrelError('bad-input', `${origin} has ${input.length} bytes: too long for a manifest`, {
      item: origin,
      next: 'split it into files of at most 500 MB',
    });
  }
  const text = typeof input === 'string' ? input : decode(input);
  if (text.includes('\0')) {
    throw new CarrelError('bad-input', `${origin} is binary data, not a manifest`, {
      item: origin,
      next: 'hand in a text file: s5cmd run file, CSV, TSV, JSON, .tcia, .dcf or a list of identifiers',
    });
  }
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

function decode(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) {
    const swapped = Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % 2))).swap16();
    return new TextDecoder('utf-16le').decode(swapped);
  }
  return new TextDecoder('utf-8').decode(bytes);
}

/** Lines without their ends: LF, CRLF, and the lone CR of old Mac tools. Throws `bad-input` beyond a million characters. */
export function manifestLines(text: string, origin: string): string[] {
  const lines = text.split(/\r\n|\n|\r/);
  for (const [index, line] of lines.entries()) {
    if (line.length > LINE_LIMIT) {
      throw new CarrelError(
        'bad-input',
        `${origin}:${index + 1} is one line of ${line.length} characters: not a manifest`,
        { item: `${origin}:${index + 1}`, next: 'one identifier or command per line' },
      );
    }
  }
  return lines;
}
