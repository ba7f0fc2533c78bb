/** aws, s5cmd, boto3, gsutil, gcloud and rclone, unmodified, against our servers; what they fetch is compared byte by byte. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { makeCertificate } from '../fixtures/certificate.ts';
import { createPeerHome, findTool, fingerprint, type PeerHome, runPeer } from '../fixtures/peers.ts';
import { type ObjectServers, startObjectServers } from '../fixtures/servers.ts';
import { type BucketsFixture, writeBuckets } from '../fixtures/tree.ts';

/** Larger than the part size of every tool, so that they fetch it in ranges. */
const LARGE = Buffer.alloc(21 * 1024 * 1024 + 17, 'all the world is a carrel. ');
const MANY = 2_100;

const tools = {
  aws: findTool('aws'),
  s5cmd: findTool('s5cmd'),
  python3: findTool('python3'),
  gsutil: findTool('gsutil'),
  gcloud: findTool('gcloud'),
  rclone: findTool('rclone'),
};

let buckets: BucketsFixture;
let home: PeerHome;
let plain: ObjectServers;
let secure: ObjectServers;
let certificate: string;
let wanted: Record<string, string>;

beforeAll(async () => {
  const awkward = [
    'with space.txt',
    'with+plus.txt',
    'per%cent%20.txt',
    'a&b<c>\'"d.xml',
    'ünïcode/日本語/😀.dcm',
    'x;y=z,@:.txt',
  ];
  buckets = await writeBuckets({
    ...Object.fromEntries(awkward.map((key) => [`idc-data/odd/${key}`, `content of ${key}`])),
    'idc-data/empty.bin': '',
    'idc-data/large.bin': LARGE,
    'idc-data/series/one.dcm': 'hello DICOM',
    ...Object.fromEntries(Array.from({ length: MANY }, (_, i) => [`many/${i % 3}/${i}.dcm`, `${i}`])),
  });
  home = await createPeerHome();
  plain = await startObjectServers({ root: buckets.root });
  secure = await startObjectServers({ root: buckets.root, tls: true });
  certificate = join(home.path, 'cert.pem');
  await writeFile(certificate, (await makeCertificate()).cert);
  wanted = await fingerprint(buckets.path('idc-data'));
});

afterAll(async () => {
  await Promise.all([plain.close(), secure.close()]);
  await home.remove();
  await buckets.remove();
});

const servers = (scheme: 'http' | 'https') => (scheme === 'http' ? plain : secure);

/** An empty folder for one test. */
async function target(name: string): Promise<string> {
  const path = join(home.path, name);
  await mkdir(path, { recursive: true });
  return path;
}

const over = test.for(['http', 'https'] as const);

/** Skips a test, with its reason in the report, only where a tool is not installed. */
function need(tool: keyof typeof tools, skip: TestContext['skip']): void {
  skip(tools[tool] === undefined, `${tool} is not installed`);
}

describe('aws s3', () => {
  const aws = (scheme: 'http' | 'https', ...args: string[]) =>
    runPeer(tools.aws ?? '', ['s3', ...args, '--no-sign-request', '--endpoint-url', servers(scheme).s3.url], {
      ...home.env,
      AWS_CA_BUNDLE: certificate,
    });

  over('cp --recursive over %s fetches every byte', async (scheme, { skip }) => {
    need('aws', skip);
    const out = await target(`aws-${scheme}`);
    const result = await aws(scheme, 'cp', '--recursive', '--only-show-errors', 's3://idc-data', out);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(await fingerprint(out)).toEqual(wanted);
  });

  over('ls over %s pages through all keys, and rolls up folders', async (scheme, { skip }) => {
    need('aws', skip);
    const all = await aws(scheme, 'ls', '--recursive', 's3://many');
    expect(all.stdout.trim().split('\n')).toHaveLength(MANY);
    expect((await aws(scheme, 'ls', 's3://many')).stdout).toMatch(/^ +PRE 0\/\n +PRE 1\/\n +PRE 2\/\n$/);
    expect((await aws(scheme, 'ls')).stdout).toMatch(/ idc-data\n.* many\n$/);
  });

  over('says over %s what is missing', async (scheme, { skip }) => {
    need('aws', skip);
    const result = await aws(scheme, 'cp', 's3://idc-data/none', '-');
    expect(result.code).not.toBe(0);
    expect(result.stderr).toContain('(404)');
    expect((await aws(scheme, 'ls', 's3://no-such-bucket')).stderr).toContain('(NoSuchBucket)');
  });
});

