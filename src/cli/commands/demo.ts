/**
 * `carrel demo`: the whole road on the sample archive. Makes it, serves it on loopback, and runs the real commands in
 * processes of their own, printing each one before its output.
 */
import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Option } from 'commander';
import { CarrelError } from '../../errors.ts';
import { ensureSample, sampleFacts } from '../../sample/index.ts';
import {
  createDigestCache,
  createGcsApp,
  createS3App,
  listen,
  type RequestRecord,
  withRequestLog,
} from '../../serve/index.ts';
import type { CommandSpec, Run } from '../command.ts';
import { toJson } from '../output/json.ts';
import { formatCount, formatSeconds, plural } from '../output/text.ts';
import { textOf } from '../settings.ts';
import { write } from '../terminal.ts';

/** One command of the demo. */
interface Step {
  why: string;
  args: string[];
  /** Exit code that is right; default 0. */
  exit?: number;
}

/** `carrel demo`. */
export const spec: CommandSpec = {
  name: 'demo',
  summary: 'the whole road on the built-in sample archive',
  examples: ['carrel demo', 'carrel demo -o demo-data'],
  exitCodes: [0, 1, 130],
  define(command) {
    command.addOption(new Option('-o, --output <dir>', 'where the files go (default: in the cache folder)'));
  },
  async run(run, _args, flags) {
    const started = performance.now();
    const cacheDir = resolve(run.terminal.cwd, textOf(run.settings, 'cache_dir'));
    const output =
      typeof flags['output'] === 'string'
        ? resolve(run.terminal.cwd, flags['output'])
        : join(cacheDir, 'demo');
    await say(run, `${run.out.bold('1. A sample archive')}: made by code, the same on every machine`);
    const { root } = await ensureSample({ dir: join(cacheDir, 'sample'), signal: run.signal });
    const facts = sampleFacts();
    const newest = facts.releases.at(-1);
    await say(
      run,
      `   ${plural(facts.releases.length, 'release')}; ${newest?.name}: ${formatCount(newest?.series ?? 0)} series, ${formatCount(newest?.files ?? 0)} files, in ${root}`,
    );
    // Only what an earlier demo left there is removed, never a folder of somebody else's.
    if (flags['output'] === undefined) await rm(output, { recursive: true, force: true });
    await mkdir(output, { recursive: true });

    const log: RequestRecord[] = [];
    const buckets = join(root, 'buckets');
    const digests = createDigestCache();
    const s3 = await listen(
      withRequestLog(createS3App({ root: buckets, digests }), (record) => log.push(record)),
    );
    const gcs = await listen(
      withRequestLog(createGcsApp({ root: buckets, digests }), (record) => log.push(record)),
    );
    await say(run, `   served on this machine: S3 at ${s3.url}, GCS at ${gcs.url}\n`);
    const env = {
      ...run.terminal.env,
      CARREL_ARCHIVE: 'sample',
      CARREL_CACHE_DIR: cacheDir,
      CARREL_MIRRORS: `aws=${s3.url},gcs=${gcs.url}`,
      CARREL_FROM: 'aws',
    };
    try {
      const steps = stepsOf(output);
      const requests: number[] = [];
      for (const [index, step] of steps.entries()) {
        const before = log.length;
        await runStep(run, step, index + 2, env);
        requests.push(log.length - before);
        if (step.args[0] === 'get')
          await say(run, run.out.dim(`   (the server counted ${plural(log.length - before, 'request')})\n`));
        else await say(run, '');
      }
      await checkDemo(output, requests, steps);
    } finally {
      await Promise.all([s3.close(), gcs.close()]);
    }
    const seconds = (performance.now() - started) / 1000;
    if (run.json)
      await write(
        run.terminal.out,
        `${toJson({ type: 'summary', output, requests: log.length, seconds })}\n`,
      );
    await say(
      run,
      `${run.out.green('Done')} in ${formatSeconds(seconds)}. The files lie in ${output}\n\n${IDC}`,
    );
    return 0;
  },
};

