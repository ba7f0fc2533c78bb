/**
 * The streams of one run of the command and what may be printed on them. Commands write here, nowhere else.
 */
import { relative } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import pc from 'picocolors';

/** What a process gives a command. Tests hand in their own. */
export interface Terminal {
  out: Writable & { isTTY?: boolean; columns?: number };
  err: Writable & { isTTY?: boolean; columns?: number };
  in: Readable & { isTTY?: boolean };
  env: Record<string, string | undefined>;
  cwd: string;
}

/** `--color`. */
export type ColorMode = 'auto' | 'always' | 'never';

/** True where colour may be written to a stream: a terminal, no `NO_COLOR`, no `TERM=dumb`; decided per stream. */
export function wantsColor(stream: { isTTY?: boolean }, env: Terminal['env'], mode: ColorMode): boolean {
  if (mode !== 'auto') return mode === 'always';
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}

/** The painter of a stream: picocolors, switched on or off. */
export type Paint = ReturnType<typeof pc.createColors>;

/** Makes the painter of a stream. */
export function createPaint(enabled: boolean): Paint {
  return pc.createColors(enabled);
}

/** Writes and waits until the stream takes more; a closed pipe (`| head`) ends the writing silently. */
export async function write(stream: Writable, text: string | Uint8Array): Promise<boolean> {
  if (stream.destroyed || stream.writableEnded) return false;
  if (stream.write(text)) return true;
  return await new Promise((resolve) => {
    const done = (ok: boolean) => () => {
      stream.off('drain', onDrain);
      stream.off('close', onClose);
      stream.off('error', onClose);
      resolve(ok);
    };
    const onDrain = done(true);
    const onClose = done(false);
    stream.once('drain', onDrain);
    stream.once('close', onClose);
    stream.once('error', onClose);
  });
}

const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Text of others (DICOM values, file names, server messages) made safe for a terminal: control characters shown as `\x01`. */
export function printable(text: string): string {
  return text.replace(CONTROL, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** A path as it is best typed here: below the working directory relative, elsewhere absolute. */
export function shortPath(cwd: string, path: string): string {
  const below = relative(cwd, path);
  return below === '' ? '.' : below.startsWith('..') ? path : below;
}
