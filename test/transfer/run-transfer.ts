/**
 * A transfer in a process of its own, for tests that kill it: reads `{ directory, files, jobs }` from the file that its
 * first argument names, says `ready` when it starts, and ends with a line of JSON.
 */
import { readFile } from 'node:fs/promises';
import { isCarrelError } from '../../src/errors.ts';
import { createOpenStore } from '../../src/stores/index.ts';
import { transfer } from '../../src/transfer/index.ts';

const { directory, files, jobs } = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8'));
const opener = createOpenStore({ env: {} });
process.stdout.write('ready\n');
try {
  const result = await transfer(files, { directory, jobs, openStore: opener.openStore });
  const { fetched, present, failed, requests } = result;
  process.stdout.write(`${JSON.stringify({ fetched, present, failed: failed.length, requests })}\n`);
} catch (error) {
  process.stdout.write(`${JSON.stringify({ code: isCarrelError(error) ? error.code : String(error) })}\n`);
}
await opener.close();
