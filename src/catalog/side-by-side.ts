/** Several releases in one engine: each in a database of its own, so that every view keeps its name. */
import type { Archive } from '../archives/index.ts';
import { CarrelError, isCarrelError } from '../errors.ts';
import { type ChosenTables, chooseTables, filesOf, openTablesOf, relationOptions } from './choose-tables.ts';
import { createEngine, type Engine, type Session } from './engine.ts';
import type { OpenTables } from './open-tables.ts';
import { createRelations } from './relations.ts';
import { releaseNotes } from './release-notes.ts';

/** One release in the common engine. */
export interface Side {
  /** Name of its database: `USE <name>` makes it the one that bare names mean; `<name>.carrel.series` always works. */
  name: string;
  tables: OpenTables;
  notes: string[];
}

/** The engine with all sides. */
export interface SideBySide {
  engine: Engine;
  sides: Side[];
  close(): void;
}

/** Opens releases (or versions of tables) side by side. Throws what `openCatalog` throws. */
export async function openSideBySide(options: {
  archive: Archive;
  cacheDir: string;
  sides: { release?: string | undefined; version?: string | undefined }[];
  signal?: AbortSignal | undefined;
}): Promise<SideBySide> {
  const { archive, cacheDir, signal } = options;
  const wanted: ChosenTables[][] = [];
  // Without a name it is the newest release, pinned: a comparison never means a version of another release.
  for (const side of options.sides)
    wanted.push(
      (await chooseTables({ archive, cacheDir, ...side })).map((one) => ({ ...one, releaseAsked: true })),
    );
  const made: Omit<Side, 'tables'>[] = [];
  const bare: Omit<OpenTables, 'engine'>[] = [];
  const engine = await createEngine({
    files: wanted.flat().flatMap((one) => filesOf(relationOptions(archive, one))),
    signal,
    setup: async (session) => {
      for (const [at, candidates] of wanted.entries()) {
        const { name, opened } = await attach(session, archive, `side${at}`, candidates);
        bare.push(opened);
        made.push({ name, notes: releaseNotes(opened) });
      }
      await session.connection.run('USE memory');
    },
  });
  return {
    engine,
    sides: made.map((side, at) => ({ ...side, tables: { ...(bare[at] as OpenTables), engine } })),
    close: () => engine.close(),
  };
}

async function attach(session: Session, archive: Archive, prefix: string, candidates: ChosenTables[]) {
  for (const [at, chosen] of candidates.entries()) {
    const name = `${prefix}_${at}`;
    await session.connection.run(`ATTACH ':memory:' AS ${name}; USE ${name}`);
    try {
      const relations = await createRelations(session, relationOptions(archive, chosen));
      return { name, opened: openTablesOf(archive, chosen, relations) };
    } catch (error) {
      if (at === candidates.length - 1 || !isCarrelError(error, 'not-found')) throw error;
    }
  }
  throw new CarrelError('internal', 'no tables were chosen');
}
