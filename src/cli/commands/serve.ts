/** `carrel serve`: a folder of buckets as an S3- and a GCS-style endpoint, read-only. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Option } from 'commander';
import { CarrelError } from '../../errors.ts';
import { createDigestCache, createGcsApp, createS3App, listen } from '../../serve/index.ts';
import type { CommandSpec } from '../command.ts';
import { toJson } from '../output/json.ts';
import { count } from '../selection-flags.ts';
import { textOf } from '../settings.ts';
import { write } from '../terminal.ts';

/** `carrel serve`. */
export const spec: CommandSpec = {
  name: 'serve',
  summary: 'serve a folder of buckets, S3- and GCS-style, read-only',
  examples: [
    'carrel serve sample',
    'carrel serve ./buckets --port 9000 --gcs-port 9001',
    'carrel serve ./buckets --tls-cert cert.pem --tls-key key.pem',
  ],
  exitCodes: [0, 1, 2, 130],
  define(command) {
    command
      .argument('<folder>', 'a folder that holds one folder per bucket, or "sample"')
      .addOption(new Option('--host <address>', 'address to listen on').default('127.0.0.1'))
      .addOption(new Option('--port <n>', 'port of the S3 endpoint').default(9000).argParser(count))
      .addOption(new Option('--gcs-port <n>', 'port of the GCS endpoint').default(9001).argParser(count))
      .addOption(new Option('--tls-cert <file>', 'certificate (PEM)'))
      .addOption(new Option('--tls-key <file>', 'private key (PEM)'));
  },
  async run(run, [folder = ''], flags) {
    const root =
      folder === 'sample'
        ? await sampleBuckets(run.signal, resolve(run.terminal.cwd, textOf(run.settings, 'cache_dir')))
        : resolve(run.terminal.cwd, folder);
    const { tlsCert, tlsKey } = flags as { tlsCert?: string; tlsKey?: string };
    if ((tlsCert === undefined) !== (tlsKey === undefined)) {
      throw new CarrelError('usage', '--tls-cert and --tls-key belong together', {
        next: 'give both, or neither',
      });
    }
    const tls =
      tlsCert === undefined || tlsKey === undefined
        ? undefined
        : {
            cert: readFileSync(resolve(run.terminal.cwd, tlsCert), 'utf8'),
            key: readFileSync(resolve(run.terminal.cwd, tlsKey), 'utf8'),
          };
    const host = String(flags['host']);
    // Both faces hash a file once, and a restart not at all.
    const digests = createDigestCache({
      journal: join(resolve(run.terminal.cwd, textOf(run.settings, 'cache_dir')), 'serve-digests.jsonl'),
    });
    const s3 = await listen({ ...createS3App({ root, digests }), host, port: Number(flags['port']), tls });
    const gcs = await listen({
      ...createGcsApp({ root, digests }),
      host,
      port: Number(flags['gcsPort']),
      tls,
    }).catch(async (error: unknown) => {
      await s3.close();
      throw error;
    });
    if (run.json)
      await write(run.terminal.out, `${toJson({ type: 'serving', root, s3: s3.url, gcs: gcs.url })}\n`);
    else {
      await write(run.terminal.out, `serving ${root}\n  S3   ${s3.url}\n  GCS  ${gcs.url}\n`);
      await write(
        run.terminal.err,
        `use it with: carrel … --mirror aws=${s3.url} --mirror gcs=${gcs.url}    (Ctrl-C stops)\n`,
      );
    }
    await new Promise<void>((done) => {
      if (run.signal.aborted) done();
      run.signal.addEventListener('abort', () => done(), { once: true });
    });
    await Promise.all([s3.close(), gcs.close()]);
    return 0;
  },
};

async function sampleBuckets(signal: AbortSignal, cacheDir: string): Promise<string> {
  const { ensureSample } = await import('../../sample/index.ts');
  const { root } = await ensureSample({ dir: join(cacheDir, 'sample'), signal });
  return join(root, 'buckets');
}
