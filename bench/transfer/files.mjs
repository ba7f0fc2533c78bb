// A bucket of files with unpredictable contents: the objects themselves, what md5sum says of them, and the listings that
// S3 and Google Cloud Storage would give, as files for nginx.
import { execFileSync } from 'node:child_process';
import { createCipheriv, createHash } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/** Keys of a page, as both clouds have it. */
const PAGE = 1000;
const CHUNK = Buffer.alloc(8 << 20);

/**
 * Writes a bucket below `root`.
 *
 * @param {string} root served folder
 * @param {string} bucket name; `${bucket}-composite` holds the same objects without a published MD5, as Google has it for
 *   objects that were put together from pieces
 * @param {number[][]} series sizes of the files of each series, bytes
 * @param {() => { update(chunk: Uint8Array): void, digest(): string }} createCrc32c
 * @returns {{ bucket: string, series: string[], objects: { key: string, name: string, size: number, md5: string, crc32c: string }[], bytes: number }}
 */
export function writeBucket(root, bucket, series, createCrc32c) {
  const stream = createCipheriv('aes-256-ctr', Buffer.alloc(32, bucket), Buffer.alloc(16));
  const objects = [];
  const names = series.map((_, index) => uuid(`${bucket} series ${index}`));
  for (const [index, sizes] of series.entries()) {
    const folder = join(root, bucket, names[index]);
    mkdirSync(folder, { recursive: true });
    for (const [number, size] of sizes.entries()) {
      const name = `${uuid(`${bucket} ${index} ${number}`)}.dcm`;
      const crc = createCrc32c();
      const file = openSync(join(folder, name), 'wx');
      for (let done = 0; done < size; ) {
        const bytes = stream.update(CHUNK.subarray(0, Math.min(CHUNK.length, size - done)));
        crc.update(bytes);
        writeSync(file, bytes);
        done += bytes.length;
      }
      closeSync(file);
      objects.push({ key: `${names[index]}/${name}`, name, size, crc32c: crc.digest() });
    }
  }
  const sums = md5Of(join(root, bucket));
  for (const object of objects) object.md5 = sums.get(object.name);
  objects.sort((a, b) => (a.key < b.key ? -1 : 1));
  symlinkSync(bucket, join(root, `${bucket}-composite`));
  for (const [name, composite] of [
    [bucket, false],
    [`${bucket}-composite`, true],
  ]) {
    writeListings(root, name, '_all', objects, composite);
    for (const one of names)
      writeListings(
        root,
        name,
        one,
        objects.filter(({ key }) => key.startsWith(`${one}/`)),
        composite,
      );
    for (const object of objects) {
      const { key, md5, crc32c } = object;
      const item = JSON.stringify(jsonItem(name, object, composite));
      appendFileSync(join(root, 'item.map'), `'/${name}/${key}' '${item}';\n`);
      const crc = `crc32c=${base64(crc32c)}`;
      appendFileSync(join(root, 'md5.map'), `'/${name}/${key}' '"${md5}"';\n`);
      appendFileSync(
        join(root, 'hash.map'),
        `'/${name}/${key}' '${composite ? crc : `${crc},md5=${base64(md5)}`}';\n`,
      );
    }
  }
  return { bucket, series: names, objects, bytes: objects.reduce((sum, { size }) => sum + size, 0) };
}

/** What md5sum, a program of others, says of every file below a folder (hidden folders and lock files left out), by name. */
export function md5Of(folder) {
  const text = execFileSync(
    'sh',
    [
      '-c',
      "find . -name '.carrel' -prune -o -name 'carrel.*.json*' -o -type f -print0 | xargs -0 -r -n 200 -P 2 md5sum",
    ],
    { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 28 },
  );
  const sums = new Map();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const name = line.slice(34).split('/').at(-1);
    if (sums.has(name)) throw new Error(`${name} stands twice below ${folder}`);
    sums.set(name, line.slice(0, 32));
  }
  return sums;
}

/** Throws where a folder does not hold exactly these objects. @returns bytes found to be right */
export function checkFolder(folder, objects) {
  const sums = md5Of(folder);
  if (sums.size !== objects.length)
    throw new Error(`${sums.size} files where ${objects.length} were asked for, in ${folder}`);
  let bytes = 0;
  for (const { name, md5, size } of objects) {
    if (sums.get(name) !== md5) throw new Error(`${name} has other bytes in ${folder}`);
    bytes += size;
  }
  return bytes;
}

/** The pages that both clouds would answer with for the keys of a prefix. */
export function writeListings(root, bucket, prefix, objects, composite) {
  const folder = join(root, 'lists', bucket, prefix);
  mkdirSync(folder, { recursive: true });
  const pages = Math.max(1, Math.ceil(objects.length / PAGE));
  for (let page = 0; page < pages; page += 1) {
    const items = objects.slice(page * PAGE, (page + 1) * PAGE);
    const more = page + 1 < pages;
    writeFileSync(join(folder, `${page}.xml`), xmlPage(bucket, prefix, items, more ? page + 1 : undefined));
    writeFileSync(
      join(folder, `${page}.json`),
      jsonPage(bucket, items, more ? page + 1 : undefined, composite),
    );
  }
}

const TIME = '2026-01-02T03:04:05.000Z';

function xmlPage(bucket, prefix, items, next) {
  const contents = items.map(
    ({ key, md5, size }) =>
      `<Contents><Key>${key}</Key><LastModified>${TIME}</LastModified><ETag>&quot;${md5}&quot;</ETag><Size>${size}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
  );
  const token = next === undefined ? '' : `<NextContinuationToken>${next}</NextContinuationToken>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${bucket}</Name><Prefix>${prefix === '_all' ? '' : `${prefix}/`}</Prefix><KeyCount>${items.length}</KeyCount><MaxKeys>${PAGE}</MaxKeys><IsTruncated>${next !== undefined}</IsTruncated>${token}${contents.join('')}</ListBucketResult>`;
}

function jsonPage(bucket, items, next, composite) {
  return JSON.stringify({
    kind: 'storage#objects',
    ...(next === undefined ? {} : { nextPageToken: String(next) }),
    items: items.map((object) => jsonItem(bucket, object, composite)),
  });
}

function jsonItem(bucket, { key, md5, crc32c, size }, composite) {
  return {
    kind: 'storage#object',
    id: `${bucket}/${key}/1`,
    name: key,
    bucket,
    generation: '1',
    metageneration: '1',
    contentType: 'application/dicom',
    storageClass: 'STANDARD',
    size: String(size),
    ...(composite ? { componentCount: 2 } : { md5Hash: base64(md5) }),
    crc32c: base64(crc32c),
    etag: 'CAE=',
    timeCreated: TIME,
    updated: TIME,
  };
}

const base64 = (hex) => Buffer.from(hex, 'hex').toString('base64');

function uuid(text) {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
