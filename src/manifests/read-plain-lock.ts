/**
 * The files of a lock file, checked by hand: a schema library takes ten times as long, and a cohort has a hundred thousand
 * of them. What does not look as it should is left to the schema, whose messages name the place.
 */
import * as v from 'valibot';
import { lockSchema } from './lock-schema.ts';

type Document = v.InferOutput<typeof lockSchema>;
type File = Document['files'][number];

const PATH = /^[^/\\\0][^\\\0]*$/;
const DIGEST = /^(?:md5:[0-9a-f]{32}|crc32c:[0-9a-f]{8}|sha256:[0-9a-f]{64})$/;
/** Names that objects have a meaning of their own for. */
const SPECIAL = new Set(['__proto__', 'prototype', 'constructor']);

/** The lock file as the schema would give it; undefined where that may refuse it. */
export function readPlainLock(value: Record<string, unknown>): Document | undefined {
  const { series, files } = value;
  if (!Array.isArray(series) || !Array.isArray(files)) return undefined;
  const read = createReader();
  const own = read(files);
  if (own === undefined) return undefined;
  const lists: File[][] = [];
  for (const one of series as unknown[]) {
    const list = isRecord(one) ? read(one['files']) : undefined;
    if (list === undefined) return undefined;
    lists.push(list);
  }
  // Everything but the files, by the schema.
  const hollow = (series as object[]).map((one) => ({ ...one, files: [] }));
  const result = v.safeParse(lockSchema, { ...value, series: hollow, files: [] }, { abortEarly: true });
  if (!result.success) return undefined;
  const { output } = result;
  for (const [index, list] of lists.entries()) {
    const one = output.series[index];
    if (one !== undefined) one.files = list;
  }
  return { ...output, files: own };
}

function createReader(): (files: unknown) => File[] | undefined {
  // Nearly all files of a cohort stand in the same buckets: they share one record of them.
  const known = new Map<string, Record<string, string>>();
  const mirrorsOf = (value: unknown): Record<string, string> | undefined => {
    if (!isRecord(value)) return undefined;
    let text = '';
    for (const name in value) {
      const place = value[name];
      if (typeof place !== 'string' || place === '' || name === '' || SPECIAL.has(name)) return undefined;
      text += `${name}\n${place}\n`;
    }
    const mirrors = known.get(text) ?? { ...(value as Record<string, string>) };
    known.set(text, mirrors);
    return mirrors;
  };
  const fileOf = (value: unknown): File | undefined => {
    if (!isRecord(value)) return undefined;
    const { path, key, size, digests } = value;
    if (typeof path !== 'string' || !PATH.test(path)) return undefined;
    if (typeof key !== 'string' || key === '') return undefined;
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return undefined;
    if (!Array.isArray(digests) || !digests.every(isDigestText)) return undefined;
    const mirrors = mirrorsOf(value['mirrors']);
    return mirrors === undefined
      ? undefined
      : { path, key: key === path ? path : key, size, digests, mirrors };
  };
  return (files) => {
    if (!Array.isArray(files)) return undefined;
    const read: File[] = [];
    for (const value of files as unknown[]) {
      const file = fileOf(value);
      if (file === undefined) return undefined;
      read.push(file);
    }
    return read;
  };
}

function isDigestText(value: unknown): value is string {
  return typeof value === 'string' && DIGEST.test(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
