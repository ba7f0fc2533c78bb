/** `carrel tcia`: The Cancer Imaging Archive. */
import type { CommandSpec } from '../command.ts';
import { browseSpec } from './tcia-browse.ts';
import { collectionsSpec } from './tcia-collections.ts';
import { getSpec } from './tcia-get.ts';
import { installAscpSpec } from './tcia-install-ascp.ts';
import { nbiaSpec } from './tcia-nbia.ts';
import { showSpec } from './tcia-show.ts';
import { sumsSpec } from './tcia-sums.ts';

/** `carrel tcia`. */
export const spec: CommandSpec = {
  name: 'tcia',
  summary: 'The Cancer Imaging Archive: collections, packages, sums',
  examples: ['carrel tcia get DLBCL-Morphology'],
  exitCodes: [0, 1, 2, 3, 4, 5],
  define() {},
  async run() {
    return undefined;
  },
  subcommands: [getSpec, sumsSpec, browseSpec, collectionsSpec, nbiaSpec, showSpec, installAscpSpec],
};
