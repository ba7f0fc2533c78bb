import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { probeTcp, probeUdp } from '../../../src/tcia/index.ts';

let server: Server | undefined;
afterEach(() => {
  server?.close();
  server = undefined;
});

async function openPort(): Promise<number> {
  server = createServer((socket) => socket.on('error', () => {}));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A port where nobody listens any more. */
async function shutPort(): Promise<number> {
  const port = await openPort();
  server?.close();
  return port;
}

describe('a TCP port', () => {
  test('is open, or refuses', async () => {
    expect(await probeTcp({ host: '127.0.0.1', port: await openPort() })).toMatchObject({ state: 'open' });
    expect(await probeTcp({ host: '127.0.0.1', port: await shutPort() })).toEqual({
      state: 'refused',
      detail: 'refused',
    });
  });

  test('a name that cannot be is unreachable; a signal stops it', async () => {
    expect(await probeTcp({ host: 'nobody.invalid', port: 33_001 })).toMatchObject({ state: 'unreachable' });
    await expect(
      probeTcp({ host: '127.0.0.1', port: await openPort(), signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'interrupted' });
  });
});

describe('a UDP port', () => {
  test('that says nothing is not called open', async () => {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const probe = await probeUdp({ host: '127.0.0.1', port: socket.address().port, timeoutMs: 50 });
    expect(probe).toMatchObject({
      state: 'unknown',
      detail: expect.stringContaining('only a session') as string,
    });
    socket.close();
  });

  test.skipIf(process.platform !== 'linux')('that refuses is told', async () => {
    expect(await probeUdp({ host: '127.0.0.1', port: await shutPort() })).toMatchObject({ state: 'refused' });
  });
});
