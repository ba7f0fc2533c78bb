/** `carrel get` with links to packages of TCIA: the same as `carrel tcia get`. Links are repeated nowhere. */
import { CarrelError } from '../errors.ts';
import type { CommandSpec, Run } from './command.ts';
import type { ExitCode } from './exit-codes.ts';

/** True for what `carrel tcia get` takes as a link to a package. */
export function looksLikePackage(text: string): boolean {
  return /context(?:=|%3d)|external_deliveries|\/\/faspex\.|\/aspera\/faspex/i.test(text);
}

/** Flags of `get` that say something of packages, too, and those of every command. */
const TAKEN = new Set(
  'output dryRun layout names progress archive mirror cacheDir json quiet color config debug'.split(' '),
);
const DEFAULTS: Record<string, unknown> = { fetchOrder: 'auto', partBase: '1', prefer: 'idc' };

/** Fetches packages. @throws CarrelError `usage` where something else is asked for, too; as `getFromTcia` */
export async function getPackages(
  run: Run,
  what: readonly string[],
  flags: Record<string, unknown>,
  get: CommandSpec,
): Promise<ExitCode> {
  const wrong = Object.keys(flags).find(
    (name) =>
      !TAKEN.has(name) && flags[name] !== true && flags[name] !== undefined && flags[name] !== DEFAULTS[name],
  );
  if (!what.every(looksLikePackage) || wrong !== undefined) {
    const flag = `--${(wrong ?? '').replaceAll(/[A-Z]/g, (one) => `-${one.toLowerCase()}`)}`;
    const fault =
      wrong === undefined ? 'nothing else can be fetched in the same run' : `${flag} is not for them`;
    throw new CarrelError('usage', `links to packages of TCIA are fetched by themselves: ${fault}`, {
      item: wrong === undefined ? 'link' : flag,
      next: 'carrel tcia get takes links, and files and folders of their packages',
    });
  }
  const { getFromTcia } = await import('./tcia-get.ts');
  // The `idc` of `get` means series; of packages nothing was said.
  return await getFromTcia(run, what, { ...flags, prefer: undefined }, get);
}
