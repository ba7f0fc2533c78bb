import { afterEach, describe, expect, test } from 'vitest';
import { followRedirect } from '../../../src/stores/http/redirect.ts';
import { createHttpPool } from '../../../src/stores/index.ts';
import { expectCode } from '../../contract/store.ts';
import { makeCertificate } from '../../fixtures/certificate.ts';
import { reply, startRawServer } from '../raw-server.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const item of open.splice(0)) await item.close();
});

const SECRETS = {
  authorization: 'Bearer secret',
  Cookie: 'session=secret',
  'X-Amz-Security-Token': 'secret',
  'x-amz-date': '20240101T000000Z',
  range: 'bytes=1-2',
  'x-goog-if-generation-match': '7',
};

describe('what is taken along', () => {
  test('everything, within one origin', () => {
    const hop = followRedirect({ method: 'GET', url: 'https://a.test/x', headers: SECRETS }, 302, '/y?z=1');
    expect(hop).toEqual({ method: 'GET', url: 'https://a.test/y?z=1', headers: SECRETS, body: undefined });
  });

  test.each(['https://b.test/y', 'https://a.test:8443/y', '//b.test/y'])(
    'no proof of who we are, to %s',
    (location) => {
      const { headers } = followRedirect(
        { method: 'GET', url: 'https://a.test/x', headers: SECRETS },
        307,
        location,
      );
      expect(headers).toEqual({ range: 'bytes=1-2', 'x-goog-if-generation-match': '7' });
    },
  );

  test('nothing, from https to http', () => {
    const hop = { method: 'GET', url: 'https://a.test/x', headers: {} };
    expect(() => followRedirect(hop, 301, 'http://a.test/x')).toThrow(/redirected from https to http/);
  });

  test.each(['javascript:alert(1)', 'file:///etc/passwd', 'http://'])('not to %s', (location) => {
    const hop = { method: 'GET', url: 'http://a.test/x', headers: {} };
    expect(() => followRedirect(hop, 301, location)).toThrow(/no web address/);
  });

  test('the method, except where the standard says GET', () => {
    const post = {
      method: 'POST',
      url: 'http://a.test/x',
      headers: { 'content-type': 'a/b' },
      body: Buffer.from('x'),
    };
    for (const status of [301, 302, 303]) {
      expect(followRedirect(post, status, '/y')).toEqual({
        method: 'GET',
        url: 'http://a.test/y',
        headers: {},
        body: undefined,
      });
    }
    for (const status of [307, 308])
      expect(followRedirect(post, status, '/y')).toEqual({ ...post, url: 'http://a.test/y' });
    const head = { method: 'HEAD', url: 'http://a.test/x', headers: {} };
    for (const status of [301, 302, 303, 307, 308])
      expect(followRedirect(head, status, '/y').method).toBe('HEAD');
  });

  test('a path with `..` as it stands', () => {
    const hop = { method: 'GET', url: 'http://a.test/x', headers: {} };
    expect(followRedirect(hop, 302, 'http://a.test/p/../q').url).toBe('http://a.test/p/../q');
  });
});

describe('over the wire', () => {
  test.each([301, 302, 303, 307, 308])('%i to another port keeps our secrets', async (status) => {
    const far = await startRawServer((_request, socket) => void socket.write(reply(200, {}, 'far')));
    const near = await startRawServer((_request, socket) => {
      socket.write(reply(status, { location: `${far.url}/there` }, 'moved'));
    });
    const pool = createHttpPool({ env: {} });
    open.push(pool, near, far);
    const got = await pool.request({ url: `${near.url}/here`, headers: SECRETS });
    expect(await got.text()).toBe('far');
    expect(got.url).toBe(`${far.url}/there`);
    expect(JSON.stringify(near.requests[0]?.headers)).toContain('secret');
    expect(JSON.stringify(far.requests[0]?.headers)).not.toContain('secret');
    expect(far.requests[0]?.headers['range']).toBe('bytes=1-2');
  });

  test('the body of a redirect is read, and the connection kept', async () => {
    const server = await startRawServer((request, socket) => {
      socket.write(
        request.target === '/a' ? reply(302, { location: '/b' }, 'x'.repeat(1000)) : reply(200, {}, 'y'),
      );
    });
    const pool = createHttpPool({ env: {} });
    open.push(pool, server);
    expect(await (await pool.request({ url: `${server.url}/a` })).text()).toBe('y');
    expect(server.connections).toBe(1);
  });

  test('an endless body of a redirect is not', async () => {
    const server = await startRawServer((request, socket) => {
      if (request.target === '/b') socket.write(reply(200, {}, 'y'));
      else socket.write(reply(302, { location: '/b', 'content-length': '1000000000' }, 'x'.repeat(1000)));
    });
    const pool = createHttpPool({ env: {} });
    open.push(pool, server);
    expect(await (await pool.request({ url: `${server.url}/a` })).text()).toBe('y');
  });

  test('from https to http: refused, and nothing is asked there', async () => {
    const certificate = await makeCertificate();
    const far = await startRawServer((_request, socket) => void socket.write(reply(200, {}, 'far')));
    const near = await startRawServer((_request, socket) => {
      socket.write(reply(302, { location: `${far.url}/there` }));
    }, certificate);
    const pool = createHttpPool({ env: {}, ca: certificate.cert });
    open.push(pool, near, far);
    await expectCode(pool.request({ url: near.url }), 'unsafe');
    expect(far.requests).toEqual([]);
  });

  test('handed over where that is asked for', async () => {
    const server = await startRawServer(
      (_request, socket) => void socket.write(reply(302, { location: '/b' })),
    );
    const pool = createHttpPool({ env: {} });
    open.push(pool, server);
    const got = await pool.request({ url: server.url, redirect: 'manual' });
    expect([got.status, got.headers.get('location')]).toEqual([302, '/b']);
    expect(await got.bytes()).toHaveLength(0);
  });
});
