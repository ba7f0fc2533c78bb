/** Whether the way of FASP is open: TCP for the session, UDP for the bytes. */
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { abortError } from '../../errors.ts';

/** What came of trying a TCP port. */
export interface TcpProbe {
  state: 'open' | 'refused' | 'silent' | 'unreachable';
  /** In words. */
  detail: string;
}

/** What came of sending to a UDP port. That nothing came back proves nothing: FASP answers sessions alone. */
export interface UdpProbe {
  state: 'unknown' | 'refused' | 'blocked';
  detail: string;
}

/** Options of a probe. */
export interface ProbeOptions {
  host: string;
  port: number;
  /** Milliseconds until silence counts as an answer. Default 5000. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** Opens a TCP connection and closes it. @throws CarrelError `interrupted` */
export async function probeTcp(options: ProbeOptions): Promise<TcpProbe> {
  const { host, port, timeoutMs = 5000, signal } = options;
  const started = performance.now();
  const probe = await new Promise<TcpProbe>((resolve) => {
    const socket = connect({ host, port, ...(signal === undefined ? {} : { signal }) });
    const end = (state: TcpProbe['state'], detail: string): void => {
      clearTimeout(limit);
      socket.destroy();
      resolve({ state, detail });
    };
    const limit = setTimeout(
      () => end('silent', `no answer in ${Math.round(timeoutMs / 1000)} s`),
      timeoutMs,
    );
    socket.once('connect', () => end('open', `open, ${Math.round(performance.now() - started)} ms`));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') end('refused', 'refused');
      else if (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN')
        end('unreachable', 'the name is not known');
      else end('unreachable', error.code ?? error.message);
    });
  });
  if (signal?.aborted === true) throw abortError(signal);
  return probe;
}

/** Sends a datagram and waits a little for a refusal. @throws CarrelError `interrupted` */
export async function probeUdp(options: ProbeOptions): Promise<UdpProbe> {
  const { host, port, timeoutMs = 1500, signal } = options;
  const probe = await new Promise<UdpProbe>((resolve) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    let ended = false;
    const end = (state: UdpProbe['state'], detail: string): void => {
      if (ended) return;
      ended = true;
      clearTimeout(limit);
      signal?.removeEventListener('abort', stop);
      socket.close();
      resolve({ state, detail });
    };
    const stop = (): void => end('unknown', 'stopped');
    const limit = setTimeout(
      () => end('unknown', 'sent, nothing came back; only a session can prove that it passes'),
      timeoutMs,
    );
    signal?.addEventListener('abort', stop);
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') end('refused', 'a refusal came back');
      else end('blocked', `this machine cannot send it (${error.code ?? error.message})`);
    });
    // Connected, so that the system tells of refusals.
    socket.connect(port, host, (error?: Error) => {
      if (error !== undefined && error !== null)
        end('blocked', `this machine cannot send it (${error.message})`);
      else socket.send(Buffer.alloc(16));
    });
  });
  if (signal?.aborted === true) throw abortError(signal);
  return probe;
}
