/**
 * CSV as a table. The engine's own guess of the dialect is not trusted: of a file with one field too many in one line it
 * makes a table with a single column. So the first line decides on the separator, every line must have its fields, and
 * what is an identifier stays text.
 */
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { CarrelError } from '../../errors.ts';
import { literal, messageOf, quoted, type Session } from '../engine.ts';

/** How a CSV file is read. */
export interface Dialect {
  delimiter: string;
  /** Names from the first line, in order. */
  names: string[];
}

/** Bytes of a file that its first line must end within. */
const HEAD = 1 << 20;

/** Names of columns that are never numbers: `PatientID` 123 joins with the archive's tables only as text. */
const IDENTIFIERS = [
  /(^|[^A-Za-z])ids?$/i,
  /[a-z](I[Dd]|U[Ii][Dd]|UUID)s?$/,
  /(uid|uuid|doi)$/i,
  /^(patient|subject|case|study|series|collection|sample)id$/i,
  /^(SeriesNumber|AccessionNumber|MRN)$/i,
];

/** True for a name that is read as CSV. */
export function isCsvName(name: string): boolean {
  return /\.(csv|tsv|tab|txt)(\.gz)?$/i.test(name);
}

/** Reads the first line. Throws `bad-input` where it cannot be the names of the columns. */
export async function readDialect(path: string, shown: string): Promise<Dialect> {
  const line = await firstRecord(path, shown);
  const delimiter = separatorOf(line, shown);
  const names = fieldsOf(line, delimiter).map((name) => name.trim());
  const wrong = (message: string) =>
    new CarrelError('bad-input', `${shown}, line 1: ${message}`, {
      item: `${shown}:1`,
      next: 'the first line must name the columns, each with a name of its own',
    });
  const empty = names.indexOf('');
  if (empty >= 0) throw wrong(`column ${empty + 1} has no name`);
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name.toLowerCase())) throw wrong(`two columns are called ${name}`);
    seen.add(name.toLowerCase());
  }
  if (names.every((name) => /^[-+]?[0-9.,]+$/.test(name)))
    throw wrong(`these are values, not names: ${names.slice(0, 5).join(', ')}`);
  return { delimiter, names };
}

/** The text up to the first line break outside quotation marks. */
async function firstRecord(path: string, shown: string): Promise<string> {
  const bytes = await head(path, shown);
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  if (bytes.includes(0) || (bytes[0] === 0xff && bytes[1] === 0xfe)) {
    throw new CarrelError('bad-input', `${shown} is not text in UTF-8`, {
      item: shown,
      next: 'save it as CSV in UTF-8',
    });
  }
  let inside = false;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '"') inside = !inside;
    else if (!inside && (text[at] === '\n' || text[at] === '\r')) return text.slice(0, at);
  }
  if (text.trim() === '') {
    throw new CarrelError('bad-input', `${shown} is empty`, {
      item: shown,
      next: 'the first line must name the columns',
    });
  }
  return text;
}

async function head(path: string, shown: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    if (!/\.gz$/i.test(path)) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD), 0, HEAD, 0);
      return buffer.subarray(0, bytesRead);
    }
    const pieces: Buffer[] = [];
    let size = 0;
    const unpacked = file.createReadStream({ autoClose: false }).pipe(createGunzip());
    for await (const piece of unpacked) {
      pieces.push(piece as Buffer);
      size += (piece as Buffer).length;
      if (size >= HEAD) break;
    }
    return Buffer.concat(pieces);
  } catch (cause) {
    throw new CarrelError('bad-input', `${shown} cannot be read: ${messageOf(cause)}`, {
      item: shown,
      next: 'compare the file with its origin',
      cause,
    });
  } finally {
    await file.close().catch(() => undefined);
  }
}

/** The separator that the first line has most of, outside quotation marks; a comma where it has none. */
function separatorOf(line: string, shown: string): string {
  if (/\.(tsv|tab)(\.gz)?$/i.test(shown)) return '\t';
  const bare = line.replaceAll(/"(?:[^"]|"")*"/g, '');
  const [best] = [',', ';', '\t', '|']
    .map((separator) => ({ separator, count: bare.split(separator).length - 1 }))
    .sort((a, b) => b.count - a.count);
  return best === undefined || best.count === 0 ? ',' : best.separator;
}

