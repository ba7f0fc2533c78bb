/** How fast mirrors were, in a file of the state folder: believed for a week. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as v from 'valibot';
import { defaultStateDir } from '../cohort/index.ts';
import type { MirrorMemory } from '../transfer/index.ts';
import type { Run } from './command.ts';

const WEEK_MS = 7 * 24 * 60 * 60 * 1000;

const schema = v.record(
  v.string(),
  v.object({ bytesPerMs: v.pipe(v.number(), v.minValue(0)), at: v.number() }),
);
type Remembered = v.InferOutput<typeof schema>;

/** Opens the memory of this user. What cannot be read or written is as if nothing had been remembered. */
export function openMirrorMemory(
  { terminal }: Pick<Run, 'terminal'>,
  now: () => number = Date.now,
): MirrorMemory {
  const folder = resolve(terminal.cwd, defaultStateDir(terminal.env));
  const path = join(folder, 'mirrors.json');
  const young = (): Remembered => {
    try {
      const all = v.parse(schema, JSON.parse(readFileSync(path, 'utf8')));
      // A clock that was set back makes ages negative: those are not believed either.
      return Object.fromEntries(
        Object.entries(all).filter(([, { at }]) => now() - at >= 0 && now() - at < WEEK_MS),
      );
    } catch {
      return {};
    }
  };
  return {
    recall: () => Object.fromEntries(Object.entries(young()).map(([id, { bytesPerMs }]) => [id, bytesPerMs])),
    remember(speeds) {
      if (Object.keys(speeds).length === 0) return;
      const fresh = Object.entries(speeds).map(
        ([id, bytesPerMs]) => [id, { bytesPerMs, at: now() }] as const,
      );
      const text = JSON.stringify({ ...young(), ...Object.fromEntries(fresh) }, null, 1);
      try {
        mkdirSync(folder, { recursive: true });
        const temporary = `${path}.${process.pid}`;
        writeFileSync(temporary, `${text}\n`);
        renameSync(temporary, path);
      } catch {
        // A state folder that takes nothing costs a measurement the next time, and no more.
      }
    },
  };
}
