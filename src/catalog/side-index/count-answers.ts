/**
 * Counts of plain selections (fields whose columns are coded) from the side index; `summary.ts` says what they mean, and
 * tests hold the two against each other. `undefined` means: ask the tables.
 */
import { answerColumn, BYTES_COLUMN } from '../columns.ts';
import { allowsCommercialUse, licenseTerms } from '../license-policy.ts';
import type { OpenTables } from '../open-tables.ts';
import type { Selection } from '../rows.ts';
import { FIELD_COLUMNS, type SelectionField } from '../selection-fields.ts';
import type { Amount, Counts, GroupOptions, GroupRow, LicenseShare } from '../summary.ts';
import type { SideIndex } from './read-side-index.ts';
import { type CodedColumn, readColumn, type Tally, tally } from './tally.ts';

/** Answers without notes: every value was found as it was given. */
export interface CountAnswers {
  count(selection: Selection, sums?: readonly string[]): Promise<Counts | undefined>;
  groupBy(
    selection: Selection,
    columns: readonly string[],
    options?: Omit<GroupOptions, 'signal'>,
  ): Promise<{ rows: GroupRow[]; notes: [] } | undefined>;
  licenses(selection: Selection): Promise<LicenseShare[] | undefined>;
}

/** Fields of a selection that are about a coded column. */
const FIELDS = (Object.keys(FIELD_COLUMNS) as SelectionField[]).filter(
  (field) => !['patient', 'study', 'series', 'crdcSeriesUuid'].includes(field),
);

