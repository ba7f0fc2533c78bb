/** Writes docs/tcia-lock.schema.json from the schema that the reader uses. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { toJsonSchema } from '@valibot/to-json-schema';
import { packageLockSchema } from '../src/tcia/package-lock/lock-schema.ts';

/** The text of docs/tcia-lock.schema.json. */
export function packageLockSchemaText(): string {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    ...toJsonSchema(packageLockSchema, { target: 'draft-2020-12', errorMode: 'ignore' }),
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL('../docs/tcia-lock.schema.json', import.meta.url), packageLockSchemaText());
}
