/** From the ZIP of a series to images that are proven: md5hashes.csv, the number of images, names by SOPInstanceUID. */
import { readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CarrelError } from '../../errors.ts';
import { type UnpackedFile, unpackZip } from '../unzip/unpack-zip.ts';
import type { NbiaSeries } from './series-row.ts';
import { readSopInstanceUid } from './sop-instance-uid.ts';

/** The list of checksums that NBIA adds as the last entry. */
const HASHES = 'md5hashes.csv';

/** Entries of a ZIP; the largest series of TCIA has some 10,000 images. */
const MOST_ENTRIES = 200_000;

/** A file of a series, proven and still in the folder that it was unpacked to. */
export interface ProvenImage {
  /** Where it lies, below that folder. */
  local: string;
  /** The name that it gets: `<SOPInstanceUID>.dcm`, or that of the ZIP where it is no DICOM. */
  name: string;
  bytes: number;
  /** 32 hexadecimal digits. */
  md5: string;
  sopInstanceUid: string | undefined;
  /** `md5`: the server's own. `crc32`: that of the ZIP, for files that the server gives no MD5 of. */
  verifiedBy: 'md5' | 'crc32';
}

/**
 * Unpacks and proves.
 *
 * @param folder empty, private to this series
 * @returns the files, sorted by name
 * @throws CarrelError `verification` where the ZIP is cut or damaged, md5hashes.csv is missing or names other files, a digest
 *   is another, or the number of images is not that of the server; `unsafe` for hostile archives
 */
export async function unpackSeries(
  zipPath: string,
  series: NbiaSeries,
  options: { folder: string; maxBytes: number; signal?: AbortSignal | undefined },
): Promise<ProvenImage[]> {
  const uid = series.SeriesInstanceUID;
  const { folder, maxBytes, signal } = options;
  const { entries } = await unpackZip(zipPath, {
    folder,
    maxBytes,
    maxEntries: MOST_ENTRIES,
    // The licence of the archive is told with the series; names are as the server made them.
    nameOf: (name) => (/^LICENSE(?:\.txt)?$/i.test(name) ? undefined : name),
    signal,
  });
  const list = entries.find(({ name }) => basename(name).toLowerCase() === HASHES);
  const files = entries.filter((entry) => entry !== list);
  if (list === undefined) {
    throw wrong(uid, `its ZIP has no ${HASHES}: the server broke off after ${files.length} files`);
  }
  const hashes = parseHashes(await readFile(join(folder, list.local), 'utf8'));
  await rm(join(folder, list.local), { force: true });
  const images = files.filter(({ name }) => isImage(name));
  for (const [name] of hashes) {
    if (!files.some((file) => file.name === name || basename(file.name) === name))
      throw wrong(uid, `${HASHES} names ${name}, which is not in the ZIP`);
  }
  const { imageCount } = series;
  if (imageCount !== undefined && images.length !== imageCount)
    throw wrong(uid, `its ZIP has ${images.length} images, and the server says that there are ${imageCount}`);
  if (images.length === 0) throw wrong(uid, 'its ZIP has no images');
  const proven: ProvenImage[] = [];
  const names = new Map<string, string>();
  for (const file of files) {
    const verifiedBy = prove(uid, file, hashes);
    const sopInstanceUid = isImage(file.name)
      ? await readSopInstanceUid(join(folder, file.local))
      : undefined;
    const name = sopInstanceUid === undefined ? basename(file.name) : `${sopInstanceUid}.dcm`;
    const other = names.get(name.toLowerCase());
    if (other !== undefined) throw wrong(uid, `two of its files would be ${name}: ${other} and ${file.name}`);
    names.set(name.toLowerCase(), file.name);
    const { local, bytes, digest: md5 } = file;
    proven.push({ local, name, bytes, md5, sopInstanceUid, verifiedBy });
  }
  return proven.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function isImage(name: string): boolean {
  return /\.dcm$/i.test(name);
}

function prove(uid: string, file: UnpackedFile, hashes: ReadonlyMap<string, string>): 'md5' | 'crc32' {
  const said = hashes.get(file.name) ?? hashes.get(basename(file.name));
  if (said === undefined && isImage(file.name))
    throw wrong(uid, `${HASHES} says nothing of ${file.name}: the server broke off`);
  if (said === undefined) return 'crc32';
  if (said !== file.digest)
    throw wrong(uid, `${file.name} has the MD5 ${file.digest}, and the server says ${said}`);
  return 'md5';
}

/** `Filename,MD5Hash` below a head, in no order; names as in the ZIP. */
export function parseHashes(text: string): Map<string, string> {
  const hashes = new Map<string, string>();
  for (const line of text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)) {
    const found = /^"?(.+?)"?\s*[,;\t]\s*"?([0-9a-fA-F]{32})"?\s*$/.exec(line);
    if (found?.[1] !== undefined && found[2] !== undefined) hashes.set(found[1], found[2].toLowerCase());
  }
  return hashes;
}

function wrong(uid: string, what: string): CarrelError {
  return new CarrelError('verification', `${uid}: ${what}`, {
    item: uid,
    next: 'fetch it again; if that does not help, tell TCIA: help@cancerimagingarchive.net',
    retryable: true,
  });
}
