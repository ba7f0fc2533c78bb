import { afterEach, describe, expect, test } from 'vitest';
import { isCarrelError } from '../../../src/errors.ts';
import { listen } from '../../../src/serve/index.ts';
import type { FaspexOptions } from '../server/faspex.ts';
import { type ServedFaspex, serveFaspex } from '../server/serve-faspex.ts';

const PASSCODE = '7106e341c06829c60d2c4f71a0a1158714b3ecc5';
const PACKAGE = {
  id: '739',
  passcode: PASSCODE,
  title: 'HER2_tumor_ROIs_v3',
  entries: [{ path: 'a b.xml', size: 3 }],
};

const open: ServedFaspex[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function serve(options: Partial<FaspexOptions> = {}): Promise<ServedFaspex> {
  const server = await serveFaspex({ packages: [PACKAGE], ...options });
  open.push(server);
  return server;
}

async function failure(work: Promise<unknown>) {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isCarrelError(error)) throw new Error(`no CarrelError: ${String(error)}`);
  return error;
}

function paths(server: ServedFaspex): string[] {
  return server.requests.map(({ method, path, signedInBy, status }) =>
    [method, path, status, ...(signedInBy === undefined ? [] : [signedInBy])].join(' '),
  );
}

describe('signing in with a public link', () => {
  test('reads the settings, changes the context for a code and the code for a token', async () => {
    const server = await serve();
    expect(await server.client().info()).toMatchObject({
      id: '739',
      title: 'HER2_tumor_ROIs_v3',
      bytes: 3,
      files: 1,
      state: 'released',
      recipient: { recipient_user_id: '12' },
    });
    expect(paths(server)).toEqual([
      'GET /config.js 200',
      'GET /auth/authorize_public_link 302',
      'POST /auth/token 201',
      'GET /api/v5/packages/739 200 bearer',
    ]);
  });

  test('many questions at a time sign in once', async () => {
    const server = await serve();
    const client = server.client();
    await Promise.all(Array.from({ length: 8 }, () => client.ask({ what: 'x', path: 'configuration' })));
    expect(paths(server).filter((line) => line.includes('/auth/token'))).toHaveLength(1);
  });

  test('a token that ends is replaced, and the question asked again', async () => {
    const server = await serve({ faults: { requestsPerToken: 1 } });
    const client = server.client();
    for (let times = 0; times < 3; times += 1) await client.ask({ what: 'x', path: 'configuration' });
    const asked = paths(server).filter((line) => line.includes('/api/'));
    expect(asked).toEqual([
      'GET /api/v5/configuration 200 bearer',
      'GET /api/v5/configuration 401 bearer',
      'GET /api/v5/configuration 200 bearer',
      'GET /api/v5/configuration 401 bearer',
      'GET /api/v5/configuration 200 bearer',
    ]);
  });

  test('a server that refuses every token is not asked for ever', async () => {
    const server = await serve({ faults: { requestsPerToken: 0 } });
    const error = await failure(server.client().info());
    expect(error).toMatchObject({ code: 'permission', status: 401 });
    expect(error.next).toContain('copy the address of its download button');
    expect(paths(server).filter((line) => line.includes('/auth/token'))).toHaveLength(2);
  });

  test('the end of a token by the clock is met in the same way', async () => {
    let now = Date.parse('2026-01-01T00:00:00Z');
    const server = await serve({ now: () => now, tokenSeconds: 60 });
    const client = server.client();
    await client.ask({ what: 'x', path: 'configuration' });
    now += 61_000;
    await client.ask({ what: 'x', path: 'configuration' });
    expect(paths(server).filter((line) => line.includes('/auth/token'))).toHaveLength(2);
  });

  test('an old server takes the passcode of the link', async () => {
    const server = await serve({ faults: { oldServer: true } });
    expect(await server.client().info()).toMatchObject({ id: '739' });
    expect(paths(server).at(-1)).toBe('GET /api/v5/packages/739 200 passcode');
  });

  test('an old server that forbids it ends in words', async () => {
    const server = await serve({ faults: { oldServer: true, passcodeForbidden: true } });
    const error = await failure(server.client().info());
    expect(error).toMatchObject({ code: 'permission', status: 403 });
    expect(error.message).toContain('Access using passcode is forbidden');
  });

  test('a server that takes JSON only for the token gets JSON, with a new code', async () => {
    const server = await serve({ faults: { jsonTokenOnly: true } });
    expect(await server.client().info()).toMatchObject({ id: '739' });
    expect(paths(server).filter((line) => line.includes('/auth/'))).toEqual([
      'GET /auth/authorize_public_link 302',
      'POST /auth/token 400',
      'GET /auth/authorize_public_link 302',
      'POST /auth/token 201',
    ]);
  });

  test('a link with a wrong passcode is refused in the words of the server', async () => {
    const server = await serve();
    const wrong = Buffer.from('{"type":"external_download_package","package_id":"739","passcode":"no"}');
    const client = server.client('739', (link) =>
      link.replace(/context=.*/, `context=${wrong.toString('base64')}`),
    );
    const error = await failure(client.info());
    expect(error.code).toBe('permission');
    expect(error.message).toContain('The link is not valid or has expired');
    expect(error.next).toContain('each version has a new link');
  });

  test('a code that would go to another host stops everything', async () => {
    const server = await serve({ faults: { foreignRedirect: 'https://evil.example.org' } });
    const error = await failure(server.client().info());
    expect(error.code).toBe('unsafe');
    expect(error.message).toContain('evil.example.org');
    expect(paths(server)).not.toContain('POST /auth/token 201');
  });

  test('an answer for another state stops everything', async () => {
    const server = await serve({ faults: { wrongState: 'c29tZXRoaW5nIGVsc2U=' } });
    expect((await failure(server.client().info())).code).toBe('unsafe');
    expect(paths(server)).not.toContain('POST /auth/token 201');
  });

  test('an abort ends the sign-in of its own caller only', async () => {
    const server = await serve();
    const client = server.client();
    const stop = new AbortController();
    const first = client.info(stop.signal);
    const second = client.ask({ what: 'x', path: 'configuration' });
    stop.abort();
    expect((await failure(first)).code).toBe('interrupted');
    expect((await second).json).toEqual({ http_gateway_url: null });
  });
});

