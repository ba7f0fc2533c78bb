/** A header of a tar archive: 512 bytes (POSIX.1-2001 `ustar`, and what GNU tar adds). */

/** What a header says. */
export interface TarHeader {
  name: string;
  /** One character: `0` or NUL file, `5` folder, `2` symbolic link, `x` and `g` pax, `L` and `K` GNU names. */
  kind: string;
  size: number;
  link: string;
  executable: boolean;
}

/** Reads one; undefined for the empty block at the end. @throws where its sum is wrong */
export function readTarHeader(block: Buffer): TarHeader | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  const text = (at: number, length: number): string => {
    const field = block.subarray(at, at + length);
    const end = field.indexOf(0);
    return field.toString('utf8', 0, end === -1 ? length : end);
  };
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  if (sum !== octal(text(148, 8))) throw new Error('the sum of a header is wrong');
  const prefix = text(257, 5) === 'ustar' && block[262] === 0 ? text(345, 155) : '';
  const kind = String.fromCharCode(block[156] ?? 0);
  const size = sizeOf(block.subarray(124, 136));
  if (!Number.isSafeInteger(size) || size < 0) throw new Error('a size cannot be read');
  return {
    name: prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`,
    kind,
    size: '0\x007xgLK'.includes(kind) ? size : 0,
    link: text(157, 100),
    executable: (octal(text(100, 8)) & 0o111) !== 0,
  };
}

/** What a pax header (`x`) or a GNU name (`L`, `K`) says about the entry that follows. */
export function extensionFields(
  { kind }: TarHeader,
  bytes: Buffer,
): { path?: string; linkpath?: string; size?: number } {
  if (kind === 'L' || kind === 'K') {
    const end = bytes.indexOf(0);
    const text = bytes.toString('utf8', 0, end === -1 ? bytes.length : end);
    return kind === 'L' ? { path: text } : { linkpath: text };
  }
  const fields: { path?: string; linkpath?: string; size?: number } = {};
  for (let at = 0; at < bytes.length; ) {
    const blank = bytes.indexOf(0x20, at);
    const length = Number(bytes.toString('latin1', at, blank));
    if (blank === -1 || !Number.isInteger(length) || length <= blank - at)
      throw new Error('a pax record is odd');
    const record = bytes.toString('utf8', blank + 1, at + length - 1);
    const equals = record.indexOf('=');
    const [key, value] = [record.slice(0, equals), record.slice(equals + 1)];
    if (key === 'path' || key === 'linkpath') fields[key] = value;
    if (key === 'size') {
      const size = Number(value);
      if (!Number.isSafeInteger(size) || size < 0) throw new Error('a size cannot be read');
      fields.size = size;
    }
    at += length;
  }
  return fields;
}

function octal(text: string): number {
  const trimmed = text.trim();
  return /^[0-7]+$/.test(trimmed) ? Number.parseInt(trimmed, 8) : 0;
}

/** Octal digits, or base 256 where the highest bit is set. */
function sizeOf(field: Buffer): number {
  if ((field[0] ?? 0) < 0x80) return octal(field.toString('latin1').replaceAll('\0', ' '));
  return field.subarray(1).reduce((total, byte) => total * 256 + byte, (field[0] ?? 0) & 0x7f);
}
