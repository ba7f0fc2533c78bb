/**
 * Sheets of an `.xlsx` (ECMA-376 part 1, 18): rows of text, one at a time. Shared, rich and inline strings, numbers as they
 * are stored, and of formulas the value that was stored with them. Styles, dates and charts are not looked at.
 */
import { XMLParser } from 'fast-xml-parser';
import { CarrelError } from '../errors.ts';
import { openZipBytes, type ZipBytes } from './zip-bytes.ts';

/** Bytes of XML that a workbook may hold: some million cells. */
const LARGEST_WORKBOOK = 400 * 1024 * 1024;

/** Columns of a sheet (XFD). */
const MOST_COLUMNS = 16_384;

/** A row. */
export interface SheetRow {
  /** As the spreadsheet program shows it, from 1. */
  number: number;
  cells: string[];
  hidden: boolean;
  /** Formulas without a stored value: they are empty here. */
  uncomputed: boolean;
}

/** A sheet. */
export interface Sheet {
  name: string;
  rows(): Generator<SheetRow>;
}

/** One level of parsed XML. */
type Node = Record<string, unknown>;

const parser = new XMLParser({
  removeNSPrefix: true,
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  isArray: (name) => ['c', 'r', 't', 'sheet', 'Relationship'].includes(name),
});

/**
 * The sheets of a workbook in its own order.
 *
 * @throws CarrelError `bad-input` for what is no workbook, is damaged, or is too large
 */
export function readSheets(bytes: Uint8Array, origin: string): Sheet[] {
  const zip = openZipBytes(bytes, origin, LARGEST_WORKBOOK);
  const workbook = zip.text('xl/workbook.xml');
  if (workbook === undefined) {
    throw new CarrelError('bad-input', `${origin} is a ZIP archive, not a manifest`, {
      item: origin,
      next: 'unpack it and hand in what is inside',
    });
  }
  const targets = relationships(zip);
  let strings: string[] | undefined;
  const shared = () => (strings ??= sharedStrings(zip));
  const root = child(parse(workbook, origin), 'workbook');
  return list(child(root, 'sheets')['sheet']).flatMap((sheet) => {
    const path = targets.get(String(sheet['@id'] ?? ''));
    // Chart sheets have no rows.
    if (path === undefined) return [];
    let text: string | undefined;
    return [
      {
        name: String(sheet['@name'] ?? ''),
        *rows() {
          text ??= zip.text(path) ?? '';
          yield* rowsOf(text, shared, origin);
        },
      },
    ];
  });
}

/** Paths of the worksheets by relationship. */
function relationships(zip: ZipBytes): Map<string, string> {
  const text = zip.text('xl/_rels/workbook.xml.rels');
  if (text === undefined) return new Map();
  const root = child(parse(text, 'xl/_rels/workbook.xml.rels'), 'Relationships');
  return new Map(
    list(root['Relationship']).flatMap((one): [string, string][] => {
      if (!String(one['@Type']).endsWith('/worksheet')) return [];
      const target = String(one['@Target']);
      return [[String(one['@Id']), target.startsWith('/') ? target.slice(1) : `xl/${target}`]];
    }),
  );
}

function sharedStrings(zip: ZipBytes): string[] {
  const strings: string[] = [];
  for (const { xml } of elements(zip.text('xl/sharedStrings.xml') ?? '', 'si')) {
    strings.push(stringOf(child(parse(xml, 'xl/sharedStrings.xml'), 'si')));
  }
  return strings;
}

function* rowsOf(text: string, shared: () => string[], origin: string): Generator<SheetRow> {
  let number = 0;
  for (const { xml } of elements(text, 'row')) {
    const row = list(parse(xml, origin)['row'])[0] ?? {};
    number = Number(row['@r'] ?? number + 1);
    const cells: string[] = [];
    let uncomputed = false;
    for (const cell of list(row['c'])) {
      const column = columnOf(cell['@r']) ?? cells.length;
      if (column >= MOST_COLUMNS) continue;
      while (cells.length < column) cells.push('');
      const value = cellText(cell, shared);
      uncomputed ||= value === '' && cell['f'] !== undefined;
      cells[column] = value;
    }
    yield { number, cells, hidden: /^(?:1|true)$/.test(String(row['@hidden'])), uncomputed };
  }
}

/** `AB12` → 27. */
function columnOf(reference: unknown): number | undefined {
  const letters = /^([A-Z]{1,3})\d*$/.exec(String(reference ?? ''))?.[1];
  if (letters === undefined) return undefined;
  let column = 0;
  for (const letter of letters) column = column * 26 + letter.charCodeAt(0) - 64;
  return column - 1;
}

function cellText(cell: Node, shared: () => string[]): string {
  if (cell['@t'] === 'inlineStr') return stringOf(child(cell, 'is'));
  const value = textOf(cell['v']);
  if (cell['@t'] === 's') return shared()[Number(value)] ?? '';
  return value;
}

/** A string item: plain text, or runs of text; phonetic hints (`rPh`) are no part of it. */
function stringOf(item: Node): string {
  const runs = list(item['r']);
  const texts = runs.length > 0 ? runs.flatMap((run) => many(run['t'])) : many(item['t']);
  return texts.map(textOf).join('');
}

/**
 * Elements of one name, cut out of the text one by one: a tree of a whole sheet would take ten times its memory.
 * Elements of these names never nest.
 */
function* elements(text: string, name: string): Generator<{ xml: string }> {
  const open = new RegExp(`<((?:\\w+:)?)${name}(?=[\\s/>])`, 'g');
  for (let found = open.exec(text); found !== null; found = open.exec(text)) {
    const tagEnd = text.indexOf('>', found.index);
    if (tagEnd < 0) return;
    let end = tagEnd + 1;
    if (text[tagEnd - 1] !== '/') {
      const close = `</${found[1] ?? ''}${name}>`;
      const at = text.indexOf(close, tagEnd);
      if (at < 0) return;
      end = at + close.length;
    }
    yield { xml: text.slice(found.index, end) };
    open.lastIndex = end;
  }
}

function parse(xml: string, origin: string): Node {
  try {
    return parser.parse(xml) as Node;
  } catch (cause) {
    throw new CarrelError('bad-input', `${origin} has a sheet that cannot be read`, {
      item: origin,
      next: 'save it again as .xlsx or as CSV',
      cause,
    });
  }
}

function child(node: Node, name: string): Node {
  const value = node[name];
  if (typeof value === 'string') return { t: [value] };
  return list(value)[0] ?? {};
}

function list(value: unknown): Node[] {
  return many(value).filter((one): one is Node => typeof one === 'object' && one !== null);
}

function many(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : value === undefined ? [] : [value];
}

/** The text of an element with or without attributes. */
function textOf(value: unknown): string {
  const [first] = many(value);
  if (typeof first === 'string') return first;
  const text = typeof first === 'object' && first !== null ? (first as Node)['#text'] : undefined;
  return typeof text === 'string' ? text : '';
}
