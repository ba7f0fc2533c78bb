/**
 * Where a body begins and ends in the bytes of a connection. A reader is stepped through a view; each step gives at
 * most one piece of body, which lies inside the view: nothing is copied.
 */
import { type Framing, MalformedReply } from './parse-head.ts';

/** A cursor through one body. */
export interface BodyReader {
  /** Goes on from `at`; gives the new position. Throws `MalformedReply`. Not to be called once `done`. */
  step(view: Buffer, at: number): number;
  /** `count` bytes of body were read past the reader, straight to their place. For bodies of known length only. */
  skip(count: number): void;
  /** The piece that the last step gave, if any. */
  piece: Buffer | undefined;
  /** True once the last byte has been given. */
  done: boolean;
  /** Bytes of body given so far. */
  received: number;
  /** The connection has ended: true where that is how this body ends, false where it was cut. */
  endsHere(): boolean;
  /** `1,024 of 4,096 bytes`, for messages. */
  progress(): string;
}

/** The reader for a framing. */
export function createBodyReader(framing: Framing): BodyReader {
  if (framing.kind === 'chunked') return createChunkedReader();
  return createPlainReader(framing.kind === 'length' ? framing.length : undefined);
}

/** A body of known length, or one that lasts until the connection ends. */
function createPlainReader(length: number | undefined): BodyReader {
  const reader: BodyReader = {
    piece: undefined,
    done: length === 0,
    received: 0,
    step(view, at) {
      const end = length === undefined ? view.length : Math.min(view.length, at + length - reader.received);
      reader.piece = at === 0 && end === view.length ? view : view.subarray(at, end);
      reader.received += end - at;
      reader.done = reader.received === length;
      return end;
    },
    skip(count) {
      reader.received += count;
      reader.done = reader.received === length;
    },
    endsHere: () => length === undefined,
    progress: () => `${reader.received} of ${length ?? 'unknown'} bytes`,
  };
  return reader;
}

/** Longest chunk-size line and longest trailer section that are read; both are short in practice. */
const MAX_LINE = 4096;
const MAX_TRAILERS = 64 * 1024;

/** Chunked transfer coding (RFC 9112, 7.1). Extensions and trailers are skipped. */
function createChunkedReader(): BodyReader {
  let state: 'size' | 'data' | 'data-end' | 'trailer' = 'size';
  let line = '';
  let left = 0;
  let trailerBytes = 0;

  /** Takes bytes up to CR LF; the line without it, or undefined where it is not complete. */
  const takeLine = (view: Buffer, at: number): { at: number; text?: string } => {
    const feed = view.indexOf(0x0a, at);
    const end = feed === -1 ? view.length : feed + 1;
    line += view.toString('latin1', at, Math.min(end, at + MAX_LINE + 1));
    if (line.length > MAX_LINE) throw new MalformedReply('a chunk of the reply has an endless head');
    if (feed === -1) return { at: end };
    if (!line.endsWith('\r\n')) throw new MalformedReply('the reply has a malformed chunk');
    const text = line.slice(0, -2);
    line = '';
    return { at: end, text };
  };

  const reader: BodyReader = {
    piece: undefined,
    done: false,
    received: 0,
    step(view, from) {
      reader.piece = undefined;
      if (state === 'data') {
        const end = Math.min(view.length, from + left);
        reader.piece = view.subarray(from, end);
        reader.received += end - from;
        left -= end - from;
        if (left === 0) state = 'data-end';
        return end;
      }
      const { at, text } = takeLine(view, from);
      if (text === undefined) return at;
      if (state === 'data-end') {
        if (text !== '') throw new MalformedReply('a chunk of the reply is longer than announced');
        state = 'size';
      } else if (state === 'size') {
        left = parseChunkSize(text);
        state = left === 0 ? 'trailer' : 'data';
      } else if (text === '') {
        reader.done = true;
      } else {
        trailerBytes += text.length;
        if (trailerBytes > MAX_TRAILERS) throw new MalformedReply('the reply has endless trailers');
      }
      return at;
    },
    skip() {
      throw new MalformedReply('a chunked body has to be read');
    },
    endsHere: () => false,
    progress: () => `${reader.received} bytes, before its last chunk`,
  };
  return reader;
}

function parseChunkSize(line: string): number {
  const size = /^([0-9a-fA-F]{1,13})[ \t]*(?:;.*)?$/.exec(line);
  if (size === null) throw new MalformedReply('the reply has a malformed chunk size');
  return Number.parseInt(size[1] ?? '', 16);
}
