/** The record as it stands in `archive.json` (schema: `docs/archive.schema.json`). To be parsed once, at the door. */
export type Protocol = 's3' | 'gcs' | 'https' | 'file';
