/**
 * Look-ups answered from the side index. Each follows the SQL of the same name (`look-up.ts`, `look-up-uids.ts`,
 * `history.ts`, `series-rows.ts`, `summary.ts`), and tests hold the two against each other. `undefined` means: ask the tables.
 */
import type { Row } from '../engine.ts';
import { historyOf } from '../history.ts';
import type { History } from '../history-versions.ts';
import { licenseTerms } from '../license-policy.ts';
import { type BareMatch, BY_NAME, BY_UID, formOf, matchProbes, matchUuid } from '../look-up.ts';
import { addUidRow, UID_COLUMNS, type UidMatch } from '../look-up-uids.ts';
import type { OpenTables } from '../open-tables.ts';
import type { Selection, SeriesRow } from '../rows.ts';
import { seriesReader } from '../series-rows.ts';
import type { LicenseShare } from '../summary.ts';
import { numberOf } from '../values.ts';
import type { SideIndex, SideRow } from './read-side-index.ts';

type Tables = Omit<OpenTables, 'engine'>;

/** Answers over an open side index. */
export interface SideAnswers {
  lookUp(text: string, signal?: AbortSignal): Promise<BareMatch[] | undefined>;
  /** What is found, and which are in no column of any version. */
  lookUpUids(
    uids: readonly string[],
    signal?: AbortSignal,
  ): Promise<{ found: Map<string, UidMatch[]>; unknown: string[] }>;
  seriesByUuid(
    uuids: readonly string[],
    columns?: readonly string[],
    signal?: AbortSignal,
  ): Promise<Map<string, SeriesRow>>;
  history(id: string, signal?: AbortSignal): Promise<History | undefined>;
  /** Rows of a selection of one uuid, series, study, or patient of a collection, and nothing else. */
  select(
    selection: Selection,
    columns?: readonly string[],
    signal?: AbortSignal,
  ): Promise<SeriesRow[] | undefined>;
}

