/**
 * What changed between two releases, or between a list of versions and a release. A series is the same by its
 * SeriesInstanceUID, a version by its uuid; sizes decide nothing (689 series that v25 revised kept theirs to the byte).
 */
import type { Archive } from '../archives/index.ts';
import { CarrelError } from '../errors.ts';
import { compareInstances } from './diff-instances.ts';
import {
  CHANGES,
  type Change,
  type ChangeAmounts,
  DIFF_COLUMNS,
  type Diff,
  type DiffSide,
  type Pinned,
} from './diff-rows.ts';
import { tableOfPinned, tableOfRelease } from './diff-sides.ts';
import { type Row, readChunks, type Session } from './engine.ts';
import { nearest } from './nearest.ts';
import type { Selection } from './rows.ts';
import { compileSelection } from './selection.ts';
import { openSideBySide, type Side } from './side-by-side.ts';

/** What is compared. */
export interface DiffOptions {
  archive: Archive;
  cacheDir: string;
  /** A release (`v23`, `current`) or a list of versions. */
  from: string | Pinned;
  to: string | Pinned;
  /** Only series that it names on either side; their fate is read off the whole release. */
  selection?: Selection | undefined;
  /** Columns of `index` to break the amounts down by: the value after the change, before it where the series is gone. */
  by?: readonly string[] | undefined;
  /** Compare the files of slides too. Throws `not-found` where `sm_instance_index` is not installed. */
  instances?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/** A comparison whose list can be read as long as it is open. */
export interface OpenDiff extends Diff {
  /** Rows with the columns of `DIFF_COLUMNS`, by change, collection, patient, study and series. */
  list(options?: {
    changes?: readonly Change[] | undefined;
    limit?: number | undefined;
  }): AsyncIterable<unknown[][]>;
  close(): void;
}

/** Compares. Throws what `openCatalog` throws, `usage` for columns that are none. */
export async function openDiff(options: DiffOptions): Promise<OpenDiff> {
  const { archive, cacheDir, signal, by = [] } = options;
  const asked = [options.from, options.to];
  const opened = await openSideBySide({
    archive,
    cacheDir,
    signal,
    sides: asked.flatMap((side) => (typeof side === 'string' ? [{ release: side }] : [])),
  });
  const rest = [...opened.sides];
  const sides = asked.map((side) => (typeof side === 'string' ? rest.shift() : undefined));
  const { session, release } = await opened.engine.open(signal).catch((error: unknown) => {
    opened.close();
    throw error;
  });
  const close = () => {
    release();
    opened.close();
  };
  try {
    checkColumns(opened.sides, asked, by);
    const notes = opened.sides.flatMap((side) => side.notes);
    const known = opened.sides.map(({ name }) => `${name}.carrel.versions`).at(-1);
    for (const [at, side] of asked.entries()) {
      const open = sides[at];
      if (open !== undefined)
        await tableOfRelease(session, SIDE_TABLES[at] as string, open.name, open.tables, by);
      else if (typeof side === 'object')
        await tableOfPinned(session, SIDE_TABLES[at] as string, side, archive, by, known);
    }
    const only = await narrow(session, options, sides, notes);
    await session.connection.run(joinSql(by.length, only));
    const changes = await amounts(session, '');
    const [facts] = await session.rows(
      `SELECT coalesce(bool_or(rounded), false) AS rounded, count(*) FILTER (WHERE change IN ('unchanged', 'moved') AND license_before <> license_after) AS relicensed FROM temp.diff`,
    );
    const diff: Diff = {
      from: await describe(session, 0, options.from, sides[0]),
      to: await describe(session, 1, options.to, sides[1]),
      changes: changes[0]?.changes ?? emptyAmounts(),
      relicensed: Number(facts?.['relicensed'] ?? 0),
      bytesRounded: facts?.['rounded'] === true,
      by: by.length === 0 ? undefined : await amounts(session, by.map((_, at) => `by${at}`).join(', '), by),
      instances: options.instances === true ? await compareInstances(session, sides) : undefined,
      notes: [...new Set(notes)],
    };
    return {
      ...diff,
      async *list({ changes: wanted = CHANGES, limit } = {}) {
        const shown = wanted.map((change) => `'${change}'`).join(', ');
        const rank = CHANGES.map((change, at) => `WHEN '${change}' THEN ${at}`).join(' ');
        const result = await session.stream(
          `SELECT ${DIFF_COLUMNS.join(', ')} FROM temp.diff WHERE change IN (${shown === '' ? "''" : shown})
           ORDER BY CASE change ${rank} END, collection_id, PatientID, StudyInstanceUID, SeriesInstanceUID${limit === undefined ? '' : ` LIMIT ${limit}`}`,
        );
        yield* readChunks(result);
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

const SIDE_TABLES = ['side_from', 'side_to'];

function checkColumns(
  sides: readonly Side[],
  asked: readonly (string | Pinned)[],
  by: readonly string[],
): void {
  const pinned = asked.flatMap((one) => (typeof one === 'string' ? [] : Object.keys(one.series[0] ?? {})));
  const columns = sides.flatMap(({ tables }) => tables.relations.columns);
  const known = [...columns, ...pinned.filter((name) => name !== 'buckets')];
  for (const column of by) {
    if (known.some((name) => name.toLowerCase() === column.toLowerCase())) continue;
    const near = nearest(column, known);
    throw new CarrelError('usage', `there is no column ${column} to break the changes down by`, {
      item: column,
      next:
        near.length > 0
          ? `did you mean ${near.join(', ')}?`
          : 'carrel catalog schema index lists the columns',
    });
  }
}

/** The series that a selection names on either side, as a table; undefined where everything takes part. */
async function narrow(
  session: Session,
  options: DiffOptions,
  sides: readonly (Side | undefined)[],
  notes: string[],
): Promise<string | undefined> {
  const { selection = {} } = options;
  const narrowed = Object.keys(selection).some((key) => key !== 'seed');
  const pins = [options.from, options.to].filter((side) => typeof side === 'object');
  if (!narrowed && pins.length === 0) return undefined;
  await session.connection.run('CREATE TEMP TABLE taking_part (uid VARCHAR)');
  const selected = async (what: Selection, side: Side, target: string) => {
    await session.connection.run(`USE ${side.name}`);
    const { release: _, ...rest } = what;
    const compiled = await compileSelection(session, side.tables, rest);
    await session.rows(
      `INSERT INTO temp.${target} SELECT SeriesInstanceUID FROM ${compiled.from}`,
      compiled.parameters,
    );
    notes.push(...compiled.notes.map(({ message }) => message));
  };
  for (const [at, side] of [options.from, options.to].entries()) {
    const open = sides[at];
    if (typeof side === 'object') {
      await session.connection.run(`INSERT INTO temp.taking_part SELECT uid FROM temp.${SIDE_TABLES[at]}`);
      const other = sides[1 - at];
      const question = side.selection;
      if (question !== undefined && other !== undefined && Object.keys(question).length > 0)
        await selected(question, other, 'taking_part');
      else
        notes.push(
          `${side.name} answers no question that could be asked again: nothing is reported as added`,
        );
    } else if (open !== undefined && narrowed && pins.length === 0) {
      await selected(selection, open, 'taking_part');
    }
  }
  if (narrowed && pins.length > 0) {
    await session.connection.run('CREATE TEMP TABLE named (uid VARCHAR)');
    for (const side of sides) if (side !== undefined) await selected(selection, side, 'named');
    await session.connection.run(
      'DELETE FROM temp.taking_part WHERE uid NOT IN (SELECT uid FROM temp.named)',
    );
  }
  return 'temp.taking_part';
}

/** One row per series of either side, with what became of it. */
function joinSql(by: number, only: string | undefined): string {
  const extra = Array.from(
    { length: by },
    (_, at) => `, CASE WHEN t.uid IS NULL THEN f.by${at} ELSE t.by${at} END AS by${at}`,
  );
  const part = (table: string) =>
    only === undefined
      ? `temp.${table}`
      : `(SELECT * FROM temp.${table} WHERE uid IN (SELECT uid FROM ${only}))`;
  return `CREATE TEMP TABLE diff AS SELECT
    CASE WHEN f.uid IS NULL THEN 'added' WHEN t.uid IS NULL THEN 'removed' WHEN f.uuid <> t.uuid THEN 'revised'
      WHEN f.collection <> t.collection OR f.place <> t.place THEN 'moved' ELSE 'unchanged' END AS change,
    coalesce(t.collection, f.collection) AS collection_id, coalesce(t.patient, f.patient) AS PatientID, coalesce(t.study, f.study) AS StudyInstanceUID,
    coalesce(t.uid, f.uid) AS SeriesInstanceUID, coalesce(t.modality, f.modality) AS Modality,
    f.uuid AS uuid_before, t.uuid AS uuid_after, f.bytes AS bytes_before, t.bytes AS bytes_after, f.files AS files_before, t.files AS files_after,
    f.collection AS collection_before, t.collection AS collection_after, f.bucket AS bucket_before, t.bucket AS bucket_after,
    f.license AS license_before, t.license AS license_after, coalesce(f.rounded, false) OR coalesce(t.rounded, false) AS rounded${extra.join('')}
    FROM ${part('side_from')} f FULL JOIN ${part('side_to')} t ON f.uid = t.uid`;
}

/** Amounts per change, in all or per group; groups with the most changed series first. */
async function amounts(
  session: Session,
  group: string,
  names: readonly string[] = [],
): Promise<{ values: Record<string, unknown>; changes: ChangeAmounts }[]> {
  const rows = await session.rows(
    `SELECT change, count(*) AS series, coalesce(sum(bytes_before), 0)::BIGINT AS before, coalesce(sum(bytes_after), 0)::BIGINT AS after${group === '' ? '' : `, ${group}`}
     FROM temp.diff GROUP BY change${group === '' ? '' : `, ${group}`}`,
  );
  const found = new Map<string, { values: Record<string, unknown>; changes: ChangeAmounts }>();
  for (const row of rows) {
    const values = Object.fromEntries(names.map((name, at) => [name, row[`by${at}`]]));
    const key = JSON.stringify(values);
    const one = found.get(key) ?? { values, changes: emptyAmounts() };
    one.changes[row['change'] as Change] = amountOf(row);
    found.set(key, one);
  }
  const changed = ({ changes }: { changes: ChangeAmounts }) =>
    CHANGES.reduce((sum, change) => sum + (change === 'unchanged' ? 0 : changes[change].series), 0);
  return [...found.entries()]
    .sort(([a, one], [b, other]) => changed(other) - changed(one) || (a < b ? -1 : 1))
    .map(([, one]) => one);
}

function amountOf(row: Row): { series: number; bytesBefore: number; bytesAfter: number } {
  return {
    series: Number(row['series']),
    bytesBefore: Number(row['before']),
    bytesAfter: Number(row['after']),
  };
}

function emptyAmounts(): ChangeAmounts {
  const nothing = () => ({ series: 0, bytesBefore: 0, bytesAfter: 0 });
  return { added: nothing(), removed: nothing(), revised: nothing(), moved: nothing(), unchanged: nothing() };
}

async function describe(
  session: Session,
  at: number,
  asked: string | Pinned,
  side: Side | undefined,
): Promise<DiffSide> {
  const present = at === 0 ? "change <> 'added'" : "change <> 'removed'";
  const [row] = await session.rows(
    `SELECT count(*) AS series, coalesce(sum(${at === 0 ? 'bytes_before' : 'bytes_after'}), 0)::BIGINT AS bytes FROM temp.diff WHERE ${present}`,
  );
  const amount = { series: Number(row?.['series'] ?? 0), bytes: Number(row?.['bytes'] ?? 0) };
  if (side === undefined)
    return {
      name: typeof asked === 'object' ? asked.name : asked,
      evidence: 'pinned',
      version: null,
      ...amount,
    };
  const { tables } = side;
  return {
    name: `${tables.archive.catalog.releasePrefix}${tables.release}`,
    evidence: tables.derived ? 'derived' : 'published',
    version: tables.version,
    ...amount,
  };
}
