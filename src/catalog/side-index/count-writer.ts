/**
 * What counts are answered from without the engine: of every row of the tables' release a code per column with few
 * values, its files and bytes, and where another patient and another study begins.
 */
import { quoted, type Session } from '../engine.ts';
import type { OpenTables } from '../open-tables.ts';
import { littleEndian, writePiece } from './pieces.ts';
import type { CountedColumns, CountedRuns } from './side-file.ts';

/** More values than these are not coded: whoever counts by them asks the tables. */
const MOST_VALUES = 65_535;

/** Types whose values can be told apart by their text. */
const CODED = /^(VARCHAR|BOOLEAN|DATE|U?(TINY|SMALL|BIG)?INT(EGER)?)$/;

/** Columns that are different in nearly every row. */
const IDS = new Set([
  'crdc_series_uuid',
  'SeriesInstanceUID',
  'StudyInstanceUID',
  'PatientID',
  'series_aws_url',
]);

/** Takes the rows of the tables' release in their order. */
export interface CountWriter {
  /** SQL of what is fetched of each row, for `add`. */
  readonly select: string[];
  /** The next rows, column by column as in `select`. */
  addColumns(columns: readonly (readonly unknown[])[]): void;
  /** What tells the patient and the study of a row apart from others. */
  addRow(row: number, patient: string, study: string): void;
  finish(write: (bytes: Buffer) => Promise<number>): Promise<CountedColumns>;
}

/** Finds the columns that can be coded, and their values in the engine's order. */
export async function createCountWriter(
  session: Session,
  tables: Omit<OpenTables, 'engine'>,
): Promise<CountWriter> {
  const [head] = await session.rows(
    'SELECT count(*) AS n, bool_or(carrel_rounded) AS rounded FROM carrel.current',
  );
  const rows = Number(head?.['n'] ?? 0);
  const columns: { name: string; values: unknown[]; codes: Uint8Array | Uint16Array }[] = [];
  const codeSql: string[] = [];
  for (const name of tables.relations.columns) {
    const type = tables.relations.types[name] ?? (tables.relations.absent.includes(name) ? 'VARCHAR' : '');
    if (IDS.has(name) || !CODED.test(type)) continue;
    const column = quoted(name);
    const distinct = `SELECT DISTINCT ${column} AS v FROM carrel.current WHERE ${column} IS NOT NULL`;
    const found = await session.rows(
      `SELECT v, v::VARCHAR AS text FROM (${distinct} LIMIT ${MOST_VALUES + 1}) ORDER BY v`,
    );
    if (found.length > MOST_VALUES) continue;
    const values = found.map(({ v }) => v);
    columns.push({
      name,
      values,
      codes: values.length < 256 ? new Uint8Array(rows) : new Uint16Array(rows),
    });
    if (values.length === 0) {
      codeSql.push('0');
      continue;
    }
    // An ENUM gives each value its place in the order of the list.
    const code = `carrel.code_${columns.length}`;
    await session.connection.run(
      `CREATE OR REPLACE TYPE ${code} AS ENUM (SELECT v::VARCHAR FROM (${distinct}) ORDER BY v)`,
    );
    codeSql.push(`coalesce(enum_code(${column}::VARCHAR::${code})::INTEGER, ${values.length})`);
  }
  // Three codes of 16 bits to a number: every value that the engine's library hands over costs.
  const select: string[] = [];
  for (let at = 0; at < codeSql.length; at += PACKED) {
    const [a = '0', b = '0', c = '0'] = codeSql.slice(at, at + PACKED);
    select.push(`${a}::DOUBLE + ${b}::DOUBLE * 65536 + ${c}::DOUBLE * 4294967296`);
  }
  const packed = select.length;
  select.push('instanceCount::DOUBLE', 'carrel_bytes::DOUBLE');
  const instances = new Uint32Array(rows);
  const low = new Uint32Array(rows);
  const high = new Uint16Array(rows);
  const patients = createRuns(rows);
  const studies = createRuns(rows);
  let row = 0;
  return {
    select,
    addColumns(values) {
      const added = values[0]?.length ?? 0;
      for (let at = 0; at < packed; at += 1) unpack(values[at] ?? [], columns, at * PACKED, row);
      const [files = [], bytes = []] = values.slice(packed);
      for (let at = 0; at < added; at += 1) {
        const count = files[at] ?? null;
        instances[row + at] = count === null ? UNKNOWN_FILES : Number(count);
        const size = bytes[at] ?? null;
        low[row + at] = size === null ? 0 : Number(size) % 2 ** 32;
        high[row + at] = size === null ? UNKNOWN_BYTES : Math.floor(Number(size) / 2 ** 32);
      }
      row += added;
    },
    addRow(at, patient, study) {
      patients.add(at, patient);
      studies.add(at, study);
    },
    async finish(write) {
      const coded: CountedColumns['columns'] = [];
      for (const { name, values, codes } of columns)
        coded.push({
          name,
          wide: codes instanceof Uint16Array,
          values: await writePiece(write, Buffer.from(JSON.stringify(values))),
          codes: await writePiece(write, littleEndian(codes)),
        });
      return {
        rounded: head?.['rounded'] === true,
        columns: coded,
        instances: await writePiece(write, littleEndian(instances)),
        bytesLow: await writePiece(write, littleEndian(low)),
        bytesHigh: await writePiece(write, littleEndian(high)),
        patients: await patients.finish(write),
        studies: await studies.finish(write),
      };
    },
  };
}

/** Codes in one number. */
const PACKED = 3;

/** Takes the codes of three columns out of numbers. */
function unpack(
  numbers: readonly unknown[],
  columns: readonly { codes: Uint8Array | Uint16Array }[],
  first: number,
  row: number,
): void {
  const [a, b, c] = columns.slice(first, first + PACKED).map(({ codes }) => codes);
  for (let at = 0; at < numbers.length; at += 1) {
    const number = numbers[at] as number;
    const upper = Math.floor(number / 2 ** 32);
    const lower = number - upper * 2 ** 32;
    if (a !== undefined) a[row + at] = lower & 0xffff;
    if (b !== undefined) b[row + at] = lower >>> 16;
    if (c !== undefined) c[row + at] = upper;
  }
}

/** Number of files that stands for none known; upper 16 bits of a size that do. */
export const UNKNOWN_FILES = 0xffffffff;
/** See `UNKNOWN_FILES`. */
export const UNKNOWN_BYTES = 0xffff;

/** Runs of rows with the same text: a bit where one begins, and which runs have the text of an earlier one. */
function createRuns(rows: number) {
  const starts = Buffer.alloc(Math.ceil(rows / 8));
  const first = new Map<string, number>();
  const again: number[] = [];
  let last: string | undefined;
  let run = -1;
  return {
    add(row: number, text: string) {
      if (text === last) return;
      last = text;
      run += 1;
      starts[row >> 3] = (starts[row >> 3] ?? 0) | (1 << (row & 7));
      const known = first.get(text);
      if (known === undefined) first.set(text, run);
      else again.push(run, known);
    },
    finish: async (write: (bytes: Buffer) => Promise<number>): Promise<CountedRuns> => ({
      starts: await writePiece(write, starts),
      again: await writePiece(write, littleEndian(Uint32Array.from(again))),
    }),
  };
}
