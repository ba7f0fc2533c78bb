/** One session of `ascp`, from its start to what it left behind. It never outlives us. */
import { type ChildProcess, spawn } from 'node:child_process';
import { CarrelError } from '../../errors.ts';
import { childEnv } from './child-env.ts';
import { ascpError } from './codes.ts';
import type { AscpCommand } from './command-line.ts';
import { type ManagementFrame, openManagementPort } from './management.ts';
import { redact } from './redact.ts';

/** What a session did. */
export interface SessionEnd {
  /** Why it did not end well; undefined where it said DONE and its exit code agreed. */
  error?: CarrelError | undefined;
  /** The code of its ERROR frame. */
  code?: number | undefined;
  /** Bytes that came or stood there already, of all its files. */
  bytes: number;
  /** Files that it called finished or found whole: name as it wrote it → bytes, where it said. */
  files: ReadonlyMap<string, number | undefined>;
  /** Files that it could not get, by its name for them. */
  fileErrors: ReadonlyMap<string, CarrelError>;
}

/** How a session is run. */
export interface SessionOptions {
  ascp: string;
  /** Made when the port is known. */
  command: (managementPort: number) => AscpCommand;
  env: Readonly<Record<string, string | undefined>>;
  /** Names the session in errors: the host. */
  item: string;
  /** Milliseconds without a new byte or file after which it is ended. */
  stallMs: number;
  /** Milliseconds from the polite end (SIGINT) to the other one. */
  graceMs: number;
  /** Bytes so far, as `SessionEnd.bytes`. */
  onBytes: (bytes: number) => void;
  /** A file was called finished. */
  onFile: (file: string) => void;
  signal: AbortSignal;
}

const LONGEST_STDERR = 8192;

const running = new Set<ChildProcess>();
let watching = false;

/** Ends what still runs when this process ends by itself. */
function keepTrack(child: ChildProcess): void {
  running.add(child);
  child.once('close', () => running.delete(child));
  if (watching) return;
  watching = true;
  process.on('exit', () => {
    for (const one of running) one.kill('SIGKILL');
  });
}

/**
 * Runs `ascp` to its end. Resolves also where it failed or was stopped by the signal; the program is gone then.
 *
 * @throws CarrelError of `command`
 */
export async function runAscp(options: SessionOptions): Promise<SessionEnd> {
  const { item, signal } = options;
  const files = new Map<string, number | undefined>();
  const fileErrors = new Map<string, CarrelError>();
  let bytes = 0;
  let lastGain = performance.now();
  let last: ManagementFrame | undefined;
  let broken: CarrelError | undefined;
  let stop: (reason?: CarrelError) => void = () => {};
  const said = (frame: ManagementFrame, secrets: readonly string[]): string =>
    redact(frame.get('Description') ?? '', secrets);

  const secrets: string[] = [];
  const onFrame = (frame: ManagementFrame): void => {
    last = frame;
    const type = frame.get('Type');
    const file = frame.get('File') ?? '';
    if (type === 'STATS') {
      const now = numberOf(frame, 'TransferBytes') + numberOf(frame, 'StartByte');
      if (now > bytes) {
        bytes = now;
        lastGain = performance.now();
        options.onBytes(bytes);
      }
      return;
    }
    lastGain = performance.now();
    if (type === 'STOP' || type === 'SKIP') {
      files.set(file, frame.has('Size') ? numberOf(frame, 'Size') : undefined);
      options.onFile(file);
    } else if (type === 'FILEERROR')
      fileErrors.set(file, ascpError(numberOf(frame, 'Code'), said(frame, secrets), file));
  };

  const port = await openManagementPort(onFrame, (error) => {
    broken = error as CarrelError;
    stop();
  });
  try {
    const command = options.command(port.port);
    secrets.push(...command.secrets);
    const child = spawn(options.ascp, command.argv, {
      env: childEnv(options.env, command.env),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    keepTrack(child);
    let stalled: CarrelError | undefined;
    let kill: NodeJS.Timeout | undefined;
    stop = (reason) => {
      stalled ??= reason;
      if (kill !== undefined) return;
      child.kill('SIGINT');
      kill = setTimeout(() => child.kill('SIGKILL'), options.graceMs);
    };
    const onAbort = (): void => stop();
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) stop();
    const watch = setInterval(
      () => {
        if (performance.now() - lastGain > options.stallMs) stop(stallError(item, options.stallMs));
      },
      Math.max(10, options.stallMs / 20),
    );
    try {
      const { exitCode, stderr, failure } = await end(child);
      // Its last words may still be on the line.
      await Promise.race([port.ended, new Promise((resolve) => setTimeout(resolve, 500).unref())]);
      const words = redact(stderr, secrets);
      const error = stalled ?? broken ?? failure ?? sessionError(last, exitCode, words, said, secrets, item);
      const code = last?.get('Type') === 'ERROR' ? numberOf(last, 'Code') : undefined;
      return { error, code, bytes, files, fileErrors };
    } finally {
      clearInterval(watch);
      clearTimeout(kill);
      signal.removeEventListener('abort', onAbort);
    }
  } finally {
    port.close();
  }
}

/** Waits for a program's end; `failure` where it could not be started. */
function end(
  child: ChildProcess,
): Promise<{ exitCode: number | null; stderr: string; failure?: CarrelError }> {
  return new Promise((resolve) => {
    let stderr = '';
    child.stderr?.on('data', (piece: Buffer) => {
      stderr = (stderr + piece.toString('utf8')).slice(-LONGEST_STDERR);
    });
    child.once('error', (cause) => {
      const failure = new CarrelError('unsupported', `ascp cannot be started: ${cause.message}`, {
        item: child.spawnfile,
        next: 'carrel doctor tcia tells what is wrong with it',
      });
      resolve({ exitCode: null, stderr, failure });
    });
    child.once('close', (exitCode) => resolve({ exitCode, stderr }));
  });
}

/** The last frame must be DONE or ERROR; anything else means that it died. */
function sessionError(
  last: ManagementFrame | undefined,
  exitCode: number | null,
  stderr: string,
  said: (frame: ManagementFrame, secrets: readonly string[]) => string,
  secrets: readonly string[],
  item: string,
): CarrelError | undefined {
  const type = last?.get('Type');
  if (last !== undefined && type === 'ERROR')
    return ascpError(numberOf(last, 'Code'), said(last, secrets), item);
  if (type === 'DONE' && exitCode === 0) return undefined;
  const words = stderr.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
  const shown = words === '' ? '' : ` (${words})`;
  const how = exitCode === null ? 'was killed' : `ended with ${exitCode}`;
  if (last === undefined) {
    const usage = /usage|option/i.test(stderr);
    return new CarrelError(usage ? 'unsupported' : 'network', `${item}: ascp ${how} without a word${shown}`, {
      item,
      next: usage ? 'a newer ascp may be needed: carrel tcia install-ascp' : 'carrel doctor tcia',
      retryable: !usage,
    });
  }
  return new CarrelError('network', `${item}: ascp ${how} in the middle of the transfer${shown}`, {
    item,
    next: 'run the same command again: it goes on where this ended',
    retryable: true,
  });
}

function stallError(item: string, stallMs: number): CarrelError {
  return new CarrelError('network', `${item}: nothing came for ${Math.round(stallMs / 1000)} s`, {
    item,
    next: 'run the same command again; if it never moves, carrel doctor tcia',
    retryable: true,
  });
}

function numberOf(frame: ManagementFrame, field: string): number {
  const value = Number(frame.get(field) ?? 0);
  return Number.isFinite(value) ? value : 0;
}
