/**
 * The management port of `ascp`: it connects to us and says in text how it fares (IBM's FASP manager protocol, version 2).
 * A frame is the line `FASPMGR 2`, lines `Name: value`, and an empty line.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { CarrelError } from '../../errors.ts';

/** Fields of a frame by name; `Type` is always there. */
export type ManagementFrame = ReadonlyMap<string, string>;

/** Takes bytes as they come and gives frames as they end. */
export interface FrameParser {
  /** @throws CarrelError `network` (retryable) for what is no frame */
  push(bytes: Uint8Array): ManagementFrame[];
}

const HEADER = 'FASPMGR 2';
const LINE_FEED = 0x0a;

/** A line is a name and a path at most. */
const LONGEST_LINE = 256 * 1024;

/** Makes a parser for one connection. */
export function createFrameParser(): FrameParser {
  let rest: Buffer = Buffer.of();
  let frame: Map<string, string> | undefined;

  const take = (line: string): ManagementFrame | undefined => {
    if (line === HEADER && frame === undefined) {
      frame = new Map();
      return undefined;
    }
    if (frame === undefined) throw broken(line);
    if (line === '') {
      const ended = frame;
      frame = undefined;
      if (!ended.has('Type')) throw broken('a frame without a type');
      return ended;
    }
    const at = line.indexOf(': ');
    if (at <= 0) throw broken(line);
    frame.set(line.slice(0, at), line.slice(at + 2));
    return undefined;
  };

  return {
    push(bytes) {
      const frames: ManagementFrame[] = [];
      let all = rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([rest, bytes]);
      for (let end = all.indexOf(LINE_FEED); end !== -1; end = all.indexOf(LINE_FEED)) {
        // Lines are whole here, so that no character is cut in two.
        const ended = take(all.toString('utf8', 0, end));
        if (ended !== undefined) frames.push(ended);
        all = all.subarray(end + 1);
      }
      if (all.length > LONGEST_LINE) throw broken('a line without an end');
      rest = all;
      return frames;
    },
  };
}

function broken(line: string): CarrelError {
  return new CarrelError('network', `ascp spoke out of turn on its management port: ${shown(line)}`, {
    item: 'ascp',
    next: 'check that ascp is the one of IBM: carrel doctor tcia',
    retryable: true,
  });
}

function shown(line: string): string {
  return JSON.stringify(line.length > 100 ? `${line.slice(0, 100)}…` : line);
}

/** A port that waits for one `ascp`. */
export interface ManagementPort {
  port: number;
  /** Resolves when the line is closed, or at `close`. */
  readonly ended: Promise<void>;
  close(): void;
}

/**
 * Listens on loopback for one connection; later ones are dropped.
 *
 * @param onBroken what came was no frame; nothing more is read
 */
export async function openManagementPort(
  onFrame: (frame: ManagementFrame) => void,
  onBroken: (error: unknown) => void,
): Promise<ManagementPort> {
  let taken: Socket | undefined;
  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const server = createServer((socket) => {
    if (taken !== undefined) {
      socket.destroy();
      return;
    }
    taken = socket;
    const parser = createFrameParser();
    socket.on('data', (bytes: Buffer) => {
      try {
        for (const frame of parser.push(bytes)) onFrame(frame);
      } catch (error) {
        socket.removeAllListeners('data');
        socket.destroy();
        onBroken(error);
      }
    });
    socket.on('error', () => {});
    socket.on('close', end);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    ended,
    close() {
      end();
      taken?.destroy();
      server.close();
    },
  };
}
