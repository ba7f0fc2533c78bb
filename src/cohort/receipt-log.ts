/** Lines of one run in a file of receipts: appended as things happen, never changed. */
import { randomUUID } from 'node:crypto';
import { appendFileSync, closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Version of the format. */
const RECEIPTS_VERSION = 1;

const FLUSH_MS = 1_000;

/** What a run is called in its first line. */
export interface ReceiptHeader {
  /** `get`, `update`, `verify`; programs write what they like. */
  command: string;
  /** Of the program that writes. */
  version: string | null;
  archive: string;
  release: string | null;
}

/** The lines of one run. */
export interface ReceiptLog {
  /** Adds a line; the first one makes the file, and a line about the run before it. */
  add(type: string, members: Record<string, unknown>): void;
  /** The last line, where there was any, and everything that waits. */
  end(members: Record<string, unknown> | (() => Record<string, unknown>)): void;
}

/**
 * Opens the lines of a run. What cannot be written is left out: a receipt that is missing must not fail a transfer that is
 * right.
 */
export function openReceiptLog(path: string, header: ReceiptHeader): ReceiptLog {
  const run = randomUUID();
  let waiting = '';
  let begun = false;
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    const text = waiting;
    waiting = '';
    if (text === '') return;
    try {
      appendFileSync(path, (isTorn(path) ? '\n' : '') + text);
    } catch {
      // A full or read-only disk shows itself where it matters.
    }
  };
  const write = (line: Record<string, unknown>) => {
    waiting += `${JSON.stringify(line)}\n`;
    timer ??= setTimeout(flush, FLUSH_MS).unref();
  };
  return {
    add(type, members) {
      if (!begun)
        write({ type: 'run', receipts: RECEIPTS_VERSION, run, time: new Date().toISOString(), ...header });
      begun = true;
      write({ type, run, ...members });
    },
    end(members) {
      if (begun) {
        const last = typeof members === 'function' ? members() : members;
        write({ type: 'end', run, time: new Date().toISOString(), ...last });
      }
      flush();
    },
  };
}

/** Signatures, tokens and passcodes stand in the query of a URL, and passwords before its host. */
export function withoutQuery(text: string): string {
  return text.replaceAll(/\?\S*/g, '?…').replaceAll(/(\w+:\/\/)[^\s/@]+@/g, '$1…@');
}

/** True where the last line has no end: its run was killed while it wrote. */
function isTorn(path: string): boolean {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return false;
  }
  try {
    const { size } = fstatSync(file);
    const last = Buffer.alloc(1);
    return size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== 10;
  } finally {
    closeSync(file);
  }
}
