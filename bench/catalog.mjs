// Look-ups and counts over the public archive's own tables (1,044,191 series), beside idc-index 0.13.4 with the pandas that
// pip installs today and with the last pandas before 3. Whole processes, in turn; medians.
//
//   npm run build && node bench/catalog.mjs [--rounds 5] [--only install,one,many]
//
// Needs python3 with venv and pip (two environments of some 190 MB under $XDG_CACHE_HOME/carrel-bench, made once), and GNU
// time. What a dry run asks a bucket is answered by a server on loopback.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { cpus, homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measure, report } from './measure.mjs';

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: 'install,one,many' },
    wheel: { type: 'string' },
  },
});
const parts = flags.only.split(',');
const rounds = Number(flags.rounds);
const carrel = new URL('../dist/bin/carrel.js', import.meta.url).pathname;
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'carrel-bench');
mkdirSync(cache, { recursive: true });

/** The environment of a peer, made where it is missing. */
function environment(pandas) {
  const folder = join(cache, `idc-index-0.13.4-pandas-${pandas}`);
  if (!existsSync(join(folder, 'bin', 'idc'))) {
    execFileSync('python3', ['-m', 'venv', folder], { stdio: 'inherit' });
    execFileSync(join(folder, 'bin', 'pip'), ['install', '-q', 'idc-index==0.13.4', `pandas==${pandas}`], {
      stdio: 'inherit',
    });
  }
  return join(folder, 'bin');
}

/** The wheel of the tables. */
function wheelPath() {
  if (flags.wheel !== undefined) return flags.wheel;
  const path = join(cache, 'idc_index_data-25.0.5-py3-none-any.whl');
  if (!existsSync(path))
    execFileSync(
      'python3',
      ['-m', 'pip', 'download', '--no-deps', '-q', '-d', cache, 'idc-index-data==25.0.5'],
      {
        stdio: 'inherit',
      },
    );
  return path;
}

const as3 = environment('3.1.1');
const as2 = environment('2.3.3');
const wheel = wheelPath();
const work = mkdtempSync(join(tmpdir(), 'carrel-bench-'));
const env = { CARREL_CACHE_DIR: join(work, 'cache') };
const run = (...args) => [process.execPath, carrel, ...args];
const catalogJs = new URL('../dist/catalog/index.js', import.meta.url).href;
const archivesJs = new URL('../dist/archives/index.js', import.meta.url).href;

