/** The contract over our own stores against our own servers. */
import { createOpenStore, type Place } from '../../src/stores/index.ts';
import { CONTRACT_OBJECTS, type StoreUnderTest, testStore } from '../contract/store.ts';
import { makeCertificate } from '../fixtures/certificate.ts';
import { startObjectServers } from '../fixtures/servers.ts';
import { writeBuckets } from '../fixtures/tree.ts';

/** Our servers over a folder, and a store of the place that is wanted. */
async function setup(
  place: (urls: { s3: string; gcs: string; root: string }) => Place,
  tls = false,
): Promise<StoreUnderTest> {
  const buckets = await writeBuckets(
    Object.fromEntries(Object.entries(CONTRACT_OBJECTS).map(([key, bytes]) => [`bucket/${key}`, bytes])),
  );
  const servers = await startObjectServers({ root: buckets.root, tls });
  const ca = tls ? (await makeCertificate()).cert : undefined;
  const open = createOpenStore({ http: { ca, env: {} } });
  return {
    store: open(place({ s3: servers.s3.url, gcs: servers.gcs.url, root: buckets.root })),
    replace: (key, bytes) => buckets.write({ [`bucket/${key}`]: bytes }, new Date()),
    async close() {
      await open.close();
      await servers.close();
      await buckets.remove();
    },
  };
}

testStore('s3, our server', () => setup(({ s3 }) => ({ protocol: 's3', endpoint: s3, bucket: 'bucket' })));
testStore('s3, our server, TLS', () =>
  setup(({ s3 }) => ({ protocol: 's3', endpoint: s3, bucket: 'bucket' }), true),
);
testStore('gcs, our server', () =>
  setup(({ gcs }) => ({ protocol: 'gcs', endpoint: gcs, bucket: 'bucket' })),
);
testStore(
  'https, our server',
  () => setup(({ s3 }) => ({ protocol: 'https', endpoint: `${s3}/bucket`, bucket: '' })),
  {
    lists: 'a plain web server has no listing',
    digests: 'a plain web server vouches for none',
    'odd keys': 'the key is part of a URL: what it holds is encoded by whoever wrote the URL',
  },
);
testStore('file', () => setup(({ root }) => ({ protocol: 'file', endpoint: root, bucket: 'bucket' })), {
  digests: 'a file system vouches for none',
});
