/** Where catalogues are kept, for programs and the command alike. */
import envPaths from 'env-paths';

/** `CARREL_CACHE_DIR`, else the user's cache folder as the system has it. */
export function defaultCacheDir(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return env['CARREL_CACHE_DIR'] || envPaths('carrel', { suffix: '' }).cache;
}
