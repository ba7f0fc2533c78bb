/** A Faspex of `faspex.ts` on a port of this machine, with a client for one of its packages. */
import { listen } from '../../../src/serve/index.ts';
import { createHttpPool } from '../../../src/stores/index.ts';
import { createFaspexClient, type FaspexClient } from '../../../src/tcia/faspex/faspex-client.ts';
import { parsePackageLink } from '../../../src/tcia/faspex/package-link.ts';
import { createFaspex, type FaspexOptions, type TestFaspex } from './faspex.ts';

/** A served Faspex. */
export interface ServedFaspex extends TestFaspex {
  origin: string;
  /** A client for a package, default the first; it waits a millisecond where real ones wait half a second. */
  client(packageId?: string, change?: (link: string) => string): FaspexClient;
  close(): Promise<void>;
}

/** Starts one; to be closed. */
export async function serveFaspex(options: FaspexOptions): Promise<ServedFaspex> {
  const faspex = createFaspex(options);
  const listener = await listen({ fetch: faspex.fetch });
  const http = createHttpPool({ env: {} });
  return {
    ...faspex,
    origin: listener.url,
    client(packageId = options.packages[0]?.id ?? '', change = (link) => link) {
      const link = parsePackageLink(change(faspex.link(listener.url, packageId)));
      return createFaspexClient(link, { http, retryDelayMs: 1 });
    },
    async close() {
      await http.close();
      await listener.close();
    },
  };
}
