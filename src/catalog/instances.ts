/** Files, from the one table that lists them: slide microscopy. Of all other series the buckets know the files. */
import type { InstanceRow } from './catalog.ts';
import type { Row, Session } from './engine.ts';
import type { BareMatch } from './look-up.ts';
import type { OpenTables } from './open-tables.ts';

const TABLE = 'sm_instance_index';

/** True where the table is installed. */
function installed(tables: OpenTables): boolean {
  return tables.content.tables.some(({ name }) => name === TABLE);
}

/** A file by instance uuid or SOPInstanceUID. */
export async function findInstance(
  session: Session,
  tables: OpenTables,
  id: string,
): Promise<InstanceRow | undefined> {
  if (!installed(tables)) return undefined;
  const [row] = await session.rows(
    `SELECT * FROM ${TABLE} WHERE crdc_instance_uuid = lower($id) OR SOPInstanceUID = $id LIMIT 1`,
    { id: id.trim() },
  );
  return row === undefined ? undefined : toInstance(row);
}

/** The files of a series by SOPInstanceUID; undefined where the table is not installed. */
export async function listInstances(
  session: Session,
  tables: OpenTables,
  seriesUid: string,
): Promise<InstanceRow[] | undefined> {
  if (!installed(tables)) return undefined;
  const rows = await session.rows(
    `SELECT * FROM ${TABLE} WHERE SeriesInstanceUID = $uid ORDER BY SOPInstanceUID`,
    { uid: seriesUid.trim() },
  );
  return rows.map(toInstance);
}

/** The file that a uuid or SOPInstanceUID names, as a match whose series is that of the file. */
export async function lookUpInstance(
  session: Session,
  tables: OpenTables,
  text: string,
): Promise<BareMatch[]> {
  const instance = await findInstance(session, tables, text);
  if (instance === undefined) return [];
  const [row] = await session.rows(
    'SELECT collection_id, carrel_min AS first, carrel_max AS last FROM carrel.versions WHERE SeriesInstanceUID = $uid ORDER BY last DESC LIMIT 1',
    { uid: instance.SeriesInstanceUID },
  );
  const collection = row === undefined ? null : String(row['collection_id']);
  const last = Number(row?.['last'] ?? tables.release);
  return [
    {
      level: 'instance',
      value: text.trim(),
      collection_id: collection,
      collections: collection === null ? [] : [collection],
      patients: 1,
      studies: 1,
      series: 1,
      instances: 1,
      bytes: instance.bytes ?? 0,
      current: last >= tables.release,
      minRelease: Number(row?.['first'] ?? tables.release),
      maxRelease: last,
      selection: { series: [instance.SeriesInstanceUID] },
    },
  ];
}

function toInstance(row: Row): InstanceRow {
  const uuid = row['crdc_instance_uuid'];
  const size = row['instance_size'];
  return {
    SOPInstanceUID: String(row['SOPInstanceUID']),
    SeriesInstanceUID: String(row['SeriesInstanceUID']),
    crdc_instance_uuid: typeof uuid === 'string' ? uuid : null,
    bytes: size === null || size === undefined ? null : Number(size),
    columns: row,
  };
}
