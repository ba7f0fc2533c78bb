/**
 * CRDC compound objects (`<series>/crdcobj.json`): a series and its instances as JSON. Read as generously as the
 * format was written: prose, generator and early drafts disagree on member names, placeholders stand for addresses
 * that were never made, and what is unknown is ignored. The one real file of the series f5d6b517-… is the reference.
 */
import { CarrelError } from '../errors.ts';
import { asUuid, type CrdcUuid } from '../identifiers/index.ts';

/** One child of a compound object. */
export interface CompoundChild {
  /** SOPInstanceUID for instances; undefined where the file gives none. */
  name: string | undefined;
  uri: string;
  /** Undefined for a placeholder (`some_TBD_uuid`): announced and not available. */
  uuid: CrdcUuid | undefined;
}

/** A compound object, as far as it concerns us. */
export interface CompoundObject {
  /** `DICOM series` in everything that was ever written. */
  objectType: string | undefined;
  /** The series version; undefined where neither `id` nor `self_uri` holds a uuid. */
  uuid: CrdcUuid | undefined;
  /** SeriesInstanceUID. */
  name: string | undefined;
  children: CompoundChild[];
  /** Other ways that the file offers, with a real address: `folder_object`, `archive_package`. */
  others: { method: string; uri: string; uuid: CrdcUuid }[];
  notes: string[];
}

/** Reads a parsed `crdcobj.json`, or one of the two older prototypes. Throws `bad-input` for anything else. */
export function readCompoundObject(json: unknown, origin = 'crdcobj.json'): CompoundObject {
  const value = record(json);
  if (value === undefined) throw wrong(origin, 'is no JSON object');
  const notes: string[] = [];
  const uuid = lastUuid(value.id) ?? lastUuid(value.self_uri) ?? lastUuid(value.series_uuid);
  const name = textOf(value.name) ?? textOf(value.SeriesInstanceUID);
  const methods = records(value.access_methods);
  const children: CompoundChild[] = [];
  const others: CompoundObject['others'] = [];
  for (const method of methods) {
    // The prose says access_method for children and method for the rest; the data say method.
    const word = textOf(method.method) ?? textOf(method.access_method) ?? '';
    for (const item of records(method.contents)) {
      const child = toChild(textOf(item.name) ?? textOf(item.id), item.drs_uri ?? item.uri ?? item.id);
      if (child === undefined) continue;
      if (word === 'children') children.push(child);
      else if (child.uuid !== undefined) others.push({ method: word, uri: child.uri, uuid: child.uuid });
      else notes.push(`${word} is announced and has no address`);
    }
  }
  // Prototypes: bare uuids of instances, or bare URIs.
  for (const item of [...list(value.instance_uuids), ...list(value.contents)]) {
    const child = toChild(undefined, item);
    if (child !== undefined) children.push(child);
  }
  if (children.length === 0 && uuid === undefined)
    throw wrong(origin, 'is no compound object: it names no children');
  const missing = children.filter((child) => child.uuid === undefined).length;
  if (missing > 0) notes.push(`${missing} of ${children.length} children have no address`);
  return { objectType: textOf(value.object_type), uuid, name, children, others, notes };
}

function toChild(name: string | undefined, uri: unknown): CompoundChild | undefined {
  const text = textOf(Array.isArray(uri) ? uri[0] : uri);
  return text === undefined ? undefined : { name, uri: text, uuid: lastUuid(text) };
}

/** The uuid at the end of a URI or GUID. */
function lastUuid(value: unknown): CrdcUuid | undefined {
  const text = textOf(value);
  return text === undefined ? undefined : asUuid(text.split(/[/:]|%2F/i).pop() ?? '');
}

function wrong(origin: string, what: string): CarrelError {
  return new CarrelError('bad-input', `${origin} ${what}`, {
    item: origin,
    next: 'hand in a crdcobj.json, or name the series itself',
  });
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function records(value: unknown): Record<string, unknown>[] {
  return list(value)
    .map(record)
    .filter((item) => item !== undefined);
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