describe('s5cmd', () => {
  const s5cmd = (scheme: 'http' | 'https', ...args: string[]) =>
    runPeer(tools.s5cmd ?? '', ['--no-sign-request', '--endpoint-url', servers(scheme).s3.url, ...args], {
      ...home.env,
      AWS_CA_BUNDLE: certificate,
    });

  over('cp with a wildcard and parts over %s fetches every byte', async (scheme, { skip }) => {
    need('s5cmd', skip);
    const out = await target(`s5cmd-${scheme}`);
    const result = await s5cmd(scheme, 'cp', '--part-size', '5', 's3://idc-data/*', `${out}/`);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(await fingerprint(out)).toEqual(wanted);
  });

  over('cp from the XML API of GCS over %s, as IDC manifests do', async (scheme, { skip }) => {
    need('s5cmd', skip);
    const out = await target(`s5cmd-gcs-${scheme}`);
    const args = [
      '--no-sign-request',
      '--endpoint-url',
      servers(scheme).gcs.url,
      'cp',
      's3://idc-data/*',
      `${out}/`,
    ];
    const result = await runPeer(tools.s5cmd ?? '', args, { ...home.env, AWS_CA_BUNDLE: certificate });
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(await fingerprint(out)).toEqual(wanted);
  });

  over('run executes a manifest over %s', async (scheme, { skip }) => {
    need('s5cmd', skip);
    const out = await target(`s5cmd-run-${scheme}`);
    const file = join(home.path, `manifest-${scheme}.txt`);
    await writeFile(
      file,
      `cp s3://idc-data/series/* ${out}/\ncp "s3://idc-data/odd/with space.txt" ${out}/x.txt\n`,
    );
    expect(await s5cmd(scheme, 'run', file)).toMatchObject({ code: 0, stderr: '' });
    expect(Object.keys(await fingerprint(out))).toEqual(['one.dcm', 'x.txt']);
  });

  over('ls, du and head over %s', async (scheme, { skip }) => {
    need('s5cmd', skip);
    expect((await s5cmd(scheme, 'ls', 's3://many/*')).stdout.trim().split('\n')).toHaveLength(MANY);
    expect((await s5cmd(scheme, 'du', 's3://idc-data/series/*')).stdout).toContain('11 bytes in 1 objects');
    expect((await s5cmd(scheme, 'head', 's3://idc-data/series/one.dcm')).stdout).toContain(
      '27555dfdcaddcd3aa20a5c116f66cbf7',
    );
    expect(
      (await s5cmd(scheme, '--use-list-objects-v1', 'ls', 's3://many/*')).stdout.trim().split('\n'),
    ).toHaveLength(MANY);
  });
});

describe('boto3', () => {
  const SCRIPT = `
import sys, os, boto3
from botocore import UNSIGNED
from botocore.config import Config
url, out, ca = sys.argv[1:]
s3 = boto3.client('s3', endpoint_url=url, verify=ca, config=Config(signature_version=UNSIGNED))
for page in s3.get_paginator('list_objects_v2').paginate(Bucket='idc-data', PaginationConfig={'PageSize': 2}):
    for found in page['Contents']:
        path = os.path.join(out, found['Key'])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        s3.download_file('idc-data', found['Key'], path)
body = s3.get_object(Bucket='idc-data', Key='series/one.dcm', ChecksumMode='ENABLED')
assert body['ChecksumType'] == 'FULL_OBJECT', body
assert body['Body'].read() == b'hello DICOM'
try:
    s3.get_object(Bucket='idc-data', Key='series/one.dcm', IfMatch='"other"')
    raise AssertionError('If-Match was ignored')
except s3.exceptions.ClientError as error:
    assert error.response['Error']['Code'] == 'PreconditionFailed', error.response
assert s3.get_bucket_location(Bucket='idc-data')['LocationConstraint'] is None
s3.head_bucket(Bucket='many')
`;

  over('downloads over %s, checks checksums and conditions', async (scheme, { skip }) => {
    need('python3', skip);
    const python = tools.python3 ?? '';
    const probe = await runPeer(python, ['-c', 'import boto3'], home.env);
    skip(probe.code !== 0, 'boto3 is not installed');
    const out = await target(`boto3-${scheme}`);
    const result = await runPeer(python, ['-c', SCRIPT, servers(scheme).s3.url, out, certificate], home.env);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(await fingerprint(out)).toEqual(wanted);
  });
});

