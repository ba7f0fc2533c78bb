/** Changes of single files, for slides: the only ones of which a table lists every file. */
import { CarrelError } from '../errors.ts';
import type { InstanceChanges } from './diff-rows.ts';
import type { Session } from './engine.ts';
import type { Side } from './side-by-side.ts';

const TABLE = 'sm_instance_index';

/**
 * Compares the files of the slides in `temp.diff`. A table lists the files of its own current versions, so those of a
 * superseded one are unknown unless its own release's table is installed; such series are counted, not guessed.
 */
export async function compareInstances(
  session: Session,
  sides: readonly (Side | undefined)[],
): Promise<InstanceChanges> {
  for (const [at, side] of sides.entries()) {
    const name =
      side?.tables.content.tables.some((table) => table.name === TABLE) === true ? side : undefined;
    if (name === undefined) {
      throw new CarrelError(
        'not-found',
        `single files cannot be compared: ${side === undefined ? 'a lock file is one of the sides' : `${TABLE} of ${side.tables.version} is not installed`}`,
        {
          item: TABLE,
          next:
            side === undefined
              ? 'carrel verify compares the files of a lock file'
              : `carrel catalog update --version ${side.tables.version} --table ${TABLE}`,
        },
      );
    }
    const uuid = at === 0 ? 'uuid_before' : 'uuid_after';
    await session.connection.run(
      `CREATE TEMP TABLE files${at} AS SELECT i.SOPInstanceUID AS sop, i.crdc_instance_uuid AS file, d.SeriesInstanceUID AS uid
       FROM ${name.name}.main.${TABLE} i JOIN ${name.name}.carrel.current c USING (SeriesInstanceUID)
       JOIN temp.diff d ON d.${uuid} = c.crdc_series_uuid AND d.SeriesInstanceUID = c.SeriesInstanceUID`,
    );
  }
  await session.connection.run(
    `CREATE TEMP TABLE unlisted AS SELECT SeriesInstanceUID AS uid FROM temp.diff WHERE Modality = 'SM' AND
       ((uuid_before IS NOT NULL AND SeriesInstanceUID NOT IN (SELECT uid FROM temp.files0)) OR
        (uuid_after IS NOT NULL AND SeriesInstanceUID NOT IN (SELECT uid FROM temp.files1)))`,
  );
  const [row] = await session.rows(
    `SELECT count(*) FILTER (WHERE f.sop IS NULL) AS added, count(*) FILTER (WHERE t.sop IS NULL) AS removed,
       count(*) FILTER (WHERE f.file <> t.file) AS revised, count(*) FILTER (WHERE f.file = t.file) AS unchanged,
       (SELECT count(*) FROM temp.unlisted) AS unlisted
     FROM (SELECT * FROM temp.files0 WHERE uid NOT IN (SELECT uid FROM temp.unlisted)) f
     FULL JOIN (SELECT * FROM temp.files1 WHERE uid NOT IN (SELECT uid FROM temp.unlisted)) t USING (sop)`,
  );
  return {
    added: Number(row?.['added'] ?? 0),
    removed: Number(row?.['removed'] ?? 0),
    revised: Number(row?.['revised'] ?? 0),
    unchanged: Number(row?.['unchanged'] ?? 0),
    seriesUnknown: Number(row?.['unlisted'] ?? 0),
  };
}
