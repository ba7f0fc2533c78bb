/** Reading bytes of the side index, and what is thrown where they are not what was written. */
import type { FileHandle } from 'node:fs/promises';

/** The file is not what it was when it was written. Whoever gets it asks the tables instead. */
export class DamagedSideIndex extends Error {
  override name = 'DamagedSideIndex';
}

/** Reads exactly so many bytes. Throws `DamagedSideIndex` where the file ends before. */
export async function readPiece(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await file.read(buffer, read, length - read, at + read);
    if (bytesRead === 0) throw new DamagedSideIndex('it is shorter than it was');
    read += bytesRead;
  }
  return buffer;
}
