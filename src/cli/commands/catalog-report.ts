/** What the commands below `carrel catalog` say while and after tables are installed. */
import type { CatalogEvent, InstalledCatalog } from '../../catalog/index.ts';
import { tellCatalogEvents } from '../catalog-events.ts';
import type { Run } from '../command.ts';
import { toJson } from '../output/json.ts';
import { formatCount } from '../output/text.ts';
import { write } from '../terminal.ts';

/** One line, or the whole value as JSON. */
export async function printInstalled(run: Run, installed: InstalledCatalog): Promise<void> {
  if (run.json) {
    await write(run.terminal.out, `${toJson({ type: 'summary', ...installed })}\n`);
    return;
  }
  const rows = installed.tables.find(({ name }) => name === 'index')?.rows;
  const what =
    installed.added.length === 0 ? 'already installed' : `installed (${installed.added.join(', ')})`;
  await write(
    run.terminal.out,
    `${installed.archive} ${installed.release}, catalogue ${installed.version}: ${what}${rows === undefined ? '' : `; ${formatCount(rows)} series`}\n`,
  );
}

/** What happens meanwhile: lines for people on stderr, JSON Lines on stdout with `--json`. */
export function reporter(run: Run): (event: CatalogEvent) => void {
  if (run.json) return (event) => void run.terminal.out.write(`${toJson(event)}\n`);
  return tellCatalogEvents(run);
}
