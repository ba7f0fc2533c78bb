/**
 * One connection: one request at a time, its reply read where it stands in the receive buffer. Back-pressure is the
 * consumer's promise: while it is pending, nothing more is read.
 */
import { abortError } from '../../errors.ts';
import { type BodyReader, createBodyReader } from './body-reader.ts';
import { createHeadReader, type HeadReader } from './head-reader.ts';
import type { Land, OnChunk } from './http.ts';
import { brokenError, wireError } from './http-error.ts';
import { watchIdle } from './idle.ts';
import { createLanding } from './landing.ts';
import type { Link } from './link.ts';
import { MalformedReply, type ReplyHead } from './parse-head.ts';
import {
  type Connection,
  type ConnectionEvents,
  StaleConnection,
  type WireReply,
  type WireRequest,
} from './wire.ts';

/** What is known of the request under way. */
interface Exchange {
  request: WireRequest;
  headReader: HeadReader;
  head?: ReplyHead;
  reader?: BodyReader;
  /** A byte of the reply has come. */
  answered: boolean;
  onChunk?: OnChunk;
  resolveHead: (reply: WireReply) => void;
  rejectHead: (error: unknown) => void;
  resolveBody?: () => void;
  rejectBody?: (error: unknown) => void;
  /** Why it failed, where that was before anybody asked for the body. */
  failure?: { error: unknown };
  timer?: NodeJS.Timeout | undefined;
  onAbort?: () => void;
}

