/**
 * A thread of the crew: owns connections and fetches whole files, from the request to the rename. A program of its own,
 * started by `crew.ts`; nothing imports it.
 */
import { setMaxListeners } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { createOpenStore } from '../../stores/index.ts';
import { lanesOnce } from '../digests/lanes-once.ts';
import { takeKernelCode } from '../digests/md5/machine.ts';
import { type FetchContext, fetchFile } from '../fetch/fetch-file.ts';
import { createHedge } from '../fetch/hedge.ts';
import { createMirrors } from '../fetch/mirrors.ts';
import { createPartBudget } from '../fetch/parts.ts';
import { startWatch } from '../fetch/watch.ts';
import type { JournalRecord } from '../state/journal.ts';
import { type CrewSettings, type FromCrew, packError, type ToCrew, unpackError } from './crew-messages.ts';
import { createMeter } from './meter.ts';

const port = parentPort;
if (port === null) throw new Error('fetch-worker is started as a thread');
const settings = workerData as CrewSettings;

/** What is said in one turn of the event loop goes out together. */
let outbox: FromCrew[] = [];
const say = (message: FromCrew): void => {
  outbox.push(message);
  if (outbox.length > 1) return;
  setImmediate(() => {
    port.postMessage(outbox);
    outbox = [];
  });
};

const stopper = new AbortController();
// Every file that waits for its next attempt listens: Node warns of a leak at the eleventh.
setMaxListeners(0, stopper.signal);
const stores = createOpenStore(settings.stores);
const watch = startWatch(stopper.signal, settings.timeouts);
const mirrors = createMirrors((word) => say({ type: 'mirror', word }), settings.mirrors);
const left = new Map<string, number>();
const streams = new Map<string, number>();
/** Records go with the word that the file is done: the journal has one writer. */
const records = new Map<string, JournalRecord>();

const context: FetchContext = {
  openStore: stores.openStore,
  verify: settings.verify,
  watch,
  meter: createMeter(settings.meter),
  throttle: undefined,
  signal: stopper.signal,
  directory: settings.directory,
  partialFolder: settings.partialFolder,
  partialBytes: (path) => left.get(path),
  journal: { add: (record) => void records.set(record.path, record) },
  mirrors,
  pace: { slowDown: () => say({ type: 'slow-down' }) },
  retry: settings.retry,
  flush: settings.flush,
  lanes: lanesOnce(undefined, () => streams.size),
  streams: (path) => streams.get(path) ?? 1,
  partBudget: createPartBudget(),
  hedge: createHedge({ floorMs: settings.timeouts?.hedge }),
  emit: (event) => say({ type: 'event', event }),
};

async function fetch({
  id,
  file,
  partialBytes,
  streams: most,
}: Extract<ToCrew, { type: 'fetch' }>): Promise<void> {
  if (partialBytes !== undefined) left.set(file.path, partialBytes);
  streams.set(file.path, most);
  try {
    const result = await fetchFile(file, context);
    say({ type: 'done', id, result, record: records.get(file.path) });
  } catch (error) {
    say({ type: 'failed', id, error: packError(error) });
  }
  records.delete(file.path);
  left.delete(file.path);
  streams.delete(file.path);
}

port.on('message', (messages: ToCrew[]) => {
  for (const message of messages) {
    if (message.type === 'fetch') void fetch(message);
    else if (message.type === 'kernels') takeKernelCode(message.code);
    else if (message.type === 'mirror') mirrors.hear(message.word);
    else if (message.type === 'stop') stopper.abort(unpackError(message.reason));
    else {
      watch.end();
      void stores.close();
      port.close();
    }
  }
});
