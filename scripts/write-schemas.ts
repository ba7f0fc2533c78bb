/**
 * Writes `docs/archive.schema.json` from the schema that the code itself reads records with:
 *
 *     npx tsx scripts/write-schemas.ts
 */
import { writeFileSync } from 'node:fs';
import { toJsonSchema } from '@valibot/to-json-schema';
import { archiveRecordSchema } from '../src/archives/index.ts';

/** The JSON Schema of `archive.json` as text. What the schema language cannot say is left to `parseArchive`. */
export function archiveJsonSchema(): string {
  const schema = toJsonSchema(archiveRecordSchema, { typeMode: 'input', errorMode: 'ignore' });
  return `${JSON.stringify(schema, null, 2)}\n`;
}

if (import.meta.url === new URL(process.argv[1] ?? '', 'file:').href) {
  writeFileSync(new URL('../docs/archive.schema.json', import.meta.url), archiveJsonSchema());
}