/** Makes a connection of an open link. */
export function createConnection(link: Link, events: ConnectionEvents): Connection {
  const { socket } = link;
  const queue: Buffer[] = []; // views that are not used up yet
  let at = 0; // position in queue[0]
  let current: Exchange | undefined;
  let waiting = false; // the consumer's promise is pending
  let ended = false;
  let closed = false;
  let requests = 0;
  let arrivals = 0; // reads so far
  let keepAliveSeconds: number | undefined;

  const connection: Connection = {
    get requests() {
      return requests;
    },
    get keepAliveSeconds() {
      return keepAliveSeconds;
    },
    exchange: (request) => new Promise((resolve, reject) => begin(request, resolve, reject)),
    setActive(active) {
      if (active) socket.ref();
      else socket.unref();
    },
    destroy: close,
  };

  link.onBytes = (bytes) => {
    if (current === undefined) {
      close(); // Nobody asked: junk, which must not become the reply to the next request.
      return true;
    }
    current.answered = true;
    arrivals += 1;
    queue.push(bytes);
    if (!waiting) pump();
    return queue.length === 0;
  };
  socket.on('error', lost);
  socket.on('end', () => lost());
  socket.on('close', () => lost());
  return connection;

  function begin(
    request: WireRequest,
    resolveHead: Exchange['resolveHead'],
    rejectHead: Exchange['rejectHead'],
  ): void {
    const headReader = createHeadReader(request.method);
    const exchange: Exchange = { request, headReader, answered: false, resolveHead, rejectHead };
    requests += 1;
    current = exchange;
    if (closed || ended) broken(exchange);
    else send(exchange);
  }

  function send(exchange: Exchange): void {
    const { request } = exchange;
    const { signal, timeouts, url } = request;
    if (signal !== undefined) {
      exchange.onAbort = () => fail(exchange, abortError(signal));
      if (signal.aborted) exchange.onAbort();
      else signal.addEventListener('abort', exchange.onAbort, { once: true });
      if (exchange.failure !== undefined) return;
    }
    const { firstByte } = timeouts;
    const late = (): void => {
      if (exchange.head === undefined)
        fail(exchange, wireError(url, `no reply within ${firstByte / 1000} s`));
    };
    exchange.timer = setTimeout(() => setImmediate(late), firstByte);
    socket.write(request.head, 'latin1');
    if (request.body !== undefined) socket.write(request.body);
  }

  /** Works through the queue until it is empty, the consumer wants time, or the reply is complete. */
  function pump(): void {
    const exchange = current;
    if (exchange === undefined) return;
    try {
      if (exchange.reader === undefined) takeHead(exchange);
      else if (exchange.onChunk !== undefined) takeBody(exchange, exchange.reader, exchange.onChunk);
    } catch (error) {
      fail(
        exchange,
        error instanceof MalformedReply ? wireError(exchange.request.url, error.message) : error,
      );
    }
  }

  function takeHead(exchange: Exchange): void {
    for (let view = queue.shift(); view !== undefined; view = queue.shift()) {
      const taken = exchange.headReader.take(view);
      if (taken === undefined) continue;
      const { head, rest } = taken;
      if (rest.length > 0) queue.unshift(rest);
      exchange.head = head;
      exchange.reader = createBodyReader(head.framing);
      keepAliveSeconds = head.keepAliveSeconds;
      clearTimeout(exchange.timer);
      exchange.resolveHead(replyOf(exchange, head));
      // Without a body the connection is free at once; otherwise it rests until somebody wants the body.
      if (exchange.reader.done) complete(exchange);
      return;
    }
    if (ended) broken(exchange);
  }

  function replyOf(exchange: Exchange, head: ReplyHead): WireReply {
    const consume = (onChunk: OnChunk): Promise<void> =>
      new Promise((resolve, reject) => {
        if (exchange.failure !== undefined) return reject(exchange.failure.error);
        if (current !== exchange) return resolve();
        exchange.onChunk = onChunk;
        exchange.resolveBody = resolve;
        exchange.rejectBody = reject;
        const { timeouts, url } = exchange.request;
        exchange.timer = watchIdle(timeouts.idle, {
          isOver: () => current !== exchange,
          isBusy: () => waiting,
          arrivals: () => arrivals,
          onLate: (silence) =>
            fail(exchange, wireError(url, `${silence}, after ${exchange.reader?.progress() ?? 'no byte'}`)),
        });
        pump();
      });
    return {
      head,
      consume,
      land: head.framing.kind === 'length' ? landWith(exchange, consume) : undefined,
      cancel() {
        if (current === exchange) close();
      },
    };
  }

  /** What came before it was asked for is copied; from then on the socket reads into the target. */
  function landWith(exchange: Exchange, consume: WireReply['consume']): Land {
    return (target, onBytes) => {
      const { copy, landing } = createLanding(target, onBytes, (count) => {
        if (current !== exchange || exchange.reader === undefined) return;
        arrivals += 1;
        exchange.reader.skip(count);
        events.onBody(count);
        if (exchange.reader.done) complete(exchange);
        else exchange.timer?.refresh();
      });
      if (current === exchange) link.landing = landing;
      return consume(copy);
    };
  }

  function takeBody(exchange: Exchange, reader: BodyReader, onChunk: OnChunk): void {
    for (let view = queue[0]; view !== undefined; view = queue[0]) {
      while (at < view.length) {
        if (reader.done) throw new MalformedReply('the server sent more than it announced');
        at = reader.step(view, at);
        const { piece } = reader;
        if (piece === undefined || piece.length === 0) continue;
        events.onBody(piece.length);
        const pending = onChunk(piece);
        if (pending !== undefined) {
          waitFor(exchange, pending);
          return;
        }
        if (current !== exchange) return; // the consumer gave the body up
      }
      queue.shift();
      at = 0;
    }
    if (reader.done || (ended && reader.endsHere())) complete(exchange);
    else if (ended) broken(exchange);
    else {
      exchange.timer?.refresh();
      link.resume();
    }
  }

  function waitFor(exchange: Exchange, pending: Promise<void>): void {
    waiting = true;
    pending.then(
      () => {
        waiting = false;
        exchange.timer?.refresh();
        if (current === exchange) pump();
      },
      (error: unknown) => {
        waiting = false;
        fail(exchange, error);
      },
    );
  }

  /** The connection has ended. What arrived before an orderly end is still handed over. */
  function lost(cause?: Error): void {
    if (ended) return;
    ended = true;
    const exchange = current;
    if (exchange === undefined) close();
    else if (cause !== undefined) broken(exchange, cause);
    else if (!waiting) pump();
  }

  function broken(exchange: Exchange, cause?: Error): void {
    fail(
      exchange,
      exchange.answered || requests === 1
        ? brokenError(exchange.request.url, exchange.reader?.progress(), cause)
        : new StaleConnection(),
    );
  }

  function settle(exchange: Exchange): void {
    clearTimeout(exchange.timer);
    exchange.timer = undefined;
    if (exchange.onAbort !== undefined)
      exchange.request.signal?.removeEventListener('abort', exchange.onAbort);
    link.landing = undefined;
    current = undefined;
  }

  function complete(exchange: Exchange): void {
    settle(exchange);
    const { head } = exchange;
    const keptOpen = head?.keepAlive === true && head.framing.kind !== 'close';
    const reusable = keptOpen && queue.length === 0 && !ended && !closed && socket.writable;
    queue.length = 0;
    at = 0;
    exchange.resolveBody?.();
    if (reusable) {
      link.resume(); // to hear when the server closes it
      events.onFree(connection);
    } else {
      close();
    }
  }

  function fail(exchange: Exchange, error: unknown): void {
    if (current !== exchange) return;
    settle(exchange);
    exchange.failure = { error };
    exchange.rejectHead(error);
    exchange.rejectBody?.(error);
    close();
  }

  function close(): void {
    if (closed) return;
    closed = true;
    if (current !== undefined)
      fail(current, wireError(current.request.url, 'the connection was closed by us'));
    queue.length = 0;
    at = 0;
    socket.destroy();
    events.onClosed(connection);
  }
}
