/** Two clinical tables, one row per patient, and the dictionary of their columns, `clinical_index`. */
import { BRAIN, TORSO } from '../model/collections.ts';
import type { Collection, PatientModel, Release } from '../model/types.ts';
import { createRandom, type Random } from '../random.ts';
import { heldBy, type SeriesVersion } from '../releases/series-version.ts';
import type { Cell, Columns, ColumnType, Row } from './parquet.ts';

/** A value that a coded column may have. */
interface Option {
  option_code: string;
  option_description: string;
}

/** A column of a clinical table. */
interface ClinicalColumn {
  label: string;
  type: ColumnType;
  /** All values with their meanings, for a coded column. */
  options?: readonly [Option, ...Option[]];
  value(patient: PatientModel, random: Random): Cell;
}

function coded(label: string, ...options: [[string, string], ...[string, string][]]): ClinicalColumn {
  const [first, ...rest] = options.map(([code, text]) => ({ option_code: code, option_description: text }));
  if (first === undefined) throw new RangeError(label);
  return {
    label,
    type: 'text',
    options: [first, ...rest],
    value: (_, random) => random.pick([first, ...rest]).option_code,
  };
}

const COMMON: Record<string, ClinicalColumn> = {
  dicom_patient_id: { label: 'PatientID in DICOM', type: 'text', value: (patient) => patient.id },
  source_batch: { label: 'idc_provenance_source_batch', type: 'integer', value: () => 0 },
  sex: { label: 'Sex', type: 'text', value: (patient) => patient.sex },
  age_at_diagnosis: {
    label: 'Age at diagnosis (years)',
    type: 'integer',
    value: (patient) => (patient.age === null ? null : Number.parseInt(patient.age, 10)),
  },
};

/** A clinical table. */
export interface ClinicalTable {
  name: string;
  collection: Collection;
  columns: Record<string, ClinicalColumn>;
}

/** Both clinical tables. */
export const CLINICAL_TABLES: readonly ClinicalTable[] = [
  {
    name: 'sample_torso_clinical',
    collection: TORSO,
    columns: {
      ...COMMON,
      stage: coded(
        'Clinical stage',
        ['1', 'Stage I'],
        ['2', 'Stage II'],
        ['3', 'Stage III'],
        ['4', 'Stage IV'],
      ),
      smoking: coded('Smoking history', ['0', 'Never'], ['1', 'Former'], ['2', 'Current']),
    },
  },
  {
    name: 'sample_brain_clinical',
    collection: BRAIN,
    columns: {
      ...COMMON,
      idh_mutation: coded('IDH1 mutation', ['M', 'Mutant'], ['WT', 'Wild type'], ['NA', 'Not available']),
      survival_days: {
        label: 'Overall survival (days)',
        type: 'double',
        value: (_, random) => Math.floor(random.between(90, 1800)),
      },
    },
  },
];

/** Columns of one clinical table. */
export function clinicalColumns(table: ClinicalTable): Columns {
  return Object.fromEntries(Object.entries(table.columns).map(([name, { type }]) => [name, type]));
}

/** Rows of one clinical table: the patients that `release` holds. */
export function clinicalRows(table: ClinicalTable, release: Release, items: readonly SeriesVersion[]): Row[] {
  const patients = new Map<string, PatientModel>();
  for (const { context } of heldBy(release, items)) {
    if (context.patient.collection.id === table.collection.id)
      patients.set(context.patient.id, context.patient);
  }
  return [...patients.values()]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((patient) => {
      const random = createRandom(table.name, patient.origin);
      return Object.fromEntries(
        Object.entries(table.columns).map(([name, column]) => [name, column.value(patient, random)]),
      );
    });
}

/** Columns of `clinical_index`. */
export const CLINICAL_INDEX_COLUMNS: Columns = {
  collection_id: 'text',
  table_name: 'text',
  short_table_name: 'text',
  column: 'text',
  column_label: 'text',
  values: { nested: JSON.stringify([{ option_code: 'VARCHAR', option_description: 'VARCHAR' }]) },
};

/** Rows of `clinical_index`. */
export function clinicalIndexRows(release: Release): Row[] {
  return CLINICAL_TABLES.toSorted((a, b) => (a.collection.id < b.collection.id ? -1 : 1)).flatMap((table) =>
    Object.entries(table.columns).map(([name, column]) => ({
      collection_id: table.collection.id,
      table_name: `sample.sample_v${release}_clinical.${table.name}`,
      short_table_name: table.name,
      column: name,
      column_label: column.label,
      values: [...(column.options ?? [])],
    })),
  );
}