describe('finding the application', () => {
  test.each([
    [
      'the root of the host',
      '/aspera/faspex',
      (link: string) => link.replace('/aspera/faspex/public/package', '/'),
    ],
    ['a folder of its own', '/x/faspex', (link: string) => link],
    [
      'the default place, though the link is below another',
      '/aspera/faspex',
      (link: string) => link.replace('/aspera/faspex', '/moved'),
    ],
  ])('%s', async (_, base, change) => {
    const server = await serve({ base });
    expect(await server.client('739', change).info()).toMatchObject({ id: '739' });
  });

  test('a server that was moved is found where it sends browsers', async () => {
    const server = await serve();
    const old = await listen({
      fetch: async (request) => {
        const { pathname, search } = new URL(request.url);
        return pathname.endsWith('/public/package')
          ? Response.redirect(`${server.origin}${pathname}${search}&redirected=true`, 302)
          : new Response('gone', { status: 404 });
      },
    });
    try {
      const client = server.client('739', (link) => link.replace(server.origin, old.url));
      expect(await client.info()).toMatchObject({ id: '739' });
    } finally {
      await old.close();
    }
  });

  test('a host without any says so', async () => {
    const server = await serve({ base: '/elsewhere' });
    const error = await failure(server.client('739', (link) => link.replace('/elsewhere', '')).info());
    expect(error).toMatchObject({ code: 'not-found' });
    expect(error.message).toContain('no Faspex 5 answers');
  });
});

describe('what the server may answer besides', () => {
  test('503 once is asked again', async () => {
    const server = await serve({ faults: { unavailable: 1 } });
    expect(await server.client().info()).toMatchObject({ id: '739' });
    expect(paths(server).filter((line) => line.includes('/api/'))).toEqual([
      'GET /api/v5/packages/739 503 bearer',
      'GET /api/v5/packages/739 200 bearer',
    ]);
  });

  test.each([{ maintenance: true }, { pages: true }])('maintenance is named: %j', async (faults) => {
    const server = await serve({ faults });
    const error = await failure(server.client().info());
    expect(error.code).toBe('network');
    expect(error.next).toContain('try again later');
  });

  test('an expired package says so, and what to do', async () => {
    const server = await serve({ packages: [{ ...PACKAGE, state: 'expired' }] });
    const error = await failure(server.client().info());
    expect(error.code).toBe('not-found');
    expect(error.message).toContain('("HER2_tumor_ROIs_v3") is expired');
    expect(error.next).toContain('copy the new link');
  });

  test('empty recipients, numbers as text, nulls and unknown fields', async () => {
    const fields = {
      total_bytes: '12',
      total_files: null,
      expiration_date: null,
      new_field: [1],
      metadata: {},
    };
    const server = await serve({ packages: [{ ...PACKAGE, recipients: [], fields }] });
    expect(await server.client().info()).toMatchObject({ bytes: 12, files: undefined, recipient: {} });
  });

  test.each([
    ['/api/', {}],
    ['/api/', { oldServer: true }],
    ['/auth/token', {}],
  ])('nobody is followed elsewhere with the credentials: %s %j', async (part, faults) => {
    const server = await serve({ faults });
    const seen: string[] = [];
    const elsewhere = await listen({
      fetch: async (request) => {
        seen.push(request.url);
        return Response.json({ id: '739' });
      },
    });
    const front = await listen({
      fetch: async (request) => {
        const { pathname, search } = new URL(request.url);
        if (pathname.includes(part)) return Response.redirect(`${elsewhere.url}${pathname}`, 307);
        const body = request.method === 'POST' ? await request.text() : undefined;
        const { method, headers } = request;
        return await server.fetch(
          new Request(`${new URL(request.url).origin}${pathname}${search}`, {
            method,
            headers,
            ...(body === undefined ? {} : { body }),
          }),
        );
      },
    });
    try {
      const client = server.client('739', (link) => link.replace(server.origin, front.url));
      expect((await failure(client.info())).code).toBe('network');
      expect(seen).toEqual([]);
    } finally {
      await front.close();
      await elsewhere.close();
    }
  });

  test('no error holds the passcode, the context or a token, even where the server repeats them', async () => {
    const server = await serve({ faults: { requestsPerToken: 0 } });
    const echo = await listen({
      fetch: async (request) => {
        const { pathname } = new URL(request.url);
        if (!pathname.includes('/api/v5/packages'))
          return server.fetch(
            new Request(request.url, {
              method: request.method,
              headers: request.headers,
              ...(request.method === 'POST' ? { body: await request.text() } : {}),
            }),
          );
        const headers = JSON.stringify([...request.headers]);
        return Response.json({ message: `${PASSCODE} ${headers}`.slice(0, 280) }, { status: 403 });
      },
    });
    try {
      const client = server.client('739', (link) => link.replace(server.origin, echo.url));
      const error = await failure(client.info());
      expect(error.message).toContain('***');
      expect(JSON.stringify([error.message, error.item, error.next, error.cause])).not.toMatch(
        /7106e341|eyJ[A-Za-z0-9_-]{30}/,
      );
    } finally {
      await echo.close();
    }
  });
});
