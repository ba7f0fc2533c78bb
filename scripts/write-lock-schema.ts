/** Writes docs/carrel-lock.schema.json from the schema that the reader uses; `--print` only shows it. */
import { writeFileSync } from 'node:fs';
import { toJsonSchema } from '@valibot/to-json-schema';
import { lockSchema } from '../src/manifests/lock-schema.ts';

const schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  ...toJsonSchema(lockSchema, { target: 'draft-2020-12', errorMode: 'ignore' }),
};
const text = `${JSON.stringify(schema, null, 2)}\n`;

if (process.argv.includes('--print')) process.stdout.write(text);
else writeFileSync(new URL('../docs/carrel-lock.schema.json', import.meta.url), text);
