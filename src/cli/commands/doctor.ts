/** `carrel doctor`: what works on this machine and what does not, and what to do about it. */
import { access, constants, mkdir, statfs } from 'node:fs/promises';
import { Argument, Option } from 'commander';
import { placeOf } from '../../archives/index.ts';
import { checkCatalog, listCatalogs } from '../../catalog/index.ts';
import { isCarrelError } from '../../errors.ts';
import { withRetry } from '../../stores/index.ts';
import { fasterFirst, speedId } from '../../transfer/index.ts';
import { VERSION } from '../../version.ts';
import type { CommandSpec, Run } from '../command.ts';
import { atDesk, type Desk } from '../desk.ts';
import { measureMirrors } from '../measure-mirrors.ts';
import { openMirrorMemory } from '../mirror-memory.ts';
import { type Finding, printFinding } from '../output/finding.ts';
import { toJson } from '../output/json.ts';
import { formatBytes, formatCount } from '../output/text.ts';
import { textOf } from '../settings.ts';
import { write } from '../terminal.ts';
import { addTciaFlags, doctorTcia, refuseTciaFlags } from './doctor-tcia.ts';

/** `carrel doctor`. */
export const spec: CommandSpec = {
  name: 'doctor',
  summary: 'what works on this machine and what does not',
  examples: [
    'carrel doctor',
    'carrel doctor --speed',
    'carrel doctor tcia',
    'carrel doctor --offline --json',
  ],
  exitCodes: [0, 1, 2],
  define(command) {
    command
      .addArgument(
        new Argument('[what]', 'tcia: what stands between this machine and the packages of TCIA').choices([
          'tcia',
        ]),
      )
      .addOption(new Option('--offline', 'ask no server'))
      .addOption(
        new Option('--speed', 'also measure the mirrors: at most 16 MB and 10 s from each').conflicts(
          'offline',
        ),
      )
      .addOption(new Option('--full', 'also read every installed table'));
    addTciaFlags(command);
  },
  async run(run, [what], flags) {
    if (what === 'tcia') return await doctorTcia(run, flags);
    refuseTciaFlags(flags);
    return await atDesk(run, async (desk) => {
      const findings = [
        runtime(),
        await native(
          '@duckdb/node-api',
          'the catalogue',
          'fail',
          async () => await import('@duckdb/node-api'),
        ),
        await native(
          '@node-rs/crc32',
          'fast CRC32C (JavaScript does it otherwise)',
          'warn',
          async () => await import('@node-rs/crc32'),
        ),
        await folder('cache folder', desk.cacheDir),
        await folder('this folder', run.terminal.cwd),
        ...(await catalogs(desk, flags['full'] === true)),
        proxy(run),
        ...(flags['offline'] === true ? [] : await mirrors(desk, run.signal)),
      ];
      const speed = flags['speed'] === true ? await speedOf(run, desk) : undefined;
      findings.push(...(speed?.findings ?? []));
      const about = { version: VERSION, archive: desk.archive.name, findings };
      const told = speed === undefined ? about : { ...about, speed: speed.mirrors, use: speed.use };
      if (run.json) await write(run.terminal.out, `${toJson(told, 2)}\n`);
      else for (const finding of findings) await printFinding(run, finding);
      return findings.some(({ state }) => state === 'fail') ? 1 : 0;
    });
  },
};

function runtime(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const good = major > 20 || (major === 20 && minor >= 18);
  return {
    check: 'node',
    state: good ? 'ok' : 'fail',
    detail: `${process.version} on ${process.platform} ${process.arch}, carrel ${VERSION}`,
    next: 'install Node 20.18 or newer',
  };
}

async function native(
  name: string,
  what: string,
  otherwise: 'warn' | 'fail',
  load: () => Promise<unknown>,
): Promise<Finding> {
  try {
    await load();
    return { check: name, state: 'ok', detail: what };
  } catch (error) {
    return {
      check: name,
      state: otherwise,
      detail: `does not load: ${(error as Error).message.split('\n')[0]}`,
      next: `npm install ${name}`,
    };
  }
}

async function folder(check: string, path: string): Promise<Finding> {
  try {
    await mkdir(path, { recursive: true });
    await access(path, constants.W_OK);
    const { bavail, bsize } = await statfs(path);
    return { check, state: 'ok', detail: `${path}, ${formatBytes(bavail * bsize)} free` };
  } catch (error) {
    return {
      check,
      state: 'fail',
      detail: `${path}: ${(error as Error).message}`,
      next: 'choose another folder (CARREL_CACHE_DIR, or cd)',
    };
  }
}

async function catalogs(desk: Desk, full: boolean): Promise<Finding[]> {
  const installed = await listCatalogs({ cacheDir: desk.cacheDir, archive: desk.archive.name });
  const newest = desk.archive.catalog.versions[0];
  if (installed.length === 0)
    return [
      {
        check: 'catalogue',
        state: 'fail',
        detail: `none of ${desk.archive.name} is installed`,
        next: 'carrel catalog update',
      },
    ];
  const findings: Finding[] = [];
  for (const { version, release, tables } of installed) {
    const bad = full
      ? (await checkCatalog({ cacheDir: desk.cacheDir, archive: desk.archive.name, version })).filter(
          ({ ok }) => !ok,
        )
      : [];
    findings.push({
      check: `catalogue ${version}`,
      state: bad.length > 0 ? 'fail' : 'ok',
      detail:
        bad.length > 0
          ? `damaged: ${bad.map(({ table }) => table).join(', ')}`
          : `${release}, ${tables.length} tables, ${formatCount(tables.find(({ name }) => name === 'index')?.rows ?? 0)} series`,
      next: `carrel catalog remove ${version}, then carrel catalog update`,
    });
  }
  if (newest !== undefined && !installed.some(({ version }) => version === newest.version)) {
    findings.push({
      check: 'newest catalogue',
      state: 'warn',
      detail: `${newest.version} (${newest.release}) is not installed`,
      next: 'carrel catalog update',
    });
  }
  return findings;
}

