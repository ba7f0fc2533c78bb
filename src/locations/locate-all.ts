/** Many series at once: each is handed over as soon as it is listed. */
import { abortError, CarrelError, isCarrelError } from '../errors.ts';
import { type LocatedSeries, type LocateOptions, locateSeries, type SeriesRef } from './locate-series.ts';

/** One series of many: found, or not. */
export type LocatedRow<Row extends SeriesRef> =
  | { row: Row; located: LocatedSeries; error?: undefined }
  | { row: Row; located?: undefined; error: CarrelError };

/** Options of `locateAll`. */
export interface LocateAllOptions extends LocateOptions {
  /** Series listed at the same time (default 32). */
  jobs?: number | undefined;
}

/**
 * Lists many series and yields each when its listing is there: the order is not that of the rows. A series that fails
 * does not stop the others. Rows are drawn as needed, so a catalogue can be streamed through. Ends with `interrupted`
 * when the signal fires; leaving the loop early stops what is under way.
 */
export async function* locateAll<Row extends SeriesRef>(
  rows: Iterable<Row> | AsyncIterable<Row>,
  options: LocateAllOptions,
): AsyncGenerator<LocatedRow<Row>, void, undefined> {
  const jobs = Math.max(1, options.jobs ?? 32);
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  const shared: LocateOptions = { ...options, signal, health: options.health ?? new Map() };
  const running = new Map<number, Promise<{ id: number; result: LocatedRow<Row> }>>();
  let next = 0;
  try {
    for await (const row of rows) {
      if (options.signal?.aborted === true) throw abortError(options.signal);
      const id = next;
      next += 1;
      running.set(
        id,
        locateRow(row, shared).then((result) => ({ id, result })),
      );
      if (running.size >= jobs) yield await firstOf(running, options.signal);
    }
    while (running.size > 0) yield await firstOf(running, options.signal);
  } finally {
    stop.abort(new CarrelError('interrupted', 'no longer needed'));
    // They end by the signal; nobody waits for their answers.
    await Promise.allSettled(running.values());
  }
}

async function firstOf<Row extends SeriesRef>(
  running: Map<number, Promise<{ id: number; result: LocatedRow<Row> }>>,
  signal: AbortSignal | undefined,
): Promise<LocatedRow<Row>> {
  const { id, result } = await Promise.race(running.values());
  running.delete(id);
  if (signal?.aborted === true) throw abortError(signal);
  return result;
}

async function locateRow<Row extends SeriesRef>(row: Row, options: LocateOptions): Promise<LocatedRow<Row>> {
  try {
    return { row, located: await locateSeries(row, options) };
  } catch (error) {
    if (isCarrelError(error)) return { row, error };
    const message = error instanceof Error ? error.message : String(error);
    return { row, error: new CarrelError('internal', message, { item: row.crdc_series_uuid, cause: error }) };
  }
}