/** The same commands for the real archive. */
const IDC = `The same with the NCI Imaging Data Commons:
  carrel catalog update          (or: pip download --no-deps idc-index-data==25.0.5 && carrel catalog add idc_index_data-25.0.5-py3-none-any.whl)
  carrel search --by Modality
  carrel licenses --collection rider_pilot
  carrel get --collection rider_pilot --limit 5 -o data
  carrel verify data
  carrel history 1.3.6.1.4.1.5962.99.1.171941254.777277241.1640849481094.2.0
  carrel get data/carrel.lock.json -o again`;

function stepsOf(output: string): Step[] {
  const facts = sampleFacts();
  const { collection, modality } = facts.largeSelection;
  const series = facts.corrected.seriesInstanceUid;
  const cohort = join(output, 'cohort');
  return [
    { why: 'The catalogue of the newest release', args: ['catalog', 'update', '-q'] },
    { why: 'and of the first, for later', args: ['catalog', 'update', '--release', 'v1', '-q'] },
    { why: 'What is there', args: ['search', '--by', 'collection_id', '--by', 'Modality'] },
    { why: 'Under which licences', args: ['licenses', '--collection', collection] },
    {
      why: 'A cohort: fetched, verified, pinned',
      args: ['get', '--collection', collection, '--modality', modality, '-o', cohort],
    },
    { why: 'Proven again, from the lock file', args: ['verify', cohort] },
    {
      why: 'The same get once more: complete, so no request',
      args: ['get', '--collection', collection, '--modality', modality, '-o', cohort],
    },
    { why: 'A series that was revised', args: ['history', series] },
    {
      why: 'It as of the first release',
      args: ['get', series, '--release', facts.releases[0]?.name ?? 'v1', '-o', join(output, 'first')],
    },
    {
      why: 'The earlier version again, by its lock file',
      args: ['get', join(output, 'first', 'carrel.lock.json'), '-o', join(output, 'again')],
    },
    {
      why: 'A name that does not exist says so (exit 4)',
      args: ['search', '--collection', `${collection.slice(0, -1)}x`, '--count'],
      exit: 4,
    },
  ];
}

/** Runs one command as a user would, in a process of its own. */
async function runStep(
  run: Run,
  step: Step,
  number: number,
  env: Record<string, string | undefined>,
): Promise<void> {
  const main = process.argv[1] ?? '';
  await say(
    run,
    `${run.out.bold(`${number}. ${step.why}`)}\n   ${run.out.cyan(`$ carrel ${step.args.join(' ')}`)}`,
  );
  const child = spawn(process.execPath, [main, ...step.args], {
    env: { ...env, FORCE_COLOR: undefined },
    cwd: run.terminal.cwd,
    stdio: run.quiet || run.json ? ['ignore', 'ignore', 'pipe'] : ['ignore', 'inherit', 'inherit'],
    signal: run.signal,
  });
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const code = await new Promise<number | null>((done, failed) => {
    child.on('error', failed);
    child.on('close', done);
  });
  if (code !== (step.exit ?? 0)) {
    throw new CarrelError(
      'internal',
      `carrel ${step.args.join(' ')} ended with ${code}, not ${step.exit ?? 0}${errors === '' ? '' : `: ${errors.trim()}`}`,
      {
        item: step.args[0],
        next: 'run it by hand with --debug',
      },
    );
  }
}

/** The demo is a claim; this holds it to it. */
async function checkDemo(output: string, requests: readonly number[], steps: readonly Step[]): Promise<void> {
  const second = steps.findIndex(({ why }) => why.startsWith('The same get'));
  if (requests[second] !== 0)
    throw new CarrelError('internal', `the second get made ${requests[second]} requests`);
  const [first, again] = await Promise.all(
    ['first', 'again'].map(async (name) => await filesBelow(join(output, name))),
  );
  if (first === undefined || again === undefined || first.size === 0)
    throw new CarrelError('internal', 'the first version of the series did not come');
  for (const [path, bytes] of first) {
    if (again.get(path)?.equals(bytes) !== true)
      throw new CarrelError('internal', `${path} is not the same file the second time`);
  }
}

async function filesBelow(folder: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && entry.name.endsWith('.dcm'))
      files.set(path.slice(folder.length), await readFile(path));
  }
  return files;
}

async function say(run: Run, text: string): Promise<void> {
  if (!run.quiet && !run.json) await write(run.terminal.out, `${text}\n`);
}
