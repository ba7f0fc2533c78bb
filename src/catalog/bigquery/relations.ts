/** What the table made from a data set holds, in the words that the installed tables are described in. */
import type { Relations } from '../relations.ts';
import { SERIES_COLUMNS } from './series-columns.ts';

/** The columns of the table `index` over BigQuery: those of today, whatever the release. */
export const RELATIONS: Relations = {
  columns: Object.keys(SERIES_COLUMNS),
  priorColumns: [],
  hasPrior: false,
  bucketColumns: ['aws_bucket'],
  types: Object.fromEntries(Object.entries(SERIES_COLUMNS).map(([name, { type }]) => [name, type])),
  absent: [],
  doubled: undefined,
};
