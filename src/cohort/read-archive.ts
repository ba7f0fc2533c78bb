/** What `--archive` and `openArchive` take: a built-in name, or the path or URL of an archive.json. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Archive, builtInArchive, builtInArchiveNames, parseArchive } from '../archives/index.ts';
import { CarrelError, isCarrelError } from '../errors.ts';
import type { OpenStore } from '../stores/index.ts';

/** Largest archive.json that is read. */
const MAX_RECORD_BYTES = 16 * 1024 * 1024;

/** Options of `readArchive`. */
export interface ReadArchiveOptions {
  openStore: OpenStore;
  /** Folder that relative paths are seen from. */
  cwd: string;
  /** Names that the caller knows beside the built-in ones, for the message. */
  otherNames?: readonly string[] | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Reads the record of an archive.
 *
 * @param name `idc`, a path, `https://…`, `s3://bucket/key`, `gs://bucket/key`
 * @throws `not-found` for a name that is none and no file, `bad-input` for a record that cannot be read, `network`
 */
export async function readArchive(name: string, options: ReadArchiveOptions): Promise<Archive> {
  const { openStore, signal } = options;
  if (builtInArchiveNames.includes(name)) return builtInArchive(name);
  if (/^https?:\/\//.test(name)) {
    const url = new URL(name);
    const store = openStore({ protocol: 'https', endpoint: url.origin, bucket: '' });
    const body = await store.get(`${url.pathname.slice(1)}${url.search}`, { signal });
    return parseRecordText(new TextDecoder().decode(await body.bytes(MAX_RECORD_BYTES)), name, name);
  }
  const cloud = /^(s3|gs):\/\/([^/]+)\/(.+)$/.exec(name);
  if (cloud !== null) {
    const [, scheme, bucket = '', key = ''] = cloud;
    const store = openStore(
      scheme === 's3'
        ? { protocol: 's3', endpoint: 'https://s3.amazonaws.com', bucket, region: 'us-east-1' }
        : { protocol: 'gcs', endpoint: 'https://storage.googleapis.com', bucket },
    );
    const body = await store.get(key, { signal });
    return parseRecordText(new TextDecoder().decode(await body.bytes(MAX_RECORD_BYTES)), name, undefined);
  }
  const path = resolve(options.cwd, name);
  try {
    return parseRecordText(await readFile(path, 'utf8'), name, path);
  } catch (cause) {
    if (isCarrelError(cause)) throw cause;
    throw new CarrelError(
      'not-found',
      `there is no archive ${JSON.stringify(name)}: no such name, and no such file`,
      {
        item: name,
        next: `built-in names: ${[...builtInArchiveNames, ...(options.otherNames ?? [])].join(', ')}; or give the path or URL of an archive.json`,
        cause,
      },
    );
  }
}

/** The text of a record as an archive. `base` is what its relative paths are seen from. Throws `bad-input`. */
export function parseRecordText(text: string, origin: string, base: string | undefined): Archive {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new CarrelError('bad-input', `${origin} is not JSON: ${(cause as Error).message}`, {
      item: origin,
      next: 'compare it with docs/archive.schema.json',
      cause,
    });
  }
  return parseArchive(json, { origin, base });
}
