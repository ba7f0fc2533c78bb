/**
 * A tar archive as a stream: POSIX.1-2001 (ustar, with pax records for what does not fit). The same files give the same
 * bytes: times, owners and modes are fixed.
 */
import type { ArchiveWriter, WriteBytes } from './archive-writer.ts';
import { FIXED_TIME } from './archive-writer.ts';

const BLOCK = 512;

/** Largest size that eleven octal digits hold. */
const MOST_OCTAL = 0o77777777777;

/** Opens a tar stream; `end` writes the two empty blocks by which readers know that it is whole. */
export function createTar(write: WriteBytes): ArchiveWriter {
  let isInside = false;
  return {
    async add(path, size, body) {
      isInside = true;
      const name = splitName(path);
      const pax = [
        ...(name === undefined ? [paxRecord('path', path)] : []),
        ...(size > MOST_OCTAL ? [paxRecord('size', String(size))] : []),
      ].join('');
      if (pax !== '') {
        const bytes = Buffer.from(pax);
        await write(header({ name: 'pax', prefix: '' }, bytes.length, 'x'));
        await write(padded(bytes));
      }
      await write(header(name ?? { name: shortened(path), prefix: '' }, Math.min(size, MOST_OCTAL), '0'));
      let written = 0;
      for await (const piece of body()) {
        written += piece.length;
        await write(piece);
      }
      if (written !== size) throw new Error(`${path}: ${written} bytes instead of ${size}`);
      const rest = size % BLOCK;
      if (rest > 0) await write(Buffer.alloc(BLOCK - rest));
      isInside = false;
    },
    // GNU tar takes a stream that ends between two files for a whole one, without a word and with exit 0. It does not where
    // a header announces what does not come; inside of a file that is so already.
    async breakOff() {
      if (!isInside) await write(header({ name: 'pax', prefix: '' }, BLOCK, 'x'));
    },
    end: () => write(Buffer.alloc(2 * BLOCK)),
  };
}

/** Name and prefix of a ustar header; undefined where the path needs a pax record. */
function splitName(path: string): { name: string; prefix: string } | undefined {
  // Names beyond ASCII have no encoding that ustar would name.
  if (/[^\x20-\x7e]/.test(path)) return undefined;
  if (path.length <= 100) return { name: path, prefix: '' };
  for (let at = path.indexOf('/', path.length - 101); at > 0 && at <= 155; at = path.indexOf('/', at + 1)) {
    if (path.length - at - 1 <= 100) return { name: path.slice(at + 1), prefix: path.slice(0, at) };
  }
  return undefined;
}

/** For readers that know no pax: the end of the path, which tells files apart. */
function shortened(path: string): string {
  return path.replaceAll(/[^\x20-\x7e]/g, '_').slice(-100);
}

function header({ name, prefix }: { name: string; prefix: string }, size: number, type: string): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  block.write(name, 0, 'latin1');
  octal(0o644, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(FIXED_TIME, 136, 12);
  block.write('        ', 148, 'latin1');
  block.write(type, 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  octal(0, 329, 8);
  octal(0, 337, 8);
  block.write(prefix, 345, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** `30 path=…\n`: the length counts itself. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  if (rest + String(length).length !== length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)]);
}
