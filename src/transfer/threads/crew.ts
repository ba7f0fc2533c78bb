/**
 * Several threads that fetch. One thread of JavaScript is busy with TLS and digests long before a fast line is full;
 * sockets cannot move between threads, so each has connections of its own and is given whole files.
 */
import { Worker } from 'node:worker_threads';
import { CarrelError, isCarrelError } from '../../errors.ts';
import type { StoreSettings } from '../../stores/index.ts';
import { kernelCode } from '../digests/md5/machine.ts';
import type { FileResult } from '../events.ts';
import type { PlannedFile } from '../plan.ts';
import { type CrewSettings, type FromCrew, packError, type ToCrew, unpackError } from './crew-messages.ts';
import type { Fetcher, FetcherOptions } from './fetcher.ts';
import { createMeter, sharedMeterMemory, sumReadings } from './meter.ts';

interface Waiting {
  resolve: (result: FileResult) => void;
  reject: (error: unknown) => void;
}

/** One thread and what it is busy with. */
interface Member {
  worker: Worker;
  busy: Map<number, Waiting>;
  outbox: ToCrew[];
  read: ReturnType<typeof createMeter>['read'];
  exited: Promise<void>;
}

/** Starts `threads` threads, which share nothing but the destination. */
export function createCrew(
  threads: number,
  options: FetcherOptions & { stores: StoreSettings; connections: number },
): Fetcher {
  const { signal } = options;
  const members: Member[] = [];
  let lastId = 0;
  let broken: CarrelError | undefined;

  const send = (member: Member, message: ToCrew): void => {
    member.outbox.push(message);
    if (member.outbox.length > 1) return;
    // What is said in one turn goes out together.
    queueMicrotask(() => {
      member.worker.postMessage(member.outbox);
      member.outbox = [];
    });
  };

  const hear = (member: Member, message: FromCrew): void => {
    if (message.type === 'event') options.emit(message.event);
    else if (message.type === 'slow-down') options.pace.slowDown();
    else if (message.type === 'mirror') {
      options.onMirror(message.word);
      for (const other of members) if (other !== member) send(other, message);
    } else {
      const waiting = member.busy.get(message.id);
      member.busy.delete(message.id);
      if (message.type === 'failed') {
        waiting?.reject(signal.aborted ? signal.reason : unpackError(message.error));
        return;
      }
      try {
        if (message.record !== undefined) options.journal.add(message.record);
        waiting?.resolve(message.result);
      } catch (error) {
        waiting?.reject(error);
      }
    }
  };

  /** A thread that dies takes nothing with it but what it was busy with, and the run ends with its reason. */
  const breakDown = (member: Member, cause: unknown): void => {
    broken ??= isCarrelError(cause)
      ? cause
      : new CarrelError('internal', `a thread of the transfer ended: ${String(cause)}`, { cause });
    for (const { reject } of member.busy.values()) reject(broken);
    member.busy.clear();
  };

  for (let index = 0; index < threads; index += 1) {
    const memory = sharedMeterMemory();
    const workerData: CrewSettings = {
      stores: {
        ...options.stores,
        http: { ...options.stores.http, connectionsPerOrigin: Math.ceil(options.connections / threads) },
      },
      verify: options.verify,
      directory: options.directory,
      partialFolder: options.partialFolder,
      retry: options.retry,
      timeouts: options.timeouts,
      flush: options.flush,
      mirrors: options.mirrors,
      meter: memory,
    };
    const worker = startThread(workerData);
    const member: Member = {
      worker,
      busy: new Map(),
      outbox: [],
      read: createMeter(memory).read,
      exited: new Promise((resolve) => worker.once('exit', () => resolve())),
    };
    worker.on('message', (messages: FromCrew[]) => {
      for (const message of messages) hear(member, message);
    });
    worker.on('error', (error) => breakDown(member, error));
    worker.on('exit', (code) => breakDown(member, `exit code ${code}`));
    members.push(member);
  }
  // Emitted here while the threads start, once for all of them and before any file is handed out.
  for (const member of members) send(member, { type: 'kernels', code: kernelCode() });

  const stop = (): void => {
    const message: ToCrew = { type: 'stop', reason: packError(signal.reason) };
    for (const member of members) send(member, message);
  };
  signal.addEventListener('abort', stop, { once: true });

  return {
    fetch: (file) =>
      new Promise((resolve, reject) => {
        if (broken !== undefined) return reject(broken);
        const member = leastBusy(members);
        lastId += 1;
        member.busy.set(lastId, { resolve, reject });
        const partialBytes = options.partialBytes(file.path);
        const streams = options.streams();
        send(member, { type: 'fetch', id: lastId, file: bare(file), partialBytes, streams });
      }),
    read: () => sumReadings(members.map(({ read }) => read())),
    workedMs: () =>
      members.reduce((sum, { worker }) => sum + worker.performance.eventLoopUtilization().active, 0) /
      threads,
    async end() {
      signal.removeEventListener('abort', stop);
      for (const member of members) send(member, { type: 'end' });
      await Promise.all(members.map(({ exited }) => exited));
    },
  };
}

/** The program of a thread stands beside this file, in whatever form this file is run. */
function startThread(workerData: CrewSettings): Worker {
  if (import.meta.url.endsWith('.js')) {
    return new Worker(new URL('./fetch-worker.js', import.meta.url), { workerData });
  }
  // Run from the sources, a thread has to be taught TypeScript first; Node 20 does not hand loaders on.
  const program = JSON.stringify(new URL('./fetch-worker.ts', import.meta.url).href);
  const teach = `import('tsx/esm/api').then(({ register }) => { register(); return import(${program}); });`;
  return new Worker(teach, { workerData, eval: true });
}

function leastBusy(members: readonly Member[]): Member {
  return members.reduce((least, member) => (member.busy.size < least.busy.size ? member : least));
}

/** Callers hang more on their plans than the threads need; all of it would be copied. */
function bare({ path, size, digests, sources }: PlannedFile): PlannedFile {
  return {
    path,
    size,
    digests,
    sources: sources.map(({ mirror, place, key }) => ({ mirror, place, key })),
  };
}