function proxy({ terminal: { env } }: Run): Finding {
  const value = env['HTTPS_PROXY'] ?? env['https_proxy'];
  // The address may hold a password.
  const host =
    value === undefined ? undefined : URL.canParse(value) ? new URL(value).host : '(cannot be read)';
  return {
    check: 'proxy',
    state: host === '(cannot be read)' ? 'fail' : 'ok',
    detail: host ?? 'none',
    next: 'HTTPS_PROXY must be a URL',
  };
}

/** One listing of one object per mirror: reachable, and readable without an account. */
async function mirrors(desk: Desk, signal: AbortSignal): Promise<Finding[]> {
  return await Promise.all(
    desk.archive.mirrors.map(async (mirror): Promise<Finding> => {
      const bucket = desk.archive.bucketClasses
        .map(({ buckets }) => buckets[mirror.name])
        .find((name) => name !== undefined);
      if (bucket === undefined)
        return { check: `mirror ${mirror.name}`, state: 'warn', detail: 'holds no bucket' };
      const started = performance.now();
      const limit = AbortSignal.any([signal, AbortSignal.timeout(15_000)]);
      try {
        const store = withRetry(desk.openStore(placeOf(mirror, bucket)), { attempts: 2 });
        for await (const _ of store.list('', { pageSize: 1, delimiter: '/', signal: limit })) break;
        return {
          check: `mirror ${mirror.name}`,
          state: 'ok',
          detail: `${mirror.endpoint}, ${Math.round(performance.now() - started)} ms`,
        };
      } catch (error) {
        return {
          check: `mirror ${mirror.name}`,
          state: 'fail',
          detail: `${mirror.endpoint}: ${limit.aborted && !signal.aborted ? 'no answer in 15 s' : (error as Error).message}`,
          next: isCarrelError(error, 'permission')
            ? 'the bucket wants a sign-in'
            : 'check the network and HTTPS_PROXY, or use another mirror with --from',
        };
      }
    }),
  );
}

/** Measures the mirrors, keeps what was measured for the next `get`, and tells which one that will ask first. */
async function speedOf(
  run: Run,
  desk: Desk,
): Promise<{
  findings: Finding[];
  mirrors: object[];
  use: { mirror: string | null; why: string };
}> {
  const measured = await measureMirrors(desk.archive, desk.openStore, run.signal);
  const findings = measured.map((one): Finding => {
    const check = `speed of ${one.mirror}`;
    if (one.error !== undefined) {
      const next = 'check the network and HTTPS_PROXY; nothing can be measured without it';
      return { check, state: 'fail', detail: `unreachable: ${one.error}`, next };
    }
    const kept = one.firstByteMs === undefined ? '' : `, ${one.firstByteMs} ms on kept connections`;
    const rate = `${formatBytes(one.bytesPerSecond ?? 0)}/s over ${one.connections} connections`;
    return {
      check,
      state: 'ok',
      detail: `first byte after ${one.coldMs} ms${kept}; ${rate} (${formatBytes(one.bytes ?? 0)})`,
    };
  });
  const rates = new Map(measured.map(({ mirror, streamRate }) => [mirror, streamRate]));
  const sources = measured.map(({ mirror, place }) => ({ mirror, place, key: '' }));
  const speeds = Object.fromEntries(
    sources.flatMap((source) => {
      const rate = rates.get(source.mirror);
      return rate === undefined ? [] : [[speedId(source), rate] as const];
    }),
  );
  openMirrorMemory(run).remember(speeds);
  const reachable = sources.filter(({ mirror }) => rates.get(mirror) !== undefined);
  const use = choice(textOf(run.settings, 'from'), reachable, fasterFirst(reachable, speeds), rates);
  findings.push({
    check: 'mirror to use',
    state: use.mirror === null ? 'fail' : 'ok',
    detail: use.mirror === null ? use.why : `${use.mirror}: ${use.why}`,
    next: 'carrel doctor tells what stands in the way of each mirror',
  });
  const mirrors = measured.map((one) => ({
    ...one,
    place: undefined,
    streamRate: undefined,
    reachable: one.error === undefined,
  }));
  return { findings, mirrors, use };
}

function choice(
  from: string,
  reachable: readonly { mirror: string }[],
  ordered: readonly { mirror: string }[],
  rates: ReadonlyMap<string, number | undefined>,
): { mirror: string | null; why: string } {
  if (from !== 'auto') return { mirror: from, why: 'it was chosen with --from; auto takes the faster one' };
  const [first] = reachable;
  const [best] = ordered;
  if (first === undefined || best === undefined) return { mirror: null, why: 'no mirror can be reached' };
  if (reachable.length === 1) return { mirror: best.mirror, why: 'no other mirror can be reached' };
  if (best === first)
    return { mirror: best.mirror, why: 'first of the archive, and no other one is clearly faster' };
  const factor = (rates.get(best.mirror) ?? 0) / Math.max(1e-9, rates.get(first.mirror) ?? 0);
  const times = factor >= 100 ? 'more than 100' : factor.toFixed(1);
  return {
    mirror: best.mirror,
    why: `${times} times as fast as ${first.mirror}; get begins with it for 7 days`,
  };
}