/** Answers from `index`, which was made from `tables`. */
export function createSideAnswers(index: SideIndex, tables: Tables): SideAnswers {
  const { header } = index;
  const place = Object.fromEntries(header.names.map((name) => [name, index.at(name)])) as Record<
    string,
    number
  >;
  const value = ({ values }: SideRow, name: string) => values[place[name] ?? -1] ?? null;
  const isCurrent = ({ row }: SideRow) => row < header.rows.current;
  const readRow = seriesReader(tables, header.names, header.published);
  const seriesRow = (row: SideRow, columns?: readonly string[]): SeriesRow => {
    const read = readRow(row.values);
    if (columns === undefined) return read;
    const asked = new Set(columns.map((column) => column.toLowerCase()));
    const kept = Object.entries(read.columns).filter(([name]) => asked.has(name.toLowerCase()));
    return { ...read, columns: Object.fromEntries(kept) };
  };
  const rowsOf = async (id: string, signal?: AbortSignal) =>
    (await index.versionRows([id], signal)).get(id) ?? [];

  /** Groups by collection and whatever `keyOf` says, with the sums of `look-up.ts`. */
  const group = (rows: SideRow[], keysOf: (row: SideRow) => Row): Row[] => {
    const groups = new Map<string, { keys: Row; rows: SideRow[] }>();
    for (const row of rows) {
      const keys = { ...keysOf(row), collection_id: value(row, 'collection_id') };
      const name = JSON.stringify(keys);
      const known = groups.get(name);
      if (known === undefined) groups.set(name, { keys, rows: [row] });
      else known.rows.push(row);
    }
    const order = (a: Row, b: Row) => (String(a['collection_id']) < String(b['collection_id']) ? -1 : 1);
    return [...groups.values()]
      .map(({ keys, rows: own }) => ({
        ...keys,
        patients: distinct(own.map((row) => value(row, 'PatientID'))),
        studies: distinct(own.map((row) => value(row, 'StudyInstanceUID'))),
        series: own.length,
        instances: total(own.map((row) => value(row, 'instanceCount'))),
        bytes: total(own.map((row) => value(row, 'carrel_bytes'))),
        first: Math.min(...own.map((row) => Number(value(row, 'carrel_min')))),
        last: Math.max(...own.map((row) => Number(value(row, 'carrel_max')))),
      }))
      .sort(order);
  };

  return {
    async lookUp(text, signal) {
      const id = text.trim();
      const form = formOf(id);
      if (form === 'uuid') {
        const uuid = id.toLowerCase();
        const rows = (await rowsOf(uuid, signal)).filter((row) => value(row, 'crdc_series_uuid') === uuid);
        return known(
          matchUuid(
            tables,
            uuid,
            group(rows, (row) => ({ newest: isCurrent(row) })),
          ),
        );
      }
      if (form === 'doi' || form === 'nothing' || header.words.includes(id)) return undefined;
      const probes = form === 'uid' ? BY_UID : BY_NAME.filter(({ level }) => level === 'patient');
      const is = (row: SideRow, column: string) => value(row, column) === id;
      const rows = (await rowsOf(id, signal)).filter(
        (row) => isCurrent(row) && probes.some(({ column }) => is(row, column)),
      );
      const flags = (row: SideRow) =>
        Object.fromEntries(probes.map(({ column, level }) => [`is ${level}`, is(row, column)]));
      // What only earlier releases hold is a question for the tables: its ranges decide.
      return known(matchProbes(tables, probes, id, group(rows, flags), true));
    },

    async lookUpUids(uids, signal) {
      const found = new Map<string, UidMatch[]>();
      const all = await index.versionRows(uids, signal);
      const ids = [...all.keys()].sort(compare);
      const take = (wanted: string[], rowsFor: (rows: SideRow[]) => SideRow[]) => {
        for (const [level, column] of Object.entries(UID_COLUMNS) as [keyof typeof UID_COLUMNS, string][]) {
          for (const uid of wanted) {
            const mine = rowsFor((all.get(uid) ?? []).filter((row) => value(row, column) === uid));
            const rows = mine.map((row) => ({
              uid,
              collection_id: value(row, 'collection_id'),
              crdc_series_uuid: value(row, 'crdc_series_uuid'),
            }));
            rows.sort(
              (a, b) =>
                compare(String(a.collection_id), String(b.collection_id)) ||
                compare(String(a.crdc_series_uuid), String(b.crdc_series_uuid)),
            );
            for (const row of rows) addUidRow(found, row, level);
          }
        }
      };
      take(ids, (rows) => rows.filter(isCurrent));
      take(
        ids.filter((uid) => !found.has(uid)),
        (rows) => {
          const last = Math.max(...rows.map((row) => Number(value(row, 'carrel_max'))));
          return rows.filter((row) => Number(value(row, 'carrel_max')) === last);
        },
      );
      return { found, unknown: uids.filter((uid) => !found.has(uid)) };
    },

    async seriesByUuid(uuids, columns, signal) {
      const wanted = uuids.map((uuid) => uuid.toLowerCase());
      const rows = await index.versionRows(wanted, signal);
      const found = new Map<string, SeriesRow>();
      for (const uuid of wanted) {
        const mine = (rows.get(uuid) ?? []).filter((row) => value(row, 'crdc_series_uuid') === uuid);
        const last = mine.at(-1);
        if (last !== undefined) found.set(uuid, seriesRow(last, columns));
      }
      return found;
    },

    async history(id, signal) {
      const text = id.trim();
      const isUuid = /^[0-9a-f]{8}-/i.test(text);
      const wanted = isUuid ? text.toLowerCase() : text;
      const named = await rowsOf(wanted, signal);
      const uids = isUuid
        ? new Set(
            named
              .filter((row) => value(row, 'crdc_series_uuid') === wanted)
              .map((row) => String(value(row, 'SeriesInstanceUID'))),
          )
        : new Set([wanted]);
      const rows: Row[] = [];
      for (const uid of uids) {
        for (const row of await rowsOf(uid, signal)) {
          if (!isCurrent(row) || value(row, 'SeriesInstanceUID') !== uid) continue;
          const renamed: Record<string, string> = {
            files: 'instanceCount',
            init: 'series_init_idc_version',
            first: 'carrel_min',
            last: 'carrel_max',
            newest: 'carrel_current',
          };
          const names = header.historyNames.map((name) => [name, value(row, renamed[name] ?? name)]);
          rows.push(Object.fromEntries(names) as Row);
        }
        rows.push(...(await index.historyRows(uid, signal)));
      }
      if (rows.length === 0) return undefined;
      return historyOf(wanted, { tables, rows, least: header.firstRelease ?? 0 });
    },

    async select(selection, columns, signal) {
      const keys = Object.keys(selection)
        .filter((key) => selection[key as keyof Selection] !== undefined)
        .sort()
        .join();
      const single = {
        crdcSeriesUuid: 'crdc_series_uuid',
        series: 'SeriesInstanceUID',
        study: 'StudyInstanceUID',
      };
      const field = keys === 'collection,patient' ? 'patient' : keys;
      const column = field === 'patient' ? 'PatientID' : single[field as keyof typeof single];
      if (column === undefined) return undefined;
      const values = selection[field as 'patient'] ?? [];
      const [id] = values;
      if (id === undefined || values.length !== 1) return undefined;
      const collections = selection.collection ?? [];
      if (field === 'patient' && collections.length !== 1) return undefined;
      const anyRelease = field === 'crdcSeriesUuid' && !tables.releaseAsked;
      const rows = (await rowsOf(id, signal)).filter(
        (row) =>
          value(row, column) === id &&
          (anyRelease || isCurrent(row)) &&
          (field !== 'patient' || value(row, 'collection_id') === collections[0]),
      );
      // Nothing, or in another spelling: the tables know what to say.
      return rows.length === 0 ? undefined : rows.map((row) => seriesRow(row, columns));
    },
  };
}

/** The licences of rows, as `licensesOf` gives them. */
export function licensesOfRows(rows: readonly SeriesRow[]): LicenseShare[] {
  const byLicense = new Map<string | null, SeriesRow[]>();
  for (const row of rows) {
    const mine = byLicense.get(row.license_short_name) ?? [];
    byLicense.set(row.license_short_name, mine);
    mine.push(row);
  }
  const shares = [...byLicense].map(([license, mine]) => ({
    license,
    ...licenseTerms(license),
    collections: distinct(mine.map((row) => row.collection_id)),
    patients: distinct(mine.map((row) => JSON.stringify([row.collection_id, row.PatientID]))),
    studies: distinct(mine.map((row) => row.StudyInstanceUID)),
    series: mine.length,
    instances: total(mine.map((row) => row.instanceCount)),
    bytes: total(mine.map((row) => row.bytes)),
    seriesWithoutInstances: mine.filter((row) => row.instanceCount === null).length,
    seriesRounded: mine.filter((row) => row.bytesRounded).length,
  }));
  return shares.sort(
    (a, b) =>
      b.bytes - a.bytes ||
      Number(a.license === null) - Number(b.license === null) ||
      compare(a.license ?? '', b.license ?? ''),
  );
}

function known<T>(list: T[]): T[] | undefined {
  return list.length === 0 ? undefined : list;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function distinct(values: readonly unknown[]): number {
  return new Set(values.filter((one) => one !== null)).size;
}

function total(values: readonly unknown[]): number {
  return values.reduce((sum: number, one) => sum + (numberOf(one) ?? 0), 0);
}