try {
  console.log(
    `${cpus().length} cores, ${cpus()[0]?.model}; Node ${process.version}; load ${readFileSync('/proc/loadavg', 'utf8').trim()}`,
  );
  if (parts.includes('install')) {
    console.log('\n# install: wheel on disk → side index → first answer');
    const before = () => rmSync(env.CARREL_CACHE_DIR, { recursive: true, force: true });
    const script = `"${process.execPath}" "${carrel}" catalog add "${wheel}" -q && "${process.execPath}" "${carrel}" show rider_pilot -q`;
    report(
      measure([{ name: 'carrel catalog add; carrel show', command: ['sh', '-c', script], before, env }], {
        rounds: Math.min(3, rounds),
        warmUps: 0,
      }),
    );
  }
  const added = spawnSync(process.execPath, [carrel, 'catalog', 'add', wheel, '-q'], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (added.status !== 0) throw new Error('the tables could not be installed');
  const folder = join(env.CARREL_CACHE_DIR, 'catalogs', 'idc', '25.0.5');
  const bytes = (test) =>
    readdirSync(folder)
      .filter(test)
      .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  console.log(
    `tables ${(bytes((name) => name.endsWith('.parquet')) / 1e6).toFixed(1)} MB, side index ${(bytes((name) => name.startsWith('side-')) / 1e6).toFixed(1)} MB`,
  );

  const series = '1.3.6.1.4.1.14519.5.2.1.7695.1700.153974929648969296590126728101';
  const superseded = 'e127d258-37c2-47bb-a7d1-1faa7f47f47a';
  if (parts.includes('one')) {
    const bucket = await startBucket();
    try {
      const dry = (bin) => [
        join(bin, 'idc'),
        'download-from-selection',
        '--dry-run',
        'true',
        '--download-dir',
        work,
        '--series-instance-uid',
        series,
      ];
      const get = (name) =>
        run('get', name, '--dry-run', '--mirror', `aws=${bucket.url}`, '--from', 'aws', '-o', work);
      const off =
        'const { openCatalog } = await import(process.argv[1]); const { builtInArchive } = await import(process.argv[2]); const c = await openCatalog({ archive: builtInArchive("idc"), cacheDir: process.argv[3], sideIndex: false }); for (const m of await c.lookUp(process.argv[4])) await m.seriesRows(); c.close();';
      const node = [process.execPath, '--input-type=module', '-e', off];
      const count = 'SELECT Modality, count(*) AS n FROM index GROUP BY 1 ORDER BY n DESC';
      const python = `from idc_index import index; c = index.IDCClient(); print(c.sql_query("${count}").to_csv(index=False))`;
      const bare = 'from idc_index import index; index.IDCClient()';
      console.log('\n# one question, whole process');
      const results = measure(
        [
          { name: 'carrel show SERIES', command: run('show', series, '--json'), env },
          { name: 'carrel show UUID (superseded)', command: run('show', superseded), env },
          { name: 'carrel show PATIENT', command: run('show', 'C3N-02327'), env },
          { name: 'carrel history UUID', command: run('history', superseded), env },
          { name: 'carrel get SERIES --dry-run', command: get(series), env },
          { name: 'carrel get UUID --dry-run', command: get(superseded), env },
          {
            name: 'the library without the side index',
            command: [...node, catalogJs, archivesJs, env.CARREL_CACHE_DIR, series],
            env,
          },
          { name: 'idc --dry-run, pandas 3.1.1', command: dry(as3) },
          { name: 'idc --dry-run, pandas 2.3.3', command: dry(as2) },
          { name: 'carrel sql', command: run('sql', count, '--format', 'csv'), env },
          {
            name: 'carrel search --by Modality',
            command: run('search', '--by', 'Modality', '--format', 'csv'),
            env,
          },
          {
            name: 'carrel search --count',
            command: run('search', '--count', '--modality', 'CT', '--license', 'commercial'),
            env,
          },
          { name: 'idc-index sql, pandas 3.1.1', command: [join(as3, 'python'), '-c', python] },
          { name: 'idc-index sql, pandas 2.3.3', command: [join(as2, 'python'), '-c', python] },
          { name: 'idc-index, only its client, pandas 2.3.3', command: [join(as2, 'python'), '-c', bare] },
        ],
        { rounds, warmUps: 1 },
      );
      report(results);
      const said = (name) => results.find((one) => one.name === name)?.output ?? '';
      const counts = (text) =>
        text
          .split('\n')
          .filter((line) => /^[A-Z0-9]+,\d/.test(line))
          .sort()
          .join(' ');
      const grouped = (text) =>
        text
          .split('\n')
          .filter((line) => /^[A-Z0-9]+,\d/.test(line))
          .map((line) => line.split(','))
          .map((cells) => `${cells[0]},${cells[3]}`)
          .sort()
          .join(' ');
      const right = counts(said('carrel sql'));
      const same = [
        ['idc-index sql, pandas 3.1.1', counts(said('idc-index sql, pandas 3.1.1'))],
        ['idc-index sql, pandas 2.3.3', counts(said('idc-index sql, pandas 2.3.3'))],
        ['carrel search --by Modality', grouped(said('carrel search --by Modality'))],
      ];
      for (const [name, answer] of same)
        if (right === '' || answer !== right)
          throw new Error(`${name} has another answer: ${answer} / ${right}`);
      console.log(`same counts by Modality from all four: ${right.slice(0, 60)} …`);
      const lines = (name) =>
        said(name)
          .split('\n')
          .filter((line) => /total|size|file/i.test(line))
          .join(' | ');
      for (const name of ['idc --dry-run, pandas 3.1.1', 'carrel get SERIES --dry-run'])
        console.log(`${name} says: ${lines(name)}`);
    } finally {
      bucket.stop();
    }
  }
  if (parts.includes('many')) {
    const script = join(work, 'many.mjs');
    writeFileSync(script, MANY(catalogJs, archivesJs, env.CARREL_CACHE_DIR, work));
    console.log(
      '\n# an open catalogue, in one process: medians of 201 look-ups; 10,000 identifiers in one call',
    );
    for (const [name, flag] of [
      ['with the side index', 'on'],
      ['without', 'off'],
    ])
      console.log(
        `${name.padEnd(24)} ${execFileSync(process.execPath, [script, flag], { encoding: 'utf8' }).trim()}`,
      );
    console.log('\n# a manifest of 65,000 series, scattered over all collections');
    report(
      measure(
        [{ name: 'carrel manifest check', command: run('manifest', 'check', join(work, 'many.s5cmd')), env }],
        { rounds, warmUps: 0 },
      ),
    );
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}

function MANY(catalog, archives, cacheDir, folder) {
  return `
import { writeFileSync } from 'node:fs';
import { builtInArchive } from ${JSON.stringify(archives)};
import { openCatalog } from ${JSON.stringify(catalog)};
const on = process.argv[2] === 'on';
const cacheDir = ${JSON.stringify(cacheDir)};
const c = await openCatalog({ archive: builtInArchive('idc'), cacheDir, sideIndex: on });
const list = async (sql) => { const found = []; const { rows } = await c.query(sql); for await (const chunk of rows) for (const row of chunk) found.push(row[0]); return found; };
const some = (column, n) => list('SELECT DISTINCT ' + column + ' AS v FROM index ORDER BY md5(v) LIMIT ' + n);
const uuids = await some('crdc_series_uuid', 2500);
const uids = [...await some('SeriesInstanceUID', 2500), ...await some('StudyInstanceUID', 2500), ...await some('PatientID', 2500)];
if (on) writeFileSync(${JSON.stringify(join(folder, 'many.s5cmd'))}, (await list("SELECT 'cp s3://' || aws_bucket || '/' || crdc_series_uuid || '/* .' AS v FROM index ORDER BY md5(v) LIMIT 65000")).join('\\n') + '\\n');
const median = async (n, work) => { const times = []; for (let i = 0; i < n; i += 1) { const start = performance.now(); await work(i); times.push(performance.now() - start); } return times.sort((a, b) => a - b)[n >> 1].toFixed(1) + ' ms'; };
const n = on ? 201 : 11;
const parts = ['uuid ' + await median(n, (i) => c.seriesByUuid([uuids[i * 7]])), 'series ' + await median(n, (i) => c.lookUp(uids[i])), 'study ' + await median(n, (i) => c.lookUp(uids[2500 + i])), 'patient ' + await median(n, (i) => c.lookUp(uids[5000 + i])), 'history ' + await median(n, (i) => c.history(uuids[i * 5]))];
const start = performance.now();
const [found, rows] = [await c.lookUpUids(uids), await c.seriesByUuid(uuids)];
parts.push('10,000: ' + (performance.now() - start).toFixed(0) + ' ms, ' + (found.size + rows.size) + ' found');
console.log(parts.join(' · '));
c.close();
`;
}

/** A bucket on loopback in a process of its own: three files below whatever prefix is listed. */
async function startBucket() {
  const script = `
import { createServer } from 'node:http';
const server = createServer((request, response) => {
  const prefix = new URL(request.url, 'http://localhost').searchParams.get('prefix') ?? '';
  const files = [1, 2, 3].map((n) => '<Contents><Key>' + prefix + n + '.dcm</Key><Size>1000</Size><ETag>"d41d8cd98f00b204e9800998ecf8427e"</ETag><LastModified>2024-01-01T00:00:00.000Z</LastModified></Contents>');
  response.setHeader('content-type', 'application/xml');
  response.end('<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix>' + prefix + '</Prefix><KeyCount>3</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>' + files.join('') + '</ListBucketResult>');
}).listen(0, '127.0.0.1', () => console.log(server.address().port));
`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await new Promise((resolve, reject) => {
    child.stdout.once('data', (text) => resolve(Number(String(text))));
    child.once('exit', (code) => reject(new Error(`the bucket ended with ${code}`)));
  });
  return { url: `http://127.0.0.1:${port}`, stop: () => child.kill() };
}
