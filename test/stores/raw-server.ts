/** A TCP server that answers HTTP requests with exactly the bytes that a test wants. */
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

/** A request as it came over the wire. */
export interface RawRequest {
  method: string;
  /** The request target, untouched. */
  target: string;
  /** Names in lower case. */
  headers: Record<string, string>;
  /** Which connection, from 0, and which request on it, from 1. */
  connection: number;
  onConnection: number;
}

/** Writes the answer; may keep the socket, destroy it, or do nothing. */
export type RawHandler = (request: RawRequest, socket: Socket) => void | Promise<void>;

export interface RawServer {
  /** `http://127.0.0.1:port`. */
  url: string;
  port: number;
  requests: RawRequest[];
  /** Connections so far, and those that are open now. */
  connections: number;
  open: Set<Socket>;
  close(): Promise<void>;
}

/** Starts a server. Requests must have no body. */
export async function startRawServer(
  handler: RawHandler,
  tls?: { cert: string; key: string },
): Promise<RawServer> {
  const onSocket = (socket: Socket) => {
    const connection = server.connections;
    server.connections += 1;
    server.open.add(socket);
    let text = '';
    let onConnection = 0;
    socket.on('error', () => {});
    socket.on('close', () => server.open.delete(socket));
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const [line = '', ...fields] = text.slice(0, end).split('\r\n');
        text = text.slice(end + 4);
        const [method = '', target = ''] = line.split(' ');
        const headers = Object.fromEntries(
          fields.map((field) => {
            const at = field.indexOf(':');
            return [field.slice(0, at).toLowerCase(), field.slice(at + 1).trim()];
          }),
        );
        onConnection += 1;
        const request = { method, target, headers, connection, onConnection };
        server.requests.push(request);
        void handler(request, socket);
      }
    });
  };
  const listener =
    tls === undefined
      ? createServer(onSocket)
      : createTlsServer({ ...tls, ALPNProtocols: ['http/1.1'] }, onSocket);
  listener.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as { port: number };
  const server: RawServer = {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    requests: [],
    connections: 0,
    open: new Set(),
    close: () =>
      new Promise((resolve) => {
        for (const socket of server.open) socket.destroy();
        listener.close(() => resolve());
      }),
  };
  return server;
}

/** A reply as text: status line, fields, body with its length. */
export function reply(
  status: number,
  headers: Record<string, string>,
  body: string | Uint8Array = '',
): Buffer {
  const bytes = Buffer.from(body);
  const fields = { 'content-length': String(bytes.length), ...headers };
  const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status} X\r\n${head.join('')}\r\n`), bytes]);
}
