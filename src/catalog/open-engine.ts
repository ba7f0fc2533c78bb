/** The engine over chosen tables, with its views. */
import type { Archive } from '../archives/index.ts';
import { CarrelError } from '../errors.ts';
import { type ChosenTables, filesOf, relationOptions } from './choose-tables.ts';
import { closedError, createEngine, type Engine } from './engine.ts';
import { createRelations, type Relations } from './relations.ts';

/** Options of `openEngine`. */
export interface OpenEngineOptions {
  archive: Archive;
  threads?: number | undefined;
  memoryLimit?: string | undefined;
  signal?: AbortSignal | undefined;
  /** Files that may be written, beside the tables that may be read. */
  writable?: string[] | undefined;
}

/** Opens an engine of its own. Throws `bad-input`, `not-found`, `usage` as `createRelations` and `createEngine` do. */
export async function openEngine(
  options: OpenEngineOptions,
  chosen: ChosenTables,
): Promise<{ engine: Engine; relations: Relations }> {
  const setup = relationOptions(options.archive, chosen);
  let relations: Relations | undefined;
  const engine = await createEngine({
    files: [...filesOf(setup), ...(options.writable ?? [])],
    memoryLimit: options.memoryLimit,
    threads: options.threads,
    signal: options.signal,
    setup: async (session) => {
      relations = await createRelations(session, setup);
    },
  });
  if (relations === undefined) throw new CarrelError('internal', 'the views were not made');
  return { engine, relations };
}

/** An engine that is opened by the first question: most look-ups never ask one, and loading it takes 0.2 s. */
export function createLazyEngine(make: () => Promise<Engine>): Engine {
  let made: Promise<Engine> | undefined;
  let closed = false;
  const engine = async () => {
    if (closed) throw closedError();
    made ??= make();
    // A failure (an abort) is not for ever.
    made.catch(() => {
      made = undefined;
    });
    return made;
  };
  return {
    session: async (work, signal) => (await engine()).session(work, signal),
    open: async (signal) => (await engine()).open(signal),
    close() {
      closed = true;
      void made?.then((opened) => opened.close()).catch(() => undefined);
    },
  };
}
