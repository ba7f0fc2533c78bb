/** Release by release, of the series of a study or a patient: what `history-releases.ts` asks the engine for whole collections. */

import type { Row } from './engine.ts';
import type { SeriesRows } from './history.ts';
import type { Named } from './history-names.ts';

/** What a release held. */
export interface ReleaseAmount {
  release: string;
  number: number;
  /** `published`: its own tables are installed; `derived` from newer ones. */
  evidence: 'published' | 'derived';
  series: number;
  studies: number;
  patients: number;
  bytes: number;
  bytesRounded: boolean;
  /** Against the release before. */
  added: number;
  removed: number;
  revised: number;
}

const text = (row: Row, name: string) => String(row[name]);
const covers = (row: Row, release: number) =>
  Number(row['first']) <= release && release <= Number(row['last']);

/** The releases that hold any of it, and those in which the last of it left. */
export function amountsOf(witnesses: readonly SeriesRows[], named: Named): ReleaseAmount[] {
  const [newest] = witnesses;
  if (newest === undefined) return [];
  const { tablesRelease, archive } = newest.tables;
  const own = new Set(witnesses.map(({ tables }) => tables.tablesRelease));
  const held = heldByRelease(witnesses, named);
  const amounts: ReleaseAmount[] = [];
  let before = new Map<string, Row>();
  for (let number = 1; number <= tablesRelease; number += 1) {
    const here = held(number);
    const rows = [...here.values()];
    const gone = [...before.keys()].filter((uid) => !here.has(uid)).length;
    if (rows.length + gone > 0)
      amounts.push({
        release: `${archive.catalog.releasePrefix}${number}`,
        number,
        evidence: own.has(number) ? 'published' : 'derived',
        series: rows.length,
        studies: new Set(rows.map((row) => text(row, 'StudyInstanceUID'))).size,
        patients: new Set(rows.map((row) => JSON.stringify([row['collection_id'], row['PatientID']]))).size,
        bytes: rows.reduce((sum, row) => sum + Number(row['carrel_bytes'] ?? 0), 0),
        bytesRounded: rows.some((row) => row['carrel_rounded'] === true),
        added: [...here.keys()].filter((uid) => !before.has(uid)).length,
        removed: gone,
        revised: [...here].filter(([uid, row]) => {
          const last = before.get(uid);
          return last !== undefined && last['crdc_series_uuid'] !== row['crdc_series_uuid'];
        }).length,
      });
    before = here;
  }
  return amounts;
}

/** From a release to its rows by SeriesInstanceUID; the rules are those of `addDerived` in `history-releases.ts`. */
function heldByRelease(
  witnesses: readonly SeriesRows[],
  named: Named,
): (release: number) => Map<string, Row> {
  const [newest, ...older] = witnesses;
  const own = new Map(witnesses.map((witness) => [witness.tables.tablesRelease, witness]));
  const known = new Set((newest?.rows ?? []).map((row) => text(row, 'crdc_series_uuid')));
  /** Last release before which a version was not public, by the tables that should list it. */
  const notPublicBefore = new Map<string, number>();
  for (const { tables, rows } of older) {
    const release = tables.tablesRelease;
    if (own.has(release - 1)) continue;
    const listed = new Set(
      rows.filter((row) => row['newest'] === true).map((row) => text(row, 'crdc_series_uuid')),
    );
    for (const row of newest?.rows ?? []) {
      const uuid = text(row, 'crdc_series_uuid');
      if (named.holds(row) && covers(row, release) && !listed.has(uuid))
        notPublicBefore.set(uuid, Math.max(release, notPublicBefore.get(uuid) ?? 0));
    }
  }
  /** Of two rows of one version the smaller size counts. */
  const take = (held: Map<string, Row>, row: Row) => {
    const uid = text(row, 'SeriesInstanceUID');
    const other = held.get(uid);
    if (other === undefined || Number(row['carrel_bytes']) < Number(other['carrel_bytes']))
      held.set(uid, row);
  };
  return (release) => {
    const held = new Map<string, Row>();
    const published = own.get(release);
    if (published !== undefined) {
      for (const row of published.rows) if (row['newest'] === true && named.holds(row)) take(held, row);
      return held;
    }
    for (const row of newest?.rows ?? []) {
      const hidden = release < (notPublicBefore.get(text(row, 'crdc_series_uuid')) ?? 0);
      if (named.holds(row) && covers(row, release) && !hidden) take(held, row);
    }
    for (const { rows } of older)
      for (const row of rows) {
        const withdrawn = row['newest'] !== true && !known.has(text(row, 'crdc_series_uuid'));
        if (withdrawn && named.holds(row) && covers(row, release)) take(held, row);
      }
    return held;
  };
}
