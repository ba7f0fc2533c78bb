/**
 * Jobs of BigQuery by Google's own client, which brings sign-in and repeats what failed by chance. The package is
 * optional: whoever never asks there need not install it. Rows are read as the server sends them, page by page.
 */
import { randomUUID } from 'node:crypto';
import { abortError, CarrelError, isCarrelError } from '../../errors.ts';
import { type JobPlace, jobError } from './job-error.ts';
import type { FieldSchema, RawRow } from './rows.ts';

/** The npm package, and the versions of it that fit. */
export const PACKAGE = '@google-cloud/bigquery';

/** How jobs are run. */
export interface BigQueryOptions {
  /** Project that runs and pays for the jobs; default: that of the environment or of the credentials. */
  project?: string | undefined;
  /** Region; default: that of the data. */
  location?: string | undefined;
  /** Data set that bare names of tables are looked for in. */
  dataSet?: { project: string; name: string } | undefined;
  /** Refuse to run what would be billed for more bytes. */
  maxBytes?: number | undefined;
  /** Another server than Google's. */
  apiEndpoint?: string | undefined;
  /** Credentials as an object of google-auth-library; default: those of the environment. */
  authClient?: unknown;
}

/** What a statement would do. */
export interface JobPlan {
  /** Bytes that it would read. */
  bytes: number;
  /** `SELECT`, `INSERT`, `SCRIPT`, … */
  statementType: string;
  fields: FieldSchema[];
}

/** A statement that runs. */
export interface JobAnswer {
  fields: FieldSchema[];
  /** Pages of rows as the server sends them; to be read once. */
  pages: AsyncIterable<RawRow[]>;
  /** Bytes that were read, and whether the answer was kept from before; known after the first page. */
  bytes: number;
  cached: boolean;
  cancel: () => void;
}

/** Runs statements. */
export interface BigQueryJobs {
  /** A dry run: costs nothing, reads nothing. */
  plan(sql: string, options?: { signal?: AbortSignal | undefined }): Promise<JobPlan>;
  run(sql: string, options?: { signal?: AbortSignal | undefined }): Promise<JobAnswer>;
  /** The project that pays. */
  project(): Promise<string>;
}

/** What is used of the package, and what the server answers: parsed loosely, for it is Google's to extend. */
interface Client {
  authClient: { getClient(): Promise<unknown> };
  getProjectId(): Promise<string>;
  createQueryJob(options: Record<string, unknown>): Promise<[unknown, JobResource]>;
  request(
    options: { method?: string; uri: string; qs?: Record<string, unknown> },
    done: (error: Error | null, body?: unknown) => void,
  ): void;
}

interface JobResource {
  jobReference?: { jobId?: string; location?: string };
  statistics?: {
    totalBytesProcessed?: string;
    query?: { statementType?: string; schema?: { fields?: FieldSchema[] }; totalBytesProcessed?: string };
  };
}

interface ResultPage {
  jobComplete?: boolean;
  schema?: { fields?: FieldSchema[] };
  rows?: RawRow[];
  pageToken?: string;
  totalBytesProcessed?: string;
  cacheHit?: boolean;
}

/** Rows that one page may have; the server makes pages smaller where they would exceed 10 MB. */
const PAGE = 20_000;

/** How long the server may wait for the job before it answers that it goes on. */
const WAIT_MS = 10_000;

