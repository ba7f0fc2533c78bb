/** What went wrong at BigQuery, in our words: Google's reason decides, its message is kept. */
import { CarrelError, type ErrorCode } from '../../errors.ts';

/** What a message may name. */
export interface JobPlace {
  project: string | undefined;
  maxBytes: number | undefined;
}

/** How to sign in, as a command to be typed. */
export const SIGN_IN =
  'gcloud auth application-default login, or GOOGLE_APPLICATION_CREDENTIALS=/path/to/key.json';

/** Reason that the server gives → our code and what to do. <https://cloud.google.com/bigquery/docs/error-messages> */
const REASONS: Record<string, { code: ErrorCode; next?: string; retryable?: boolean }> = {
  accessDenied: {
    code: 'permission',
    next: 'the account needs the role "BigQuery Job User" on the project that runs the job (--project)',
  },
  billingNotEnabled: {
    code: 'permission',
    next: 'name a project with billing, or the BigQuery sandbox of a project without: --project',
  },
  responseTooLarge: { code: 'sql', next: 'ask for fewer rows or columns, or add --limit' },
  resourcesExceeded: { code: 'sql', next: 'ask for fewer rows or columns, or add --limit' },
  invalidQuery: { code: 'sql' },
  invalid: { code: 'sql' },
  notFound: { code: 'not-found', next: 'the data set may lack that release or table' },
  quotaExceeded: {
    code: 'network',
    next: 'a quota of the project is used up; try again later',
    retryable: true,
  },
  rateLimitExceeded: { code: 'network', next: 'try again in a while', retryable: true },
  jobRateLimitExceeded: { code: 'network', next: 'try again in a while', retryable: true },
  backendError: { code: 'network', next: 'try again', retryable: true },
  internalError: { code: 'network', next: 'try again', retryable: true },
  stopped: { code: 'interrupted', next: 'the job was stopped by somebody; start it again' },
};

/** An error of the client or of the server as a `CarrelError`. */
export function jobError(error: unknown, place: JobPlace): CarrelError {
  const shown = error as {
    message?: string;
    code?: number | string;
    status?: number;
    errors?: { reason?: string; message?: string; location?: string }[];
  };
  const first = shown.errors?.[0];
  const message = (first?.message ?? shown.message ?? String(error)).trim().split('\n')[0] ?? '';
  const status = Number(shown.code ?? shown.status) || undefined;
  const details = (code: ErrorCode, next: string | undefined, text = message, retryable = false) =>
    new CarrelError(code, text, { item: place.project, next, cause: error, status, retryable });
  if (/could not load the default credentials/i.test(message))
    return details('permission', SIGN_IN, 'there are no Google credentials to ask BigQuery with');
  if (/unable to detect a project id/i.test(message))
    return details(
      'usage',
      '--project my-project, or GOOGLE_CLOUD_PROJECT=my-project',
      'BigQuery needs a Google Cloud project that the job runs in, and none is known',
    );
  if (/invalid_grant|invalid_rapt|reauth/i.test(message) || status === 401)
    return details('permission', SIGN_IN, `Google refused the credentials: ${message}`);
  if (/bytes billed/i.test(message) || first?.reason === 'bytesBilledLimitExceeded')
    return details(
      'usage',
      'allow more with --max-bytes, or ask for fewer columns; --dry-run tells how much',
      `BigQuery: ${message}`,
    );
  const known = REASONS[first?.reason ?? ''];
  if (known !== undefined) return details(known.code, known.next, `BigQuery: ${message}`, known.retryable);
  if (status === 403) return details('permission', REASONS['accessDenied']?.next, `BigQuery: ${message}`);
  if (status === 404) return details('not-found', REASONS['notFound']?.next, `BigQuery: ${message}`);
  if (status === 400) return details('sql', undefined, `BigQuery: ${message}`);
  return details(
    'network',
    'is the network there? then try again',
    `BigQuery could not be asked: ${message}`,
    true,
  );
}
