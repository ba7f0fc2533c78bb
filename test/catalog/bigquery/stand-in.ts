/**
 * Tables laid out like those of IDC's data sets, made from a table `index`: as many rows as each series has files, with
 * what is one per series in each, what is a list of distinct values spread over them, and sizes that add up. Each file
 * has two rows in `dicom_metadata_curated`, so that a join that counts twice is seen.
 */
import { DuckDBInstance } from '@duckdb/node-api';

/** A database with the tables, in the catalogue and schema that statements name. */
export interface StandIn {
  rows(sql: string): Promise<{ names: string[]; types: string[]; rows: unknown[][] }>;
  close(): void;
}

const quote = (path: string) => `'${path.replaceAll("'", "''")}'`;

/** Makes the tables of one release from Parquet files of the catalogue. */
export async function createStandIn(
  tables: { index: string; collections?: string; analysisResults?: string; releases?: string },
  project: string,
  dataSet: string,
): Promise<StandIn> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const run = (sql: string) => connection.run(sql);
  const columnsOf = async (path: string) =>
    (await (await run(`DESCRIBE SELECT * FROM ${quote(path)}`)).getRowsJson()).map((row) => String(row[0]));
  const given = await columnsOf(tables.index);
  const column = (name: string, sql = `"${name}"`) => (given.includes(name) ? sql : 'NULL::VARCHAR');
  /** The nth of a list joined by commas; the last one again where there are more files than values. */
  const nth = (name: string) =>
    column(
      name,
      `list_extract(string_split("${name}", ','), least(n + 1, len(string_split("${name}", ','))))`,
    );
  const same = [
    'collection_id',
    'analysis_result_id',
    'PatientID',
    'SeriesInstanceUID',
    'StudyInstanceUID',
    'source_DOI',
    'PatientAge',
    'PatientSex',
    'StudyDescription',
    'Modality',
    'SOPClassUID',
    'Manufacturer',
    'ManufacturerModelName',
    'SeriesNumber',
    'license_short_name',
    'aws_bucket',
    'crdc_series_uuid',
  ];
  const schema = `"${project}"."${dataSet}"`;
  await run(`ATTACH ':memory:' AS "${project}"; CREATE SCHEMA ${schema};`);
  await run(`CREATE TABLE one_per_file AS SELECT *, SeriesInstanceUID || '.' || n AS SOPInstanceUID,
    round(series_size_MB * 1e6)::BIGINT AS bytes FROM (SELECT *, unnest(range(instanceCount)) AS n FROM ${quote(tables.index)})`);
  await run(`CREATE TABLE ${schema}.dicom_all AS SELECT SOPInstanceUID, ${same.map((name) => `${column(name)} AS "${name}"`).join(', ')},
    coalesce(${column('SeriesDescription')}, '') AS SeriesDescription,
    ${column('StudyDate', '"StudyDate"::DATE')} AS StudyDate, ${column('SeriesDate', '"SeriesDate"::DATE')} AS SeriesDate,
    ${nth('TransferSyntaxUID')} AS TransferSyntaxUID, ${nth('PhotometricInterpretation')} AS PhotometricInterpretation,
    (${nth('PixelRepresentation')})::BIGINT AS PixelRepresentation,
    regexp_replace(series_aws_url, '[*]$', '') AS series_aws_url,
    bytes // instanceCount + CASE WHEN n = 0 THEN bytes % instanceCount ELSE 0 END AS instance_size FROM one_per_file`);
  await run(`CREATE TABLE ${schema}.dicom_metadata_curated AS SELECT SOPInstanceUID, ${column('BodyPartExamined')} AS BodyPartExamined
    FROM one_per_file, range(2)`);
  await run(`CREATE TABLE ${schema}.auxiliary_metadata AS SELECT SOPInstanceUID, SeriesInstanceUID,
    ${column('series_init_idc_version')} AS series_init_idc_version, ${column('series_revised_idc_version')} AS series_revised_idc_version FROM one_per_file`);
  await run('DROP TABLE one_per_file');
  const copy = async (name: string, path: string | undefined) => {
    if (path !== undefined) await run(`CREATE TABLE ${schema}.${name} AS SELECT * FROM ${quote(path)}`);
  };
  await copy('original_collections_metadata', tables.collections);
  await copy('analysis_results_metadata', tables.analysisResults);
  await copy('version_metadata', tables.releases);
  await run(`USE ${schema}`);
  return {
    async rows(sql) {
      const result = await run(sql);
      const types = result.columnTypes().map(String);
      return { names: result.columnNames(), types, rows: await result.getRowsJson() };
    },
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}
