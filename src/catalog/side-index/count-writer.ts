/**
 * What counts are answered from without the engine: of every row of the tables' release a code per column with few
 * values, its files and bytes, and where another patient and another study begins.
 */
import { quoted, type Session } from '../engine.ts';
import type { OpenTables } from '../open-tables.ts';
import { writePiece } from './pieces.ts';
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
  /** The values of one row, by `select`; its PatientID and StudyInstanceUID as anything that tells them apart. */
  add(columns: readonly (readonly unknown[])[], at: number, patient: string, study: string): void;
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
  const select: string[] = [];
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
      select.push('0');
      continue;
    }
    // An ENUM gives each value its place in the order of the list.
    const code = `carrel.code_${columns.length}`;
    await session.connection.run(
      `CREATE OR REPLACE TYPE ${code} AS ENUM (SELECT v::VARCHAR FROM (${distinct}) ORDER BY v)`,
    );
    select.push(`coalesce(enum_code(${column}::VARCHAR::${code})::INTEGER, ${values.length})`);
  }
  select.push('instanceCount::DOUBLE', 'carrel_bytes::DOUBLE');
  const instances = new Uint32Array(rows);
  const low = new Uint32Array(rows);
  const high = new Uint16Array(rows);
  const patients = createRuns(rows);
  const studies = createRuns(rows);
  let row = 0;
  return {
    select,
    add(values, at, patient, study) {
      for (let place = 0; place < columns.length; place += 1) {
        const codes = columns[place]?.codes;
        if (codes !== undefined) codes[row] = values[place]?.[at] as number;
      }
      const files = values[columns.length]?.[at] ?? null;
      instances[row] = files === null ? UNKNOWN_FILES : Number(files);
      const bytes = values[columns.length + 1]?.[at] ?? null;
      low[row] = bytes === null ? 0 : Number(bytes) % 2 ** 32;
      high[row] = bytes === null ? UNKNOWN_BYTES : Math.floor(Number(bytes) / 2 ** 32);
      patients.add(row, patient);
      studies.add(row, study);
      row += 1;
    },
    async finish(write) {
      const coded: CountedColumns['columns'] = [];
      for (const { name, values, codes } of columns)
        coded.push({
          name,
          wide: codes instanceof Uint16Array,
          values: await writePiece(write, Buffer.from(JSON.stringify(values))),
          codes: await writePiece(write, bytesOf(codes)),
        });
      return {
        rounded: head?.['rounded'] === true,
        columns: coded,
        instances: await writePiece(write, bytesOf(instances)),
        bytesLow: await writePiece(write, bytesOf(low)),
        bytesHigh: await writePiece(write, bytesOf(high)),
        patients: await patients.finish(write),
        studies: await studies.finish(write),
      };
    },
  };
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
      again: await writePiece(write, bytesOf(Uint32Array.from(again))),
    }),
  };
}

/** The bytes of numbers, little-endian whatever the machine. */
function bytesOf(numbers: Uint8Array | Uint16Array | Uint32Array): Buffer {
  const bytes = Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  if (!BIG_ENDIAN || numbers.BYTES_PER_ELEMENT === 1) return bytes;
  return numbers.BYTES_PER_ELEMENT === 2 ? Buffer.from(bytes).swap16() : Buffer.from(bytes).swap32();
}

const BIG_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0;