/** Loads the package on first use. Throws `unsupported` with the command that adds it. */
export function createBigQueryJobs(options: BigQueryOptions): BigQueryJobs {
  const place: JobPlace = { maxBytes: options.maxBytes, project: options.project };
  let opened: Promise<Client> | undefined;
  const client = () => {
    opened ??= openClient(options);
    return opened;
  };
  const ask = async <T>(work: (client: Client) => Promise<T>, signal?: AbortSignal): Promise<T> => {
    try {
      return await unlessAborted(work(await client()), signal);
    } catch (error) {
      throw isCarrelError(error) ? error : jobError(error, place);
    }
  };
  const job = (sql: string, more: Record<string, unknown>) => ({
    query: sql,
    useLegacySql: false,
    ...(options.location === undefined ? {} : { location: options.location }),
    ...(options.dataSet === undefined
      ? {}
      : { defaultDataset: { projectId: options.dataSet.project, datasetId: options.dataSet.name } }),
    ...more,
  });
  return {
    project: () => ask((opened) => opened.getProjectId()),
    async plan(sql, { signal } = {}) {
      const [, { statistics }] = await ask(
        (opened) => opened.createQueryJob(job(sql, { dryRun: true })),
        signal,
      );
      return {
        bytes: Number(statistics?.totalBytesProcessed ?? statistics?.query?.totalBytesProcessed ?? 0),
        statementType: statistics?.query?.statementType ?? 'unknown',
        fields: statistics?.query?.schema?.fields ?? [],
      };
    },
    async run(sql, { signal } = {}) {
      const limit = options.maxBytes === undefined ? {} : { maximumBytesBilled: String(options.maxBytes) };
      const jobId = `carrel-${randomUUID()}`;
      let location = options.location;
      let done = false;
      // Whoever gives up must not leave a job behind that goes on at their cost.
      const cancel = () => {
        if (done) return;
        done = true;
        const qs = location === undefined ? {} : { location };
        void client().then((opened) =>
          request(opened, { method: 'POST', uri: `/jobs/${jobId}/cancel`, qs }).catch(() => undefined),
        );
      };
      const page = async (pageToken?: string): Promise<ResultPage> => {
        for (;;) {
          const qs = {
            maxResults: PAGE,
            timeoutMs: WAIT_MS,
            'formatOptions.useInt64Timestamp': true,
            ...(location === undefined ? {} : { location }),
            ...(pageToken === undefined ? {} : { pageToken }),
          };
          const answer = (await ask(
            (opened) => request(opened, { uri: `/queries/${jobId}`, qs }),
            signal,
          )) as ResultPage;
          if (answer.jobComplete !== false) return answer;
        }
      };
      try {
        const [, resource] = await ask(
          (opened) => opened.createQueryJob(job(sql, { jobId, ...limit })),
          signal,
        );
        location = resource.jobReference?.location ?? location;
        const first = await page();
        const pages = async function* () {
          try {
            for (let next = first; ; next = await page(next.pageToken)) {
              if (next.pageToken === undefined) done = true;
              if (next.rows !== undefined && next.rows.length > 0) yield next.rows;
              if (next.pageToken === undefined) return;
            }
          } finally {
            cancel();
          }
        };
        return {
          fields: first.schema?.fields ?? [],
          pages: pages(),
          bytes: Number(first.totalBytesProcessed ?? 0),
          cached: first.cacheHit === true,
          cancel,
        };
      } catch (error) {
        if (signal?.aborted === true) cancel();
        throw error;
      }
    },
  };
}

/** The only place that knows the package. */
async function openClient(options: BigQueryOptions): Promise<Client> {
  let loaded: typeof import('@google-cloud/bigquery');
  try {
    loaded = await import('@google-cloud/bigquery');
  } catch (cause) {
    throw new CarrelError('unsupported', `the npm package ${PACKAGE} is not installed`, {
      item: PACKAGE,
      next: `npm install ${PACKAGE}   (beside carrel: with -g where carrel was installed with -g)`,
      cause,
    });
  }
  quietLookups();
  const { project, apiEndpoint, location, authClient } = options;
  const client = new loaded.BigQuery({
    ...(project === undefined ? {} : { projectId: project }),
    ...(apiEndpoint === undefined ? {} : { apiEndpoint }),
    ...(location === undefined ? {} : { location }),
    ...(authClient === undefined ? {} : { authClient: authClient as never }),
  });
  const opened = client as unknown as Client;
  // The package would ask without credentials where there are none, and be told something else by each server.
  await opened.authClient.getClient();
  return opened;
}

let quiet = false;

/**
 * Looking for credentials ends at the service of Google's own machines; elsewhere nobody answers, and Node would print a
 * warning beside our error, which says the same with what to do.
 */
function quietLookups(): void {
  if (quiet) return;
  quiet = true;
  const emit = process.emitWarning.bind(process) as (...all: unknown[]) => void;
  process.emitWarning = (...all: unknown[]): void => {
    if (all[1] !== 'MetadataLookupWarning') emit(...all);
  };
}

function request(
  client: Client,
  options: { method?: string; uri: string; qs?: Record<string, unknown> },
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    client.request(options, (error, body) =>
      error === null || error === undefined ? resolve(body) : reject(error),
    );
  });
}

/** The answer, unless the signal comes first: the client itself knows no signals. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  if (signal.aborted) {
    work.catch(() => undefined);
    throw abortError(signal);
  }
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(abortError(signal));
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop);
    work.catch(() => undefined);
  }
}
