/** The SOPInstanceUID of a DICOM file, from the few hundred bytes of its File Meta Information (PS3.10, 7.1). */
import { open } from 'node:fs/promises';

/** Bytes that are read: preamble, and a group 0002 with room for a private part. */
const READ = 4096;

/** VRs whose length has four bytes, after two that are reserved (PS3.5, 7.1.2). */
const LONG = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);

/** The MediaStorageSOPInstanceUID; undefined where the file is no DICOM file of Part 10, or has none. */
export async function readSopInstanceUid(path: string): Promise<string | undefined> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(READ);
    const { bytesRead } = await file.read(buffer, 0, READ, 0);
    return sopInstanceUidOf(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

/** The same of bytes. Group 0002 is always Explicit VR Little Endian. */
export function sopInstanceUidOf(head: Buffer): string | undefined {
  if (head.length < 132 || head.toString('latin1', 128, 132) !== 'DICM') return undefined;
  for (let at = 132; at + 8 <= head.length; ) {
    if (head.readUInt16LE(at) !== 0x0002) return undefined;
    const element = head.readUInt16LE(at + 2);
    const isLong = LONG.has(head.toString('latin1', at + 4, at + 6));
    if (isLong && at + 12 > head.length) return undefined;
    const length = isLong ? head.readUInt32LE(at + 8) : head.readUInt16LE(at + 6);
    const start = at + (isLong ? 12 : 8);
    if (start + length > head.length) return undefined;
    if (element === 0x0003) {
      const uid = head.toString('latin1', start, start + length).replace(/[\0 ]+$/, '');
      return /^[0-9.]{1,64}$/.test(uid) ? uid : undefined;
    }
    at = start + length;
  }
  return undefined;
}
