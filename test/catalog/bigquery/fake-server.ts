/**
 * BigQuery's REST interface (v2) as far as it is used: `jobs.insert` with dry runs, `jobs.getQueryResults` with pages
 * and with jobs that are not done yet, `jobs.cancel`. A function from request to response; what answers the statements is
 * handed in.
 */
import { toRawRow, toSchema } from './encode.ts';

/** Answers statements. */
export interface Backend {
  /** What the statement is, and what it answers; throws what is wrong with it. */
  run(sql: string): Promise<{ kind: string; names: string[]; types: string[]; rows: unknown[][] }>;
}

/** A job as it was sent. */
export interface SentJob {
  jobId: string;
  query: string;
  dryRun: boolean;
  configuration: Record<string, unknown>;
  cancelled: boolean;
}

/** Behaviour that a test sets. */
export interface Behaviour {
  /** Rows per page. */
  page: number;
  /** How many times a job is answered with "not done yet". */
  pending: number;
  /** Bytes that every statement reads. */
  bytes: number;
  /** Answers requests of that kind with an error: `[status, reason, message]`. */
  fail?: Partial<Record<'insert' | 'results', [number, string, string]>>;
}

/** The server. */
export interface FakeBigQuery {
  fetch(request: Request): Promise<Response>;
  jobs: SentJob[];
  behaviour: Behaviour;
}

const json = (body: unknown, status = 200) =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });

function failure(status: number, reason: string, message: string): Response {
  const error = { message, domain: 'global', reason };
  return json({ error: { code: status, message, errors: [error] } }, status);
}

/** Makes the server over a backend. */
export function createFakeBigQuery(backend: Backend, project: string): FakeBigQuery {
  const jobs: SentJob[] = [];
  const behaviour: Behaviour = { page: 1000, pending: 0, bytes: 123_456_789 };
  const answers = new Map<string, { waits: number; answer: Awaited<ReturnType<Backend['run']>> }>();
  const base = `/bigquery/v2/projects/${project}`;

  const insert = async (body: Record<string, never>): Promise<Response> => {
    if (behaviour.fail?.insert !== undefined) return failure(...behaviour.fail.insert);
    const { configuration, jobReference } = body as unknown as {
      configuration: { query: { query: string; maximumBytesBilled?: string }; dryRun?: boolean };
      jobReference: { jobId: string };
    };
    const { query } = configuration.query;
    const dryRun = configuration.dryRun === true;
    jobs.push({
      jobId: jobReference.jobId,
      query,
      dryRun,
      configuration: configuration.query,
      cancelled: false,
    });
    let answer: Awaited<ReturnType<Backend['run']>>;
    try {
      answer = await backend.run(query);
    } catch (error) {
      return failure(400, 'invalidQuery', (error as Error).message);
    }
    if (!dryRun) answers.set(jobReference.jobId, { waits: behaviour.pending, answer });
    return json({
      jobReference: { ...jobReference, projectId: project, location: 'US' },
      status: { state: dryRun ? 'DONE' : 'RUNNING' },
      statistics: {
        totalBytesProcessed: String(behaviour.bytes),
        query: { statementType: answer.kind, schema: { fields: toSchema(answer) } },
      },
    });
  };

  const results = (jobId: string, qs: URLSearchParams): Response => {
    if (behaviour.fail?.results !== undefined) return failure(...behaviour.fail.results);
    const found = answers.get(jobId);
    if (found === undefined) return failure(404, 'notFound', `Not found: Job ${project}:${jobId}`);
    const sent = jobs.find((job) => job.jobId === jobId);
    const limit = Number(sent?.configuration['maximumBytesBilled'] ?? Number.POSITIVE_INFINITY);
    if (behaviour.bytes > limit)
      return failure(
        400,
        'bytesBilledLimitExceeded',
        `Query exceeded limit for bytes billed: ${limit}. ${behaviour.bytes} or higher required.`,
      );
    const jobReference = { jobId, projectId: project, location: 'US' };
    if (found.waits > 0) {
      found.waits -= 1;
      return json({ jobComplete: false, jobReference });
    }
    const { answer } = found;
    const from = Number(qs.get('pageToken') ?? 0);
    const size = Math.min(behaviour.page, Number(qs.get('maxResults') ?? behaviour.page));
    const rows = answer.rows.slice(from, from + size).map((row) => toRawRow(row, answer.types));
    const next = from + size;
    return json({
      jobComplete: true,
      jobReference,
      schema: { fields: toSchema(answer) },
      totalRows: String(answer.rows.length),
      totalBytesProcessed: String(behaviour.bytes),
      cacheHit: false,
      ...(rows.length === 0 ? {} : { rows }),
      ...(next < answer.rows.length ? { pageToken: String(next) } : {}),
    });
  };

  return {
    jobs,
    behaviour,
    async fetch(request) {
      const url = new URL(request.url);
      // The token service that the credentials of the tests name.
      if (url.pathname === '/v1/token')
        return json({
          access_token: 'token-of-the-tests',
          issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
          token_type: 'Bearer',
          expires_in: 3600,
        });
      if (!url.pathname.startsWith(base)) return failure(404, 'notFound', `Not found: ${url.pathname}`);
      if (request.headers.get('authorization') !== 'Bearer token-of-the-tests')
        return failure(401, 'authError', 'Request had invalid authentication credentials.');
      const path = url.pathname.slice(base.length);
      if (request.method === 'POST' && path === '/jobs')
        return insert((await request.json()) as Record<string, never>);
      const [, query] = /^\/queries\/([^/]+)$/.exec(path) ?? [];
      if (request.method === 'GET' && query !== undefined) return results(query, url.searchParams);
      const [, cancelled] = /^\/jobs\/([^/]+)\/cancel$/.exec(path) ?? [];
      if (request.method === 'POST' && cancelled !== undefined) {
        const job = jobs.find(({ jobId }) => jobId === cancelled);
        if (job !== undefined) job.cancelled = true;
        return json({ job: {} });
      }
      return failure(404, 'notFound', `Not found: ${path}`);
    },
  };
}
