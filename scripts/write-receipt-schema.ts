/** Writes docs/carrel-receipts.schema.json from the schema that tests hold receipts to. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { toJsonSchema } from '@valibot/to-json-schema';
import { receiptSchema } from '../src/cohort/receipt-schema.ts';

/** The text of docs/carrel-receipts.schema.json. */
export function receiptSchemaText(): string {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    ...toJsonSchema(receiptSchema, { target: 'draft-2020-12', errorMode: 'ignore' }),
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL('../docs/carrel-receipts.schema.json', import.meta.url), receiptSchemaText());
}
