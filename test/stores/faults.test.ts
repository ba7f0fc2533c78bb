import { createOpenStore } from '../../src/stores/index.ts';
import { testStoreFaults } from '../contract/store-faults.ts';

const byEtag = {
  version: (name: 1 | 2) => ({ etag: `"version-${name}"` }),
  pinned: (name: 1 | 2) => `version-${name}`,
  path: (key: string) => `/bucket/${key}`,
};

testStoreFaults('s3', {
  ...byEtag,
  open: (endpoint, pool) => createOpenStore({ pool })({ protocol: 's3', endpoint, bucket: 'bucket' }),
});
testStoreFaults('https', {
  ...byEtag,
  open: (endpoint, pool) => createOpenStore({ pool })({ protocol: 'https', endpoint, bucket: 'bucket' }),
});
testStoreFaults('gcs', {
  version: (name) => ({ 'x-goog-generation': `170000000000000${name}` }),
  pinned: (name) => `170000000000000${name}`,
  path: (key) => `/bucket/${key}`,
  open: (endpoint, pool) => createOpenStore({ pool })({ protocol: 'gcs', endpoint, bucket: 'bucket' }),
});
