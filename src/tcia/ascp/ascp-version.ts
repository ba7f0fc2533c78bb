/** Asks `ascp` for its version: the proof that it runs at all. */
import { spawn } from 'node:child_process';
import { abortError, CarrelError } from '../../errors.ts';
import { childEnv } from './child-env.ts';

/**
 * The version of a program, from `ascp -A`: `4.4.7.2055`.
 *
 * @throws CarrelError `unsupported` where it does not run, or is not `ascp`; `interrupted`
 */
export async function ascpVersion(
  path: string,
  options: {
    env: Readonly<Record<string, string | undefined>>;
    signal?: AbortSignal | undefined;
    timeoutMs?: number | undefined;
  },
): Promise<string> {
  const { signal, timeoutMs = 15_000 } = options;
  const limit = AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])]);
  const { output, failure } = await new Promise<{ output: string; failure?: string }>((resolve) => {
    const child = spawn(path, ['-A'], {
      env: childEnv(options.env),
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: limit,
      killSignal: 'SIGKILL',
    });
    let text = '';
    const keep = (bytes: Buffer) => {
      if (text.length < 10_000) text += bytes.toString('utf8');
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (error: NodeJS.ErrnoException) =>
      resolve({ output: text, failure: limit.aborted ? 'it did not answer' : (error.code ?? error.message) }),
    );
    child.once('close', (code, killed) =>
      resolve(code === 0 ? { output: text } : { output: text, failure: `it ended with ${code ?? killed}` }),
    );
  });
  if (signal?.aborted === true) throw abortError(signal);
  const found = /^ascp version ([0-9][0-9.]*)/m.exec(output) ?? / version ([0-9][0-9.]*)/.exec(output);
  const version = found?.[1]?.replace(/\.$/, '');
  if (failure === undefined && version !== undefined) return version;
  const last = output.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
  const reason = failure ?? 'it does not say its version';
  throw new CarrelError(
    'unsupported',
    `${path} does not run as ascp: ${reason}${last === '' ? '' : ` (${last})`}`,
    {
      item: path,
      next: 'install the one for this system (on Linux a newer glibc may be needed): carrel tcia install-ascp',
    },
  );
}
