import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { builtInArchive } from '../../src/archives/index.ts';
import { getPlanned, planCohort, resolveCohort, type Tools } from '../../src/cohort/index.ts';
import { type Listener, listen } from '../../src/serve/index.ts';
import { createOpenStore, type StoreOpener } from '../../src/stores/index.ts';

const ID = 'dg.4DFC/641121f1-5ca0-42cc-9156-fb5538c14355';
const BYTES = Buffer.from('DICM and the rest');
const SECRET = 'X-Signature=very-secret';

let folder: string;
let host: Listener;
let stores: StoreOpener;
let signatures = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carrel-signed-'));
  stores = createOpenStore();
  const answer = (request: Request): Response => {
    const { pathname, search, origin } = new URL(request.url);
    const path = decodeURIComponent(pathname);
    if (path === `/ga4gh/drs/v1/objects/${ID}/access/s3`) {
      signatures += 1;
      return Response.json({ url: `${origin}/private/x.dcm?${SECRET}${signatures}` });
    }
    if (path === `/ga4gh/drs/v1/objects/${ID}`) {
      const md5 = createHash('md5').update(BYTES).digest('hex');
      return Response.json({
        id: ID,
        name: 'x.dcm',
        size: BYTES.length,
        checksums: [{ type: 'md5', checksum: md5 }],
        access_methods: [{ type: 's3', access_id: 's3' }],
      });
    }
    // Only the newest signature opens the door.
    return path === '/private/x.dcm' && search === `?${SECRET}${signatures}`
      ? new Response(BYTES)
      : new Response(null, { status: 403 });
  };
  host = await listen({ fetch: async (request) => answer(request) });
});
afterAll(async () => {
  await host.close();
  await stores.close();
  await rm(folder, { recursive: true, force: true });
});

test('a signed URL is used and never kept: the lock file holds the address that signs it, and fetches again by it', async () => {
  const archive = {
    ...builtInArchive('idc'),
    drs: {
      prefix: 'dg.4DFC',
      host: host.url.replace('http://', ''),
      aliases: [],
      endpoint: `${host.url}/ga4gh/drs/v1`,
    },
  };
  const tools: Tools = {
    archive,
    openStore: stores.openStore,
    http: stores.pool,
    catalog: undefined,
    from: 'auto',
  };
  const get = async (what: string, directory: string) => {
    const cohort = await resolveCohort({ what: [what], selection: {} }, tools, { cwd: folder });
    const plan = await planCohort(cohort, tools, { directory });
    return await getPlanned(plan, tools, { directory });
  };
  const first = await get(`drs://${ID}`, join(folder, 'first'));
  expect(first.transfer).toMatchObject({ fetched: 1, failed: [], verifiedBy: { md5: 1 } });

  const again = await get(first.lockPath, join(folder, 'again'));
  expect(again.transfer).toMatchObject({ fetched: 1, failed: [] });
  expect(again.transfer.files.map(({ digest }) => digest)).toEqual(
    first.transfer.files.map(({ digest }) => digest),
  );
  expect(await readFile(again.lockPath, 'utf8')).toBe(await readFile(first.lockPath, 'utf8'));

  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile())
      expect(await readFile(join(entry.parentPath, entry.name), 'latin1')).not.toContain(SECRET);
  }
});
