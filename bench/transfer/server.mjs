// nginx as a bucket of S3 (HTTP/1.1, ETag = MD5) and of Google Cloud Storage (also HTTP/2, x-goog-hash), with and without
// TLS. It counts connections and requests.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

const NGINX = ['/usr/sbin/nginx', '/usr/bin/nginx', '/usr/local/sbin/nginx'].find(existsSync);
const MORE = '/usr/lib/nginx/modules/ngx_http_headers_more_filter_module.so';

/** What is missing to serve, or undefined. */
export function missingServer() {
  return NGINX === undefined
    ? 'nginx is missing: apt-get install nginx-light libnginx-mod-http-headers-more-filter'
    : undefined;
}

/** A certificate authority of its own and a certificate for the addresses used here. */
export function makeCertificate(folder, addresses) {
  mkdirSync(folder, { recursive: true });
  const openssl = (...args) =>
    execFileSync(process.env.OPENSSL ?? 'openssl', args, {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  const key = (name) => [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    `${name}.key`,
  ];
  openssl('req', '-x509', ...key('ca'), '-out', 'ca.pem', '-days', '30', '-subj', '/CN=Benchmark CA');
  openssl('req', ...key('server'), '-out', 'server.csr', '-subj', '/CN=localhost');
  const names = ['DNS:localhost', ...addresses.map((address) => `IP:${address}`)].join(',');
  writeFileSync(
    join(folder, 'server.ext'),
    `subjectAltName=${names}\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n`,
  );
  openssl(
    'x509',
    '-req',
    '-in',
    'server.csr',
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    '30',
    '-extfile',
    'server.ext',
    '-out',
    'server.pem',
  );
  return {
    ca: join(folder, 'ca.pem'),
    certificate: join(folder, 'server.pem'),
    key: join(folder, 'server.key'),
  };
}

/**
 * Serves the buckets that `writeBucket` wrote below `root`.
 *
 * @param {{ root: string, folder: string, tls: { certificate: string, key: string }, host?: string, prefix?: string[] }} options
 *   `prefix` stands before the command (a network namespace)
 */
export async function startServer({ root, folder, tls, host = '127.0.0.1', prefix = [] }) {
  mkdirSync(folder, { recursive: true });
  const ports = await freePorts(5);
  const [s3, s3Tls, gcs, gcsTls, control] = ports;
  const log = join(folder, 'access.log');
  const config = join(folder, 'nginx.conf');
  writeFileSync(config, configuration({ root, folder, tls, ports }));
  const child = spawn(
    [...prefix, NGINX][0],
    [...[...prefix, NGINX].slice(1), '-p', folder, '-c', config, '-e', join(folder, 'error.log')],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  const end = () => child.kill('SIGTERM');
  process.prependOnceListener('exit', end);
  let ended;
  child.on('exit', (code) => {
    ended = code ?? 'a signal';
  });
  const status = async () =>
    Number(
      /(\d+) \d+ \d+/.exec(
        await (await fetch(`http://${host}:${control}/`, { headers: { connection: 'close' } })).text(),
      )?.[1],
    );
  for (let tries = 0; ; tries += 1) {
    try {
      await status();
      break;
    } catch (error) {
      if (ended !== undefined || tries > 100)
        throw new Error(`nginx did not start (${ended})`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  let accepted = 0;
  let asked = 0;
  return {
    /** Endpoint of a cloud. */
    endpoint: (cloud, secure) =>
      `http${secure ? 's' : ''}://${host}:${cloud === 's3' ? (secure ? s3Tls : s3) : secure ? gcsTls : gcs}`,
    host,
    port: (cloud, secure) => (cloud === 's3' ? (secure ? s3Tls : s3) : secure ? gcsTls : gcs),
    /** Starts counting. */
    async reset() {
      truncateSync(log);
      accepted = await status();
      asked = 0;
      this.cpuBefore = cpuOf(child.pid);
    },
    /** Since `reset`. */
    async counts() {
      asked += 1;
      const connections = (await status()) - accepted - asked;
      const cpu = cpuOf(child.pid) - this.cpuBefore;
      const counts = {
        connections,
        serverCpu: cpu,
        used: 0,
        lists: 0,
        heads: 0,
        gets: 0,
        refused: 0,
        sent: 0,
      };
      const used = new Set();
      for (const line of readFileSync(log, 'utf8').split('\n')) {
        if (line === '') continue;
        const [connection, method, code, bytes, kind] = line.split(' ');
        used.add(connection);
        if (kind === 'list') counts.lists += 1;
        else if (method === 'HEAD') counts.heads += 1;
        else counts.gets += 1;
        if (Number(code) >= 400) counts.refused += 1;
        if (kind !== 'list') counts.sent += Number(bytes);
      }
      counts.used = used.size;
      return counts;
    },
    async close() {
      process.removeListener('exit', end);
      if (ended !== undefined) return;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
    },
  };
}

function configuration({ root, folder, tls, ports: [s3, s3Tls, gcs, gcsTls, control] }) {
  const more = existsSync(MORE);
  // A pinned request compares with an ETag of nginx's own, which is off: the ETag here is the MD5, as on S3.
  const unpin = more ? 'more_clear_input_headers If-Match If-None-Match If-Modified-Since;' : '';
  const objects = `root ${root}; location / { ${unpin} }`;
  const lists = (at, type, suffix) =>
    `location ~ ${at} { default_type ${type}; try_files /lists/$bucket/$list_prefix/$list_page.${suffix} =404; }`;
  const xml = lists('^/(?<bucket>[a-z0-9-]+)/?$', 'application/xml', 'xml');
  const json = lists('^/storage/v1/b/(?<bucket>[a-z0-9-]+)/o$', 'application/json', 'json');
  return `${more ? `load_module ${MORE};` : ''}
${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off; worker_processes auto; worker_rlimit_nofile 65536; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events { worker_connections 16384; }
http {
  default_type application/octet-stream; sendfile on; tcp_nopush on; etag off; server_tokens off;
  keepalive_requests 100; keepalive_timeout 20s; client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  open_file_cache max=8000 inactive=3600s; open_file_cache_valid 3600s;
  map_hash_max_size 1048576; map_hash_bucket_size 512;
  map $uri $md5 { include ${root}/md5.map; }
  map $uri $goog_hash { include ${root}/hash.map; }
  map /$bucket/$object $item { include ${root}/item.map; }
  map $args $list_prefix { default _all; "~(^|&)prefix=(?<p>[a-z0-9-]+)(%2F|/)?(&|$)" $p; }
  map $args $list_page { default 0; "~(continuation-token|pageToken)=(?<n>[0-9]+)" $n; }
  map $args $wants_media { default 0; "~(^|&)alt=media" 1; }
  map $uri $what { default object; "~^/lists/" list; }
  log_format tally '$connection $request_method $status $body_bytes_sent $what';
  access_log ${folder}/access.log tally;
  ssl_certificate ${tls.certificate}; ssl_certificate_key ${tls.key};
  ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:s:10m; ssl_session_timeout 10m;
  server { listen 0.0.0.0:${control}; access_log off; location / { stub_status; } }
  server {
    listen 0.0.0.0:${s3} backlog=4096; listen 0.0.0.0:${s3Tls} ssl backlog=4096;
    add_header ETag $md5; add_header x-amz-request-id 1;
    ${objects} ${xml}
  }
  server {
    listen 0.0.0.0:${gcs} backlog=4096; listen 0.0.0.0:${gcsTls} ssl http2 backlog=4096;
    add_header ETag $md5; add_header x-goog-hash $goog_hash; add_header x-goog-generation 1; add_header x-goog-metageneration 1;
    add_header x-goog-stored-content-encoding identity;
    ${objects} ${xml} ${json}
    location ~ ^/(download/)?storage/v1/b/(?<bucket>[a-z0-9-]+)/o/(?<object>.+)$ { ${unpin} if ($wants_media) { rewrite ^ /$bucket/$object last; } default_type application/json; if ($item) { return 200 $item; } return 404; }
  }
}
`.replaceAll('', '');
}

/** Processor seconds of a process and its children so far. */
function cpuOf(pid) {
  const ticks = (path) => {
    const fields = readFileSync(path, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return Number(fields[11]) + Number(fields[12]);
  };
  let sum = ticks(`/proc/${pid}/stat`);
  for (const child of readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' '))
    if (child !== '') sum += ticks(`/proc/${child}/stat`);
  return sum / 100;
}

async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer();
      return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
    }),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
