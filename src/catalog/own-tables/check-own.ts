/** Every byte of the copies against its digest. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { stopIfAborted } from '../abort.ts';
import { sha256Of } from '../catalog-file.ts';
import type { TableCheck } from '../catalogs.ts';
import { type OwnTable, readOwnTables } from './table-file.ts';

/** Reads the files of one table. A link has no digests: it is right where its files are there. */
export async function checkOwn(table: OwnTable, signal?: AbortSignal): Promise<TableCheck[]> {
  if (table.problem !== undefined)
    return [{ table: table.name, file: 'table.json', ok: false, problem: table.problem }];
  const checks: TableCheck[] = [];
  for (const file of table.files) {
    stopIfAborted(signal);
    const path = table.linked ? file.path : join(table.folder, file.path);
    const info = await stat(path).catch(() => undefined);
    let problem: string | undefined;
    if (info === undefined) problem = `${file.path} is missing`;
    else if (!table.linked && info.size !== file.size)
      problem = `${file.path} has ${info.size} bytes, ${file.size} were installed`;
    else if (file.sha256 !== undefined && (await sha256Of(path, signal)) !== file.sha256)
      problem = `${file.path} has other bytes than were installed`;
    checks.push({ table: table.name, file: file.path, ok: problem === undefined, problem });
  }
  return checks;
}

/** Reads the files of all tables of the user's own in an archive. */
export async function checkTablesOfOwn(options: {
  cacheDir: string;
  archive: string;
  signal?: AbortSignal | undefined;
}): Promise<TableCheck[]> {
  const checks: TableCheck[] = [];
  for (const table of await readOwnTables(options.cacheDir, options.archive))
    checks.push(...(await checkOwn(table, options.signal)));
  return checks;
}
