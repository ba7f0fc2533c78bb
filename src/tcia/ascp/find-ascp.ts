/** Where `ascp` stands on this machine: said by the user, installed by us, on the path, or part of a product of IBM. */
import { accessSync, constants, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import envPaths from 'env-paths';
import { CarrelError } from '../../errors.ts';

/** What a search looks at; tests hand in their own machine. */
export interface Machine {
  env: Readonly<Record<string, string | undefined>>;
  /** Default: that of the process. */
  platform?: NodeJS.Platform | undefined;
  /** Default: the user's. */
  home?: string | undefined;
}

/** An `ascp` that was found. */
export interface FoundAscp {
  path: string;
  /** How it was found: `--ascp`, `CARREL_ASCP`, `installed by carrel`, `PATH`, or a product's name. */
  origin: string;
}

/** A folder of a product of IBM that holds `ascp`, and where the product keeps its keys. */
export interface AsperaFolder {
  product: string;
  bin: string;
}

/** Where `carrel tcia install-ascp` puts it: below `CARREL_STATE_DIR`, else in the user's data folder. */
export function ascpFolder(env: Machine['env']): string {
  return join(env['CARREL_STATE_DIR'] || envPaths('carrel', { suffix: '' }).data, 'ascp');
}

/** The places where IBM's products put `ascp`, newest product first. */
export function asperaFolders(machine: Machine): AsperaFolder[] {
  const { platform = process.platform, env } = machine;
  const home = homeOf(machine);
  const sdk = { product: 'IBM Aspera Transfer SDK', bin: join(home, '.aspera', 'sdk') };
  if (platform === 'win32') {
    const local = env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local');
    const programs = join(env['ProgramFiles'] ?? 'C:\\Program Files', 'Aspera');
    return [
      sdk,
      { product: 'IBM Aspera Connect', bin: join(local, 'Programs', 'Aspera', 'Aspera Connect', 'bin') },
      { product: 'IBM Aspera High-Speed Transfer', bin: join(programs, 'Enterprise Server', 'bin') },
      { product: 'Aspera CLI', bin: join(programs, 'cli', 'bin') },
    ];
  }
  if (platform === 'darwin') {
    const connects = ['IBM Aspera Connect.app', 'Aspera Connect.app'].flatMap((app) =>
      [join(home, 'Applications'), '/Applications'].map((folder) => ({
        product: 'IBM Aspera Connect',
        bin: join(folder, app, 'Contents', 'Resources'),
      })),
    );
    return [
      sdk,
      {
        product: 'IBM Aspera for Desktop',
        bin: '/Applications/IBM Aspera.app/Contents/Resources/transferd/bin',
      },
      ...connects,
      { product: 'IBM Aspera High-Speed Transfer', bin: '/Library/Aspera/bin' },
      { product: 'Aspera CLI', bin: join(home, 'Applications', 'Aspera CLI', 'bin') },
    ];
  }
  return [
    sdk,
    { product: 'IBM Aspera Connect', bin: join(home, '.aspera', 'connect', 'bin') },
    { product: 'IBM Aspera High-Speed Transfer', bin: '/opt/aspera/bin' },
    { product: 'Aspera CLI', bin: join(home, '.aspera', 'cli', 'bin') },
  ];
}

/** The home folder of a machine. */
export function homeOf({ env, home }: Machine): string {
  return home ?? env['HOME'] ?? env['USERPROFILE'] ?? homedir();
}

/**
 * Finds `ascp`. Undefined where there is none and none was named.
 *
 * @param options.ascp of `--ascp`: the program, or the folder that holds it; then, and with `CARREL_ASCP`, nothing else is looked at
 * @throws CarrelError `not-found` where what was named is not there, `permission` where it cannot be run
 */
export function findAscp(options: Machine & { ascp?: string | undefined }): FoundAscp | undefined {
  const { env, platform = process.platform } = options;
  const named: [string | undefined, string][] = [
    [options.ascp, '--ascp'],
    [env['CARREL_ASCP'], 'CARREL_ASCP'],
  ];
  const program = platform === 'win32' ? 'ascp.exe' : 'ascp';
  for (const [path, origin] of named)
    if (path !== undefined && path !== '') return wanted(path, origin, program);
  const candidates: FoundAscp[] = [
    { path: join(ascpFolder(env), program), origin: 'installed by carrel' },
    ...(env['PATH'] ?? '')
      .split(delimiter)
      .filter((folder) => folder !== '')
      .map((folder) => ({ path: join(folder, program), origin: 'PATH' })),
    ...asperaFolders(options).map(({ product, bin }) => ({ path: join(bin, program), origin: product })),
  ];
  return candidates.find(({ path }) => kindOf(path) === 'program');
}

/** As `findAscp`, where one is needed. @throws CarrelError `unsupported` with what to do */
export function requireAscp(options: Machine & { ascp?: string | undefined }): FoundAscp {
  const found = findAscp(options);
  if (found !== undefined) return found;
  throw new CarrelError('unsupported', 'packages come over FASP, and there is no ascp on this machine', {
    item: 'ascp',
    next: 'carrel tcia install-ascp fetches IBM’s program under IBM’s terms; --ascp PATH takes one that is there',
  });
}

function wanted(path: string, origin: string, program: string): FoundAscp {
  const inFolder = kindOf(path) === 'folder' ? join(path, program) : path;
  const kind = kindOf(inFolder);
  if (kind === 'program') return { path: inFolder, origin };
  const missing = kind === 'nothing';
  throw new CarrelError(
    missing ? 'not-found' : 'permission',
    `${inFolder} (${origin}) ${missing ? 'does not exist' : 'is not a program that may be run'}`,
    {
      item: inFolder,
      next: missing ? 'carrel tcia install-ascp, or another path' : 'chmod +x, or another path',
    },
  );
}

function kindOf(path: string): 'nothing' | 'folder' | 'program' | 'other' {
  try {
    const found = statSync(path);
    if (found.isDirectory()) return 'folder';
    if (!found.isFile()) return 'other';
    accessSync(path, constants.X_OK);
    return 'program';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'other' : 'nothing';
  }
}
