/** One pass over the rows of the tables' release: what `summary.ts` has the engine add up, from codes. */
import { UNKNOWN_BYTES, UNKNOWN_FILES } from './count-writer.ts';
import { numbersOf, type Piece } from './pieces.ts';
import { DamagedSideIndex } from './read-piece.ts';
import type { SideIndex } from './read-side-index.ts';
import type { CountedRuns } from './side-file.ts';

/** The codes of a column and what they stand for; the code of none is `values.length`. */
export interface CodedColumn {
  name: string;
  values: unknown[];
  codes: Uint8Array | Uint16Array;
}

/** What the rows of a group add up to. */
export interface Tally {
  /** One code per column that was grouped by. */
  codes: number[];
  series: number;
  patients: number;
  studies: number;
  collections: number;
  instances: number;
  withInstances: number;
  bytes: number;
  withBytes: number;
}

/** More groups than these are a question for the engine. */
const MOST_GROUPS = 1 << 20;

/** The coded column of that name; undefined where it is not coded. */
export async function readColumn(index: SideIndex, name: string): Promise<CodedColumn | undefined> {
  const column = index.header.counted.columns.find((one) => one.name === name);
  if (column === undefined) return undefined;
  const values = JSON.parse((await index.piece(column.values)).toString()) as unknown[];
  const codes = numbersOf(await index.piece(column.codes), column.wide ? 2 : 1);
  if (codes.length !== index.header.rows.current || codes instanceof Uint32Array)
    throw new DamagedSideIndex('one of its columns is of another length');
  return { name, values, codes };
}

/**
 * Adds up the rows that `selected` (one byte per row; all where undefined) names, per combination of codes. Undefined
 * where these are too many.
 */
export async function tally(
  index: SideIndex,
  columns: readonly CodedColumn[],
  selected: Uint8Array | undefined,
  collections: CodedColumn | undefined,
): Promise<Tally[] | undefined> {
  const { counted, rows } = index.header;
  const possible = columns.reduce((product, { values }) => product * (values.length + 1), 1);
  if (possible > MOST_GROUPS) return undefined;
  const patients = await readRuns(index, counted.patients);
  const studies = await readRuns(index, counted.studies);
  const read = async (piece: Piece, width: 2 | 4) => numbersOf(await index.piece(piece), width);
  const instances = await read(counted.instances, 4);
  const low = await read(counted.bytesLow, 4);
  const high = await read(counted.bytesHigh, 2);
  const groupOf = new Int32Array(possible).fill(-1);
  const groups: Group[] = [];
  for (let row = 0; row < rows.current; row += 1) {
    const patient = patients.at(row);
    const study = studies.at(row);
    if (selected !== undefined && selected[row] === 0) continue;
    let key = 0;
    for (const { codes, values } of columns) key = key * (values.length + 1) + (codes[row] ?? 0);
    let place = groupOf[key] ?? -1;
    if (place === -1) {
      place = groups.length;
      groupOf[key] = place;
      groups.push({
        sum: {
          codes: columns.map(({ codes }) => codes[row] ?? 0),
          series: 0,
          patients: 0,
          studies: 0,
          collections: 0,
          instances: 0,
          withInstances: 0,
          bytes: 0,
          withBytes: 0,
        },
        patient: -1,
        study: -1,
        seen: new Set(),
        collection: new Set(),
      });
    }
    const group = groups[place];
    if (group === undefined) continue;
    const { sum } = group;
    sum.series += 1;
    // Rows of a patient stand together; a text that comes back after others is remembered.
    if (group.patient !== patient) {
      group.patient = patient;
      if (isNew(group.seen, patients, patient, 0)) sum.patients += 1;
      const code = collections?.codes[row];
      if (code !== undefined && code < (collections?.values.length ?? 0)) group.collection.add(code);
    }
    if (group.study !== study) {
      group.study = study;
      if (isNew(group.seen, studies, study, 1)) sum.studies += 1;
    }
    const files = instances[row] ?? UNKNOWN_FILES;
    if (files !== UNKNOWN_FILES) {
      sum.instances += files;
      sum.withInstances += 1;
    }
    const upper = high[row] ?? UNKNOWN_BYTES;
    if (upper !== UNKNOWN_BYTES) {
      sum.bytes += upper * 2 ** 32 + (low[row] ?? 0);
      sum.withBytes += 1;
    }
  }
  return groups.map(({ sum, collection }) => ({ ...sum, collections: collection.size }));
}

/** A group while rows are added up. */
interface Group {
  sum: Tally;
  /** Runs of the row before. */
  patient: number;
  study: number;
  /** Runs met whose text comes in several. */
  seen: Set<number>;
  /** Codes of collections. */
  collection: Set<number>;
}

/** True the first time that a run is met. Only those whose text comes in several runs need be remembered. */
function isNew(seen: Set<number>, runs: Runs, run: number, kind: 0 | 1): boolean {
  if (!runs.several.has(run)) return true;
  const before = seen.size;
  seen.add(run * 2 + kind);
  return seen.size > before;
}

interface Runs {
  /** The run of a row, the first one of its text; to be asked for each row in turn. */
  at(row: number): number;
  /** First runs of texts that come again. */
  several: Set<number>;
}

async function readRuns(index: SideIndex, { starts, again }: CountedRuns): Promise<Runs> {
  const bits = await index.piece(starts);
  if (bits.length !== Math.ceil(index.header.rows.current / 8))
    throw new DamagedSideIndex('one of its columns is of another length');
  const pairs = numbersOf(await index.piece(again), 4);
  const first = new Map<number, number>();
  for (let at = 0; at + 1 < pairs.length; at += 2) first.set(pairs[at] ?? 0, pairs[at + 1] ?? 0);
  let run = -1;
  let current = -1;
  return {
    several: new Set(first.values()),
    at(row) {
      if (((bits[row >> 3] ?? 0) >> (row & 7)) & 1) {
        run += 1;
        current = first.get(run) ?? run;
      }
      return current;
    },
  };
}