describe('gsutil', () => {
  /** gsutil speaks TLS only, and with a port of its own the JSON API only (boto fails to format a configured port). */
  const gsutil = async (...args: string[]) => {
    const settings = join(home.path, 'boto');
    const text = `
[Credentials]
gs_json_host = 127.0.0.1
gs_json_port = ${secure.gcs.port}
[Boto]
is_secure = True
https_validate_certificates = True
ca_certificates_file = ${certificate}
[GSUtil]
state_dir = ${home.path}/gsutil
software_update_check_period = 0
`;
    await writeFile(settings, text);
    const env = { ...home.env, BOTO_CONFIG: settings, CLOUDSDK_CONFIG: join(home.path, 'gcloud') };
    return runPeer(tools.gsutil ?? '', ['-q', ...args], {
      ...env,
      CLOUDSDK_CORE_PASS_CREDENTIALS_TO_GSUTIL: '0',
    });
  };

  test('cp -r fetches every byte', async ({ skip }) => {
    need('gsutil', skip);
    const out = await target('gsutil');
    const result = await gsutil('cp', '-r', 'gs://idc-data/*', out);
    expect({ ...result, stderr: result.stderr.trim() }).toMatchObject({ code: 0, stderr: '' });
    expect(await fingerprint(out)).toEqual(wanted);
  });

  test('ls pages through all names, and shows the hashes', async ({ skip }) => {
    need('gsutil', skip);
    const all = await gsutil('ls', 'gs://many/**');
    expect(all.stdout.trim().split('\n')).toHaveLength(MANY);
    expect((await gsutil('ls', '-L', 'gs://idc-data/series/one.dcm')).stdout).toMatch(
      /Hash \(crc32c\): .*\n.*Hash \(md5\): +J1Vd/,
    );
    const missing = await gsutil('cp', 'gs://idc-data/none', join(home.path, 'none'));
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('No URLs matched')]);
  });
});

describe('gcloud storage', () => {
  const gcloud = (scheme: 'http' | 'https', ...args: string[]) =>
    runPeer(tools.gcloud ?? '', ['storage', ...args], {
      ...home.env,
      CLOUDSDK_CONFIG: join(home.path, `gcloud-${scheme}`),
      CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: `${servers(scheme).gcs.url}/storage/v1/`,
      CLOUDSDK_AUTH_DISABLE_CREDENTIALS: 'True',
      CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE: certificate,
      CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
      CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: 'True',
      CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: 'True',
      // Slices from 1 MiB on, so that ranges are asked for.
      CLOUDSDK_STORAGE_SLICED_OBJECT_DOWNLOAD_THRESHOLD: '1Mi',
      CLOUDSDK_STORAGE_SLICED_OBJECT_DOWNLOAD_COMPONENT_SIZE: '5Mi',
    });

  over('cp -r over %s fetches every byte', async (scheme, { skip }) => {
    need('gcloud', skip);
    const out = await target(`gcloud-out-${scheme}`);
    const result = await gcloud(scheme, 'cp', '-r', 'gs://idc-data/*', out);
    expect(result.stderr).not.toContain('ERROR');
    expect(result.code).toBe(0);
    expect(await fingerprint(out)).toEqual(wanted);
  });

  over('ls over %s pages through all names', async (scheme, { skip }) => {
    need('gcloud', skip);
    const result = await gcloud(scheme, 'ls', 'gs://many/**');
    expect(result.stdout.trim().split('\n')).toHaveLength(MANY);
  });
});

describe('rclone', () => {
  over('copies from both servers over %s, checking hashes', async (scheme, { skip }) => {
    need('rclone', skip);
    const { s3, gcs } = servers(scheme);
    const remotes = {
      s3: `:s3,provider=Other,endpoint='${s3.url}':idc-data`,
      gcs: `:gcs,anonymous=true,endpoint='${gcs.url}/storage/v1/':idc-data`,
    };
    for (const [name, remote] of Object.entries(remotes)) {
      const out = await target(`rclone-${name}-${scheme}`);
      const args = ['copy', '--quiet', '--ca-cert', certificate, '--multi-thread-cutoff', '5Mi', remote, out];
      expect(await runPeer(tools.rclone ?? '', args, home.env)).toMatchObject({ code: 0, stderr: '' });
      expect(await fingerprint(out)).toEqual(wanted);
      const check = await runPeer(
        tools.rclone ?? '',
        ['check', '--ca-cert', certificate, remote, out],
        home.env,
      );
      expect([check.code, check.stderr]).toEqual([0, expect.stringContaining('0 differences found')]);
    }
  });
});
