/** The small TCIA on loopback ports, and a pool that asks it. */
import { listen } from '../../../src/serve/index.ts';
import { createHttpPool } from '../../../src/stores/index.ts';
import { type AskOptions, type TciaServers, tciaServers } from '../../../src/tcia/index.ts';
import { type CollectionServers, createCollectionServers } from './fixtures-collections.ts';

/** Servers that run. */
export interface CollectionRig extends CollectionServers {
  servers: TciaServers;
  /** Impatient: repetitions wait a millisecond. */
  ask: AskOptions;
  /** `--server` flags for the command. */
  flags: string[];
  close: () => Promise<void>;
}

/** Puts the services on ports. */
export async function startCollections(
  options: Parameters<typeof createCollectionServers>[0] = {},
): Promise<CollectionRig> {
  const made = createCollectionServers(options);
  const names = ['wordpress', 'pathdb', 'datacite'] as const;
  const listeners = await Promise.all(names.map(async (name) => await listen({ fetch: made[name].fetch })));
  const overrides = names.map((name, at) => `${name}=${listeners[at]?.url ?? ''}`);
  const pool = createHttpPool({ env: {} });
  return {
    ...made,
    servers: tciaServers(overrides),
    ask: { http: pool, retryDelayMs: 1 },
    flags: overrides.flatMap((override) => ['--server', override]),
    async close() {
      await pool.close();
      await Promise.all(listeners.map(async ({ close }) => await close()));
    },
  };
}
