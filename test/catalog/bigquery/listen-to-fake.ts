/** The fake BigQuery on loopback, with credentials that Google's own libraries read and it accepts. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { type Backend, createFakeBigQuery, type FakeBigQuery } from './fake-server.ts';

/** Project that runs the jobs of the tests. */
export const PROJECT = 'project-of-the-tests';

/** A server that listens. */
export interface Listening {
  server: FakeBigQuery;
  /** `http://127.0.0.1:…` */
  endpoint: string;
  /** What a process of its own needs to find server and credentials. */
  env: Record<string, string>;
  close(): Promise<void>;
}

/** Starts it, and points this process at its credentials. */
export async function listenToFake(backend: Backend): Promise<Listening> {
  const server = createFakeBigQuery(backend, PROJECT);
  const folder = await mkdtemp(join(tmpdir(), 'carrel-fake-bigquery-'));
  const listening = serve({
    fetch: (request) => server.fetch(request),
    hostname: '127.0.0.1',
    port: 0,
  }) as Server;
  await new Promise((resolve) => listening.once('listening', resolve));
  const endpoint = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
  const credentials = join(folder, 'credentials.json');
  await writeFile(join(folder, 'token'), 'subject');
  await writeFile(
    credentials,
    JSON.stringify({
      type: 'external_account',
      audience: 'tests',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `${endpoint}/v1/token`,
      credential_source: { file: join(folder, 'token') },
    }),
  );
  process.env['GOOGLE_APPLICATION_CREDENTIALS'] = credentials;
  return {
    server,
    endpoint,
    env: {
      BIGQUERY_EMULATOR_HOST: `${endpoint}/bigquery/v2`,
      GOOGLE_APPLICATION_CREDENTIALS: credentials,
    },
    async close() {
      delete process.env['GOOGLE_APPLICATION_CREDENTIALS'];
      listening.closeAllConnections();
      await new Promise((resolve) => listening.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