/** Answers from `index`, which was made from `tables`. */
export function createCountAnswers(index: SideIndex, tables: Omit<OpenTables, 'engine'>): CountAnswers {
  const { rounded } = index.header.counted;
  const read = new Map<string, Promise<CodedColumn | undefined>>();
  const column = (name: string) => {
    const known = read.get(name) ?? readColumn(index, name);
    read.set(name, known);
    return known;
  };
  const amountOf = (group: Tally): Amount => ({
    patients: group.patients,
    studies: group.studies,
    series: group.series,
    instances: group.instances,
    bytes: group.bytes,
    seriesWithoutInstances: group.series - group.withInstances,
    seriesRounded: rounded ? group.series : 0,
  });
  /** Sums of files and bytes; all others are for the engine. */
  const namesOf = (sums: readonly string[]): string[] | undefined => {
    const names = sums.map((sum) => answerColumn(tables as OpenTables, sum));
    const own = (name: string) =>
      name === 'instanceCount' || (name === BYTES_COLUMN && !tables.relations.columns.includes(name));
    return names.every(own) ? names : undefined;
  };
  const sumsOf = (names: readonly string[], group: Tally): { sums?: Record<string, number | null> } => {
    if (names.length === 0) return {};
    const sum = (name: string) => {
      if (name === BYTES_COLUMN) return group.withBytes === 0 ? null : group.bytes;
      return group.withInstances === 0 ? null : group.instances;
    };
    return { sums: Object.fromEntries(names.map((name) => [name, sum(name)])) };
  };

  /** A byte per row; `all` where nothing is left out, undefined where the engine must decide. */
  const select = async (selection: Selection): Promise<Uint8Array | 'all' | undefined> => {
    let selected: Uint8Array | undefined;
    const narrow = ({ codes, values }: CodedColumn, keeps: (code: number) => boolean) => {
      const kept = Uint8Array.from({ length: values.length + 1 }, (_, code) => Number(keeps(code)));
      const rows = selected ?? new Uint8Array(codes.length).fill(1);
      for (let row = 0; row < rows.length; row += 1) if (kept[codes[row] ?? 0] === 0) rows[row] = 0;
      selected = rows;
    };
    for (const [field, wanted] of Object.entries(selection)) {
      if (wanted === undefined || (field === 'analysisResults' && wanted === 'include')) continue;
      if (field === 'release' && wanted === 'current') continue;
      if (field === 'analysisResults') {
        const results = await column('analysis_result_id');
        if (results === undefined) return undefined;
        narrow(results, (code) => (code === results.values.length) === (wanted === 'exclude'));
        continue;
      }
      const known = FIELDS.find((one) => one === field);
      const coded = known === undefined ? undefined : await column(FIELD_COLUMNS[known]);
      if (coded === undefined || !Array.isArray(wanted)) return undefined;
      const place = new Map(coded.values.map((value, code) => [value, code]));
      const texts = (wanted as string[]).flatMap((value) =>
        field === 'license' && value === 'commercial'
          ? coded.values.filter((one): one is string => typeof one === 'string' && allowsCommercialUse(one))
          : [value],
      );
      // In another spelling, of another release, or nowhere: the tables know what to say.
      if (!texts.every((text) => place.has(text))) return undefined;
      const codes = new Set(texts.map((text) => place.get(text)));
      narrow(coded, (code) => codes.has(code));
    }
    return selected ?? 'all';
  };
  const add = async (selection: Selection, by: readonly CodedColumn[], collections: boolean) => {
    const selected = await select(selection);
    if (selected === undefined) return undefined;
    const counted = collections ? await column('collection_id') : undefined;
    if (collections && counted === undefined) return undefined;
    const groups = await tally(index, by, selected === 'all' ? undefined : selected, counted);
    // Beyond that the engine's whole numbers are more exact than ours.
    return groups?.every(({ bytes }) => Number.isSafeInteger(bytes)) === true ? groups : undefined;
  };

  return {
    async count(selection, sums = []) {
      const names = namesOf(sums);
      const groups = names === undefined ? undefined : await add(selection, [], true);
      if (groups === undefined || names === undefined) return undefined;
      const [all = EMPTY] = groups;
      return { collections: all.collections, ...amountOf(all), ...sumsOf(names, all), notes: [] };
    },
    async groupBy(selection, columns, { sums = [], order = [], limit } = {}) {
      // A split adds a column that is worked out by the engine.
      if (selection.split !== undefined) return undefined;
      const names = [...new Set(columns.map((name) => answerColumn(tables as OpenTables, name)))];
      const by = (await Promise.all(names.map(column))).flatMap((one) => (one === undefined ? [] : [one]));
      const added = namesOf(sums);
      if (by.length !== names.length || by.length === 0 || added === undefined || order.length > 0)
        return undefined;
      const groups = await add(selection, by, false);
      if (groups === undefined) return undefined;
      groups.sort((a, b) => b.series - a.series || byCodes(a, b));
      const kept = limit === undefined ? groups : groups.slice(0, Math.max(0, Math.trunc(limit)));
      const rows = kept.map((group) => ({
        values: Object.fromEntries(
          by.map(({ name, values }, place) => [name, values[group.codes[place] ?? -1] ?? null]),
        ),
        ...amountOf(group),
        ...sumsOf(added, group),
      }));
      return { rows, notes: [] };
    },
    async licenses(selection) {
      const by = await column('license_short_name');
      const groups = by === undefined ? undefined : await add(selection, [by], true);
      if (groups === undefined || by === undefined) return undefined;
      groups.sort((a, b) => b.bytes - a.bytes || byCodes(a, b));
      return groups.map((group) => {
        const license = (by.values[group.codes[0] ?? -1] ?? null) as string | null;
        const head = { license, ...licenseTerms(license), collections: group.collections };
        return { ...head, ...amountOf(group) };
      });
    },
  };
}

const EMPTY: Tally = {
  codes: [],
  series: 0,
  patients: 0,
  studies: 0,
  collections: 0,
  instances: 0,
  withInstances: 0,
  bytes: 0,
  withBytes: 0,
};

/** In the engine's order of values, none last. */
function byCodes(a: Tally, b: Tally): number {
  for (const [place, code] of a.codes.entries()) {
    const other = b.codes[place] ?? 0;
    if (code !== other) return code - other;
  }
  return 0;
}
