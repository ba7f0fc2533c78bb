/** How the commands of `carrel tcia` look up names: TCIA's catalogue, opened once, and only where a name needs it. */
import { CarrelError, isCarrelError } from '../errors.ts';
import {
  openCatalogue,
  type ResolveOptions,
  type TargetOptions,
  type TciaCatalogue,
  type TciaServers,
} from '../tcia/index.ts';
import type { Run } from './command.ts';
import type { Desk } from './desk.ts';
import { openTciaCatalogue, tellAge } from './tcia-catalogue.ts';

/** Both ways to the catalogue, each taken once. */
export function catalogueQuestions(
  run: Run,
  desk: Pick<Desk, 'cacheDir' | 'pool'>,
  servers: TciaServers,
  flags: Record<string, unknown>,
): Required<Pick<TargetOptions, 'resolve' | 'kept'>> {
  let resolving: Promise<ResolveOptions> | undefined;
  let keeping: Promise<TciaCatalogue | undefined> | undefined;
  const { pool: http, cacheDir } = desk;
  const resolve = async (): Promise<ResolveOptions> => {
    const opened = await openTciaCatalogue(run, desk, servers, flags);
    if (opened.notes.length > 0) await tellAge(run, opened);
    const ask = flags['offline'] === true ? undefined : { http, signal: run.signal, attempts: 2 };
    return { catalogue: opened.catalogue, servers, ask };
  };
  const kept = async (): Promise<TciaCatalogue | undefined> => {
    try {
      return (await openCatalogue({ http, cacheDir, servers, refresh: 'never', signal: run.signal }))
        .catalogue;
    } catch (error) {
      // Links need no catalogue; one that is damaged is told of where it is needed.
      if (!isCarrelError(error) || error.code === 'interrupted') throw error;
      return undefined;
    }
  };
  return {
    async resolve() {
      resolving ??= resolve();
      return await resolving;
    },
    async kept() {
      keeping ??= kept();
      return await keeping;
    },
  };
}

/** The error of an interrupted run: the command line may hold a link, and is not repeated. */
export function interruptedQuietly(message = 'interrupted'): CarrelError {
  return new CarrelError('interrupted', message, {
    next: 'run the same command again: it goes on where it stopped',
  });
}