function fieldsOf(line: string, delimiter: string): string[] {
  const fields: string[] = [];
  let field = '';
  let inside = false;
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at];
    if (inside && char === '"' && line[at + 1] === '"') {
      field += '"';
      at += 1;
    } else if (char === '"') inside = !inside;
    else if (!inside && char === delimiter) {
      fields.push(field);
      field = '';
    } else field += char;
  }
  return [...fields, field];
}

/** The options of every reading, after the path. */
function dialectSql({ delimiter }: Dialect): string {
  return `delim=${literal(delimiter)}, quote='"', escape='"', comment='', header=true, skip=0, strict_mode=true, null_padding=false, ignore_errors=false`;
}

function asText(path: string, dialect: Dialect): string {
  const columns = dialect.names.map((name) => `${literal(name)}: 'VARCHAR'`).join(', ');
  return `read_csv(${literal(path)}, auto_detect=false, columns={${columns}}, ${dialectSql(dialect)})`;
}

/** The file as SQL, types found over all of its rows; `text` are columns that stay text. */
export function csvSource(path: string, dialect: Dialect, text: readonly string[]): string {
  const types = text.map((name) => `${literal(name)}: 'VARCHAR'`).join(', ');
  return `read_csv(${literal(path)}, ${dialectSql(dialect)}, sample_size=-1${types === '' ? '' : `, types={${types}}`})`;
}

/** Columns that stay text by their names. */
export function identifierColumns(dialect: Dialect): string[] {
  return dialect.names.filter((name) => IDENTIFIERS.some((form) => form.test(name)));
}

/**
 * Reads every line: each must have as many fields as the first. Answers with the columns that stay text: identifiers by
 * name, and numbers that begin with a zero. Throws `bad-input` with the line.
 */
export async function checkCsv(
  session: Session,
  path: string,
  shown: string,
  dialect: Dialect,
): Promise<string[]> {
  const zeros = dialect.names.map(
    (name) => `coalesce(bool_or(regexp_matches(${quoted(name)}, '^0[0-9]+$')), false)`,
  );
  try {
    const [row] = await session.rows(`SELECT [${zeros.join(', ')}] AS zeros FROM ${asText(path, dialect)}`);
    const found = Array.isArray(row?.['zeros']) ? (row['zeros'] as unknown[]) : [];
    return [
      ...new Set([...identifierColumns(dialect), ...dialect.names.filter((_, at) => found[at] === true)]),
    ];
  } catch (error) {
    throw csvError(error, shown, dialect);
  }
}

/** The engine's message about a line as ours: the file, the line, what is wrong with it. */
export function csvError(error: unknown, shown: string, dialect: Dialect): CarrelError {
  const message = messageOf(error);
  const line = /CSV Error on Line: (\d+)/.exec(message)?.[1];
  const original = /Original Line: (.*)/.exec(message)?.[1]?.slice(0, 120);
  const fields = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(message);
  const what =
    fields !== null
      ? `${fields[2]} fields where the first line has ${fields[1]}`
      : /not utf-8/i.test(message)
        ? 'not text in UTF-8'
        : /unterminated quote|Value with unterminated/i.test(message)
          ? 'a quotation mark is not closed'
          : (message
              .split('\n')
              .find(
                (part) =>
                  !/^(Invalid Input|Conversion) Error|^Original Line/.test(part) && part.trim() !== '',
              ) ??
            message.split('\n')[0] ??
            message);
  return new CarrelError(
    'bad-input',
    `${shown}${line === undefined ? '' : `, line ${line}`}: ${what}${original === undefined || /utf-8/i.test(what) ? '' : `: ${original}`}`,
    {
      item: line === undefined ? shown : `${shown}:${line}`,
      next: /UTF-8/.test(what)
        ? 'save it as CSV in UTF-8'
        : `fields are separated by ${separatorName(dialect.delimiter)}; a field that holds one, or a line break, stands in quotation marks`,
      cause: error,
    },
  );
}

function separatorName(delimiter: string): string {
  return delimiter === '\t' ? 'tabs' : `"${delimiter}"`;
}
