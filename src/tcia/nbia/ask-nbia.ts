/**
 * Questions to NBIA's REST interface (version 4, without sign-in). Nothing but public data has been there since 2025. The
 * National Lung Screening Trial stands on a server of its own; whoever asks for a series need not know.
 */
import { parse } from 'csv-parse/sync';
import { CarrelError, isCarrelError } from '../../errors.ts';
import { forEachLimited } from '../../transfer/index.ts';
import { type AskOptions, ask } from '../ask.ts';
import type { TciaServers } from '../servers.ts';
import { type NbiaSeries, type NbiaServer, toNbiaSeries } from './series-row.ts';

/** Whom to ask, and how. */
export interface NbiaOptions extends AskOptions {
  servers: Pick<TciaServers, 'nbia' | 'nlst'>;
}

/** What narrows a question to NBIA; names are matched as TCIA writes them. */
export interface NbiaFilter {
  Collection?: string | undefined;
  PatientID?: string | undefined;
  StudyInstanceUID?: string | undefined;
  SeriesInstanceUID?: string | undefined;
  Modality?: string | undefined;
  BodyPartExamined?: string | undefined;
  Manufacturer?: string | undefined;
  ManufacturerModelName?: string | undefined;
}

/** A row as NBIA gives it: names of fields vary between versions and questions. */
export type NbiaRow = Record<string, unknown>;

/** UIDs that NLST alone has begin so. */
const NLST_ROOT = '1.2.840.113654.2.55.';

/** Series of one question for metadata: the form stays below 100 kB. */
const SERIES_PER_QUESTION = 1000;

/** Series that are asked for one by one at a time, where lists are not understood. */
const QUESTIONS_AT_ONCE = 4;

/**
 * The address of a question.
 *
 * @param version `v4`, or `v1` where a server knows no other
 */
export function nbiaUrl(
  server: string,
  name: string,
  parameters: Record<string, string | undefined> = {},
  version: 'v1' | 'v4' = 'v4',
): string {
  const given = Object.entries(parameters).filter((one): one is [string, string] => one[1] !== undefined);
  const query = new URLSearchParams(given).toString();
  return `${server}/nbia-api/services/${version}/${name}${query === '' ? '' : `?${query}`}`;
}

/**
 * Asks a question whose answer is a list: `getCollectionValues`, `getPatient`, `getPatientStudy`, `getSeries`, `getSeriesSize`,
 * `getSOPInstanceUIDs`, `getModalityValues` and their like. NBIA answers with nothing at all where nothing fits, and with
 * the row itself where it is one.
 *
 * @throws CarrelError as `ask`; `network` where the answer is no JSON (a page of maintenance)
 */
export async function askNbia(
  name: string,
  parameters: Record<string, string | undefined>,
  options: NbiaOptions,
  server: NbiaServer = 'nbia',
): Promise<NbiaRow[]> {
  const what = `${name} of NBIA`;
  const url = nbiaUrl(options.servers[server], name, parameters);
  const { text } = await ask({ what, url, headers: { accept: 'application/json' } }, options);
  if (text.trim() === '') return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CarrelError('network', `${new URL(url).host} did not answer with JSON for ${what}`, {
      item: what,
      next: 'it may be under maintenance; try again later',
      cause,
    });
  }
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((row): row is NbiaRow => typeof row === 'object' && row !== null);
}

/** The series that fit a filter. */
export async function nbiaSeries(
  filter: NbiaFilter,
  options: NbiaOptions,
  server: NbiaServer = 'nbia',
): Promise<NbiaSeries[]> {
  const rows = await askNbia('getSeries', { ...filter }, options, server);
  return rows.flatMap((row) => toNbiaSeries(row, server) ?? []);
}

/**
 * What NBIA knows of series, by UID; those that neither server has are not in the answer. Each is asked for where it is
 * likely to be, then at the other server.
 *
 * @param options.onFailure told of series whose server cannot be asked, so that the others are known all the same; without it
 *   that is thrown
 * @throws CarrelError as `ask`
 */
export async function describeNbiaSeries(
  uids: readonly string[],
  options: NbiaOptions & { onFailure?: ((uids: readonly string[], error: CarrelError) => void) | undefined },
): Promise<Map<string, NbiaSeries>> {
  const found = new Map<string, NbiaSeries>();
  const unique = [...new Set(uids)];
  const lung = unique.filter((uid) => uid.startsWith(NLST_ROOT));
  const others = unique.filter((uid) => !uid.startsWith(NLST_ROOT));
  for (const [list, first, second] of [
    [others, 'nbia', 'nlst'],
    [lung, 'nlst', 'nbia'],
  ] as const) {
    try {
      await describeAt(first, list, found, options);
    } catch (error) {
      if (options.onFailure === undefined || !isCarrelError(error) || error.code === 'interrupted')
        throw error;
      const unknown = list.filter((uid) => !found.has(uid));
      options.onFailure(unknown, error);
      continue;
    }
    const left = list.filter((uid) => !found.has(uid));
    if (left.length === 0) continue;
    try {
      await describeAt(second, left, found, options);
    } catch (error) {
      // The other server is a guess: that it is down says nothing of the series.
      if (!isCarrelError(error) || error.code === 'interrupted') throw error;
    }
  }
  return found;
}

async function describeAt(
  server: NbiaServer,
  uids: readonly string[],
  found: Map<string, NbiaSeries>,
  options: NbiaOptions,
): Promise<void> {
  for (let at = 0; at < uids.length; at += SERIES_PER_QUESTION) {
    const chunk = uids.slice(at, at + SERIES_PER_QUESTION);
    const wanted = new Set(chunk);
    const add = (rows: readonly (NbiaSeries | undefined)[]): void => {
      for (const row of rows)
        if (row !== undefined && wanted.has(row.SeriesInstanceUID)) found.set(row.SeriesInstanceUID, row);
    };
    const rows = await metadataOf(server, chunk, options);
    if (rows !== undefined) add(rows.map((row) => toNbiaSeries(row, server)));
    else {
      await forEachLimited(chunk, QUESTIONS_AT_ONCE, async (uid) => {
        add(await nbiaSeries({ SeriesInstanceUID: uid }, options, server));
      });
    }
  }
}

/** Rows of `getSeriesMetadata`; undefined where the server does not understand the question. */
async function metadataOf(
  server: NbiaServer,
  uids: readonly string[],
  options: NbiaOptions,
): Promise<NbiaRow[] | undefined> {
  const body = new URLSearchParams({ list: uids.join(','), format: 'csv' }).toString();
  const question = {
    what: `the description of ${uids.length} series at NBIA`,
    url: nbiaUrl(options.servers[server], 'getSeriesMetadata'),
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body,
  };
  try {
    const { text } = await ask(question, options);
    return tableOf(text);
  } catch (error) {
    if (isCarrelError(error, 'not-found', 'bad-input')) return undefined;
    throw error;
  }
}

/** CSV, or JSON from servers that give nothing else; undefined for a page. */
function tableOf(text: string): NbiaRow[] | undefined {
  const start = text.trimStart();
  if (start === '') return [];
  if (start.startsWith('<')) return undefined;
  try {
    if (/^[[{]/.test(start)) {
      const value: unknown = JSON.parse(start);
      return Array.isArray(value) ? (value as NbiaRow[]) : [value as NbiaRow];
    }
    return parse(text, { columns: true, bom: true, relax_column_count: true, relax_quotes: true });
  } catch {
    return undefined;
  }
}
