/** Where catalogues and state are kept, for programs and the command alike. */
import envPaths from 'env-paths';

/** `CARREL_CACHE_DIR`, else the user's cache folder as the system has it. */
export function defaultCacheDir(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return env['CARREL_CACHE_DIR'] || envPaths('carrel', { suffix: '' }).cache;
}

/** `CARREL_STATE_DIR`, else the user's state folder: on Linux that of the XDG rules, elsewhere the data folder. */
export function defaultStateDir(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const paths = envPaths('carrel', { suffix: '' });
  return env['CARREL_STATE_DIR'] || (process.platform === 'linux' ? paths.log : paths.data);
}
