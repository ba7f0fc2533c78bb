/** Tar archives byte by byte, honest or hostile. */

/** An entry. */
export interface MadeTarEntry {
  name: string;
  bytes?: Uint8Array | string;
  /** `0` file (default), `5` folder, `2` symbolic link, `1` hard link, `3` device, `L`, `x`. */
  kind?: string;
  link?: string;
  mode?: number;
  /** A size that the header claims, whatever the bytes are. */
  size?: number;
}

/** A whole archive, not gzipped. */
export function makeTar(entries: readonly MadeTarEntry[]): Buffer {
  const parts = entries.flatMap((entry) => {
    const bytes = Buffer.from(entry.bytes ?? '');
    return [
      header(entry, entry.size ?? bytes.length),
      bytes,
      Buffer.alloc((512 - (bytes.length % 512)) % 512),
    ];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

/** A pax record: its length counts itself. */
export function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + 1;
  while (rest + String(length).length !== length) length += 1;
  return `${length} ${key}=${value}\n`;
}

function header({ name, kind = '0', link = '', mode = 0o644 }: MadeTarEntry, size: number): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0, 100, 'utf8');
  block.write(`${mode.toString(8).padStart(7, '0')}\0`, 100);
  block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  block.write('        ', 148);
  block.write(kind, 156);
  block.write(link, 157, 100, 'utf8');
  block.write('ustar\x0000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
