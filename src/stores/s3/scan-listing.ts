/**
 * Listings as every server writes them, read in one pass: two levels of plain elements, no attributes but those of the
 * root, no comments, no sections. A page of 1,000 keys takes 2 ms here and 100 ms in a general parser, and listing is
 * what a large cohort begins with. Anything else is left to that parser: `undefined` says so.
 */

/** Text of elements by name, entities still in them; entries that may repeat as lists. */
export interface ScannedListing {
  fields: Record<string, string>;
  Contents: Record<string, string>[];
  CommonPrefixes: Record<string, string>[];
}

const ROOT = /^\uFEFF?\s*(?:<\?xml[^<>]*\?>\s*)?<ListBucketResult(?:\s[^<>]*)?>/;
const NAME = /^[A-Za-z][A-Za-z0-9]*$/;

/** What stands behind `<Contents>` in nearly all entries of nearly all servers. */
const USUAL =
  /<Key>([^<]*)<\/Key><LastModified>([^<]*)<\/LastModified><ETag>([^<]*)<\/ETag>(?:<Checksum(?:Algorithm|Type)>[^<]*<\/Checksum(?:Algorithm|Type)>){0,2}<Size>([^<]*)<\/Size>(?:<StorageClass>[^<]*<\/StorageClass>)?<\/Contents>/y;

/** Reads a listing of the usual form; undefined for every other text. */
export function scanListing(xml: string): ScannedListing | undefined {
  const start = ROOT.exec(xml)?.[0];
  if (start === undefined || start.endsWith('/>')) return undefined;
  const result: ScannedListing = { fields: {}, Contents: [], CommonPrefixes: [] };
  let at = start.length;

  /** Elements up to the end of `parent`: texts, and what `inner` makes of elements with elements inside. */
  const elements = (
    parent: string,
    into: Record<string, string>,
    inner?: (name: string) => boolean,
  ): boolean => {
    for (;;) {
      const open = xml.indexOf('<', at);
      if (open === -1 || (open > at && xml.slice(at, open).trim() !== '')) return false;
      const close = xml.indexOf('>', open);
      if (close === -1) return false;
      if (xml.charCodeAt(open + 1) === 0x2f) {
        at = close + 1;
        return xml.slice(open + 2, close) === parent;
      }
      const empty = xml.charCodeAt(close - 1) === 0x2f;
      const name = xml.slice(open + 1, empty ? close - 1 : close);
      if (!NAME.test(name)) return false;
      at = close + 1;
      if (empty) {
        if (name in into) return false;
        into[name] = '';
        continue;
      }
      const next = xml.indexOf('<', at);
      if (next === -1) return false;
      const isText = xml.charCodeAt(next + 1) === 0x2f;
      if (!isText) {
        if (inner === undefined || !inner(name)) return false;
        continue;
      }
      const end = next + 2 + name.length;
      if (xml.charCodeAt(end) !== 0x3e || !xml.startsWith(name, next + 2) || name in into) return false;
      into[name] = xml.slice(at, next);
      at = end + 1;
    }
  };

  /** Elements inside of entries that nobody needs, such as `Owner`. */
  const skip = (name: string): boolean => elements(name, {}, skip);
  const whole = elements('ListBucketResult', result.fields, (name) => {
    if (name === 'Contents') {
      USUAL.lastIndex = at;
      const [, Key, LastModified, ETag, Size] = USUAL.exec(xml) ?? [];
      if (Key !== undefined && LastModified !== undefined && ETag !== undefined && Size !== undefined) {
        result.Contents.push({ Key, LastModified, ETag, Size });
        at = USUAL.lastIndex;
        return true;
      }
    }
    const entry: Record<string, string> = {};
    if (!elements(name, entry, skip)) return false;
    if (name === 'Contents' || name === 'CommonPrefixes') result[name].push(entry);
    return true;
  });
  return whole && xml.slice(at).trim() === '' ? result : undefined;
}
