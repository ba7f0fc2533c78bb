/** `carrel catalog releases`: the releases of the archive, and what answers for each. */
import { listCatalogs } from '../../catalog/index.ts';
import type { CommandSpec, Run } from '../command.ts';
import { atDesk } from '../desk.ts';
import { toJson } from '../output/json.ts';
import { formatTable } from '../output/text.ts';
import { write } from '../terminal.ts';

/** `carrel catalog releases`. */
export const releasesSpec: CommandSpec = {
  name: 'releases',
  summary: 'releases of the archive, and what answers for each',
  examples: ['carrel catalog releases'],
  exitCodes: [0, 4],
  define() {},
  run: releases,
};

/** `published` where a release's own tables are installed, `derived` where newer ones answer for it. */
async function releases(run: Run): Promise<0> {
  return await atDesk(run, async (desk) => {
    const catalog = await desk.catalog();
    const installed = await listCatalogs({ cacheDir: desk.cacheDir, archive: desk.archive.name });
    const known = (await catalog.releases({ signal: run.signal })).map((one) => {
      const own = installed.find(({ release, problem }) => problem === undefined && release === one.release);
      return {
        ...one,
        evidence: own === undefined ? ('derived' as const) : ('published' as const),
        version: own?.version ?? null,
      };
    });
    if (run.json) await write(run.terminal.out, `${toJson(known, 2)}\n`);
    else
      await write(
        run.terminal.out,
        `${formatTable(
          ['release', 'date', 'from', 'tables'],
          known.map(({ release, date, evidence, version }) => [release, date ?? '', evidence, version ?? '']),
          { width: run.terminal.out.columns },
        )}\n`,
      );
    return 0;
  });
}
