/**
 * An ICC profile of sRGB primaries with a plain gamma of 2.2, built from its tables (ICC.1:2001-04, matrix/TRC display
 * profile). Colour images in DICOM must carry a profile; this one has 456 bytes.
 */

/** D50, the white of the connection space, and the sRGB primaries adapted to it. */
const WHITE = [0.9642, 1, 0.8249] as const;
const PRIMARIES = {
  rXYZ: [0.4361, 0.2225, 0.0139],
  gXYZ: [0.3851, 0.7169, 0.0971],
  bXYZ: [0.1431, 0.0606, 0.7141],
} as const;

const HEADER_LENGTH = 128;
const DATE = [2024, 1, 1, 0, 0, 0] as const;

/** `XYZ ` type: one colour as three signed numbers with 16 bits after the point. */
function xyzTag(values: readonly [number, number, number]): Buffer {
  const tag = Buffer.alloc(20);
  tag.write('XYZ ', 0, 'latin1');
  for (const [index, value] of values.entries()) tag.writeInt32BE(Math.round(value * 65536), 8 + 4 * index);
  return tag;
}

/** `curv` type: one gamma as an unsigned number with 8 bits after the point. */
function gammaTag(gamma: number): Buffer {
  const tag = Buffer.alloc(16);
  tag.write('curv', 0, 'latin1');
  tag.writeUInt32BE(1, 8);
  tag.writeUInt16BE(Math.round(gamma * 256), 12);
  return tag;
}

/** `text` type. */
function textTag(text: string): Buffer {
  return padded(Buffer.concat([Buffer.from('text\0\0\0\0', 'latin1'), Buffer.from(`${text}\0`, 'latin1')]));
}

/** `desc` type: ASCII text, and empty Unicode and Macintosh texts. */
function descriptionTag(text: string): Buffer {
  const ascii = Buffer.from(`${text}\0`, 'latin1');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(ascii.length);
  const rest = Buffer.alloc(4 + 4 + 2 + 1 + 67);
  return padded(Buffer.concat([Buffer.from('desc\0\0\0\0', 'latin1'), length, ascii, rest]));
}

/** Tags start at multiples of four. */
function padded(tag: Buffer): Buffer {
  return Buffer.concat([tag, Buffer.alloc((4 - (tag.length % 4)) % 4)]);
}

/** The profile, of even length. */
export function rgbProfile(): ArrayBuffer {
  const curve = gammaTag(2.2);
  const tags: [string, Buffer][] = [
    ['desc', descriptionTag('sRGB gamma 2.2')],
    ['cprt', textTag('No copyright')],
    ['wtpt', xyzTag(WHITE)],
    ['rXYZ', xyzTag(PRIMARIES.rXYZ)],
    ['gXYZ', xyzTag(PRIMARIES.gXYZ)],
    ['bXYZ', xyzTag(PRIMARIES.bXYZ)],
    ['rTRC', curve],
    ['gTRC', curve],
    ['bTRC', curve],
  ];
  const table = Buffer.alloc(4 + 12 * tags.length);
  table.writeUInt32BE(tags.length, 0);
  let offset = HEADER_LENGTH + table.length;
  for (const [index, [signature, tag]] of tags.entries()) {
    const at = 4 + 12 * index;
    table.write(signature, at, 'latin1');
    table.writeUInt32BE(offset, at + 4);
    table.writeUInt32BE(tag.length, at + 8);
    offset += tag.length;
  }
  const profile = Buffer.concat([header(offset), table, ...tags.map(([, tag]) => tag)]);
  return new Uint8Array(profile).buffer;
}

function header(length: number): Buffer {
  const bytes = Buffer.alloc(HEADER_LENGTH);
  bytes.writeUInt32BE(length, 0);
  bytes.writeUInt32BE(0x02400000, 8); // version 2.4
  bytes.write('mntrRGB XYZ ', 12, 'latin1');
  for (const [index, part] of DATE.entries()) bytes.writeUInt16BE(part, 24 + 2 * index);
  bytes.write('acsp', 36, 'latin1');
  for (const [index, value] of WHITE.entries()) bytes.writeInt32BE(Math.round(value * 65536), 68 + 4 * index);
  return bytes;
}
