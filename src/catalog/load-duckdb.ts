/**
 * Loading `@duckdb/node-api`, in one place. It is CommonJS in 181 files: `import()` would have every file parsed twice, once
 * to guess its exports (0.25 s of processor time more than `require`). The bundle of the command replaces this file by one
 * that holds them all (`scripts/build.mjs`).
 */
import { createRequire } from 'node:module';

/** The engine's library; loaded by the first call. Throws what Node throws where the platform has no binary. */
export async function loadDuckDb(): Promise<typeof import('@duckdb/node-api')> {
  return createRequire(import.meta.url)('@duckdb/node-api') as typeof import('@duckdb/node-api');
}
