/** The command in this process: `main` with streams that are kept, over the sample archive on this disk. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { main } from '../../src/cli/main.ts';
import { ensureSample, SAMPLE_VERSION } from '../../src/sample/index.ts';
import { oncePerRun } from '../fixtures/once-per-run.ts';

/** How a run ended. */
export interface MainResult {
  code: number;
  stdout: string;
  bytes: Buffer;
  stderr: string;
}

/** A folder with a catalogue of the sample, and the command in it. */
export interface SampleDesk {
  folder: string;
  archivePath: string;
  run(args: readonly string[], options?: { env?: Record<string, string>; tty?: number }): Promise<MainResult>;
  remove(): Promise<void>;
}

/** Keeps what is written; with `columns` it is a terminal of that width. */
function keep(columns?: number): {
  stream: Writable & { isTTY?: boolean; columns?: number };
  bytes(): Buffer;
} {
  const pieces: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      pieces.push(Buffer.from(chunk));
      done();
    },
  });
  return {
    stream: columns === undefined ? stream : Object.assign(stream, { isTTY: true, columns }),
    bytes: () => Buffer.concat(pieces),
  };
}

/** A private cache with the sample's catalogue, which was installed once for all desks of a run. */
export async function openSampleDesk(): Promise<SampleDesk> {
  const { root } = await ensureSample({ dir: join(tmpdir(), `carrel-test-sample-${SAMPLE_VERSION}`) });
  const folder = await mkdtemp(join(tmpdir(), 'carrel-cli-'));
  const archivePath = join(root, 'archive.json');
  const desk: SampleDesk = {
    folder,
    archivePath,
    async run(args, options = {}) {
      const [out, err] = [keep(options.tty), keep()];
      const env = {
        CARREL_ARCHIVE: archivePath,
        CARREL_CACHE_DIR: join(folder, 'cache'),
        CARREL_CONFIG_DIR: join(folder, 'config'),
        CARREL_PIP: '',
        ...options.env,
      };
      const code = await main([...args], {
        out: out.stream,
        err: err.stream,
        in: Readable.from([]),
        env,
        cwd: folder,
      });
      const bytes = out.bytes();
      return { code, bytes, stdout: bytes.toString(), stderr: err.bytes().toString() };
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
  const installed = await oncePerRun('sample-of-desks', async (made) => {
    const env = { CARREL_CACHE_DIR: join(made, 'cache') };
    const { code, stderr } = await desk.run(['catalog', 'update', '-q'], { env });
    if (code !== 0) throw new Error(`the catalogue of the sample could not be installed: ${stderr}`);
  });
  await cp(installed, folder, { recursive: true });
  return desk;
}
