/** Tables as they come, on stderr; on a terminal the bytes of the one under way. */
import type { CatalogEvent } from '../catalog/index.ts';
import type { Run } from './command.ts';
import { formatBytes } from './output/text.ts';
import { printable } from './terminal.ts';

/** A listener that tells people what is fetched and installed; nothing with `--quiet`. */
export function tellCatalogEvents(run: Run): (event: CatalogEvent) => void {
  if (run.quiet) return () => {};
  const live = run.terminal.err.isTTY === true;
  const clear = live ? '\r\u001b[K' : '';
  let last = 0;
  return (event) => {
    if (event.type === 'note')
      run.terminal.err.write(`${clear}${run.err.dim('note:')} ${printable(event.message)}\n`);
    else if (event.type === 'table')
      run.terminal.err.write(`${clear}${printable(event.table)}: ${formatBytes(event.bytes)}\n`);
    else if (live && Date.now() - last > 100) {
      last = Date.now();
      const of = event.total === undefined ? '' : ` of ${formatBytes(event.total)}`;
      run.terminal.err.write(`${clear}${printable(event.table)}: ${formatBytes(event.bytes)}${of}`);
    }
  };
}
