/**
 * Access tokens from Google's application default credentials: the file that `gcloud auth application-default login`
 * writes (`authorized_user`), or the key file of a service account (RFC 7523). Nothing of the file or of the answer is
 * ever part of a message.
 */
import { createSign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { CarrelError, isCarrelError } from '../../errors.ts';
import type { HttpPool } from '../http/http.ts';

const READ_ONLY = 'https://www.googleapis.com/auth/devstorage.read_only';
const GOOGLE_TOKENS = 'https://oauth2.googleapis.com/token';

/** Seconds before its end from which a token is replaced. */
const EARLY_SECONDS = 120;

const text = v.pipe(v.string(), v.minLength(1), v.maxLength(10_000));
const credentialsShape = v.variant('type', [
  v.object({
    type: v.literal('authorized_user'),
    client_id: text,
    client_secret: text,
    refresh_token: text,
    token_uri: v.optional(text, GOOGLE_TOKENS),
  }),
  v.object({
    type: v.literal('service_account'),
    client_email: text,
    private_key: text,
    private_key_id: v.optional(text),
    token_uri: v.optional(text, GOOGLE_TOKENS),
  }),
]);
type Credentials = v.InferOutput<typeof credentialsShape>;

const answerShape = v.object({ access_token: text, expires_in: v.optional(v.number(), 3600) });

/** Where the credentials lie: named by the environment, else where gcloud puts them; undefined without a home. */
function credentialsFile(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const named = env['GOOGLE_APPLICATION_CREDENTIALS'];
  if (named) return named;
  const folder = env['CLOUDSDK_CONFIG'] || (env['HOME'] && join(env['HOME'], '.config', 'gcloud'));
  return folder ? join(folder, 'application_default_credentials.json') : undefined;
}

/**
 * Makes the function that gives a token, and gives the same one until it is about to end.
 *
 * Its promise is undefined where there are no credentials; it rejects with `permission` where there are some that do
 * not work, naming the file.
 */
export function createDefaultToken(options: {
  env: Readonly<Record<string, string | undefined>>;
  pool: HttpPool;
  now?: (() => number) | undefined;
}): () => Promise<string | undefined> {
  const { env, pool, now = Date.now } = options;
  let held: Promise<{ token: string; until: number } | undefined> | undefined;
  const renew = async () => {
    const file = credentialsFile(env);
    if (file === undefined) return undefined;
    const credentials = await readCredentials(file, env['GOOGLE_APPLICATION_CREDENTIALS'] === file);
    return credentials === undefined ? undefined : await exchange(credentials, file, pool, now());
  };
  return async () => {
    const have = await held?.catch(() => undefined);
    if (have === undefined || have.until <= now()) held = renew();
    return (await held)?.token;
  };
}

async function readCredentials(file: string, named: boolean): Promise<Credentials | undefined> {
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (cause) {
    if (!named) return undefined;
    throw unusable(file, 'cannot be read', cause);
  }
  try {
    return v.parse(credentialsShape, JSON.parse(content));
  } catch {
    // The parser's own message would repeat what stands in the file.
    throw unusable(file, 'are neither those of a user nor the key of a service account');
  }
}

async function exchange(
  credentials: Credentials,
  file: string,
  pool: HttpPool,
  now: number,
): Promise<{ token: string; until: number }> {
  const form: Record<string, string> =
    credentials.type === 'authorized_user'
      ? {
          grant_type: 'refresh_token',
          client_id: credentials.client_id,
          client_secret: credentials.client_secret,
          refresh_token: credentials.refresh_token,
        }
      : {
          grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
          assertion: assertion(credentials, file, now),
        };
  try {
    const reply = await pool.request({
      method: 'POST',
      url: credentials.token_uri,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: Buffer.from(new URLSearchParams(form).toString()),
      redirect: 'manual',
    });
    const body = await reply.text(1 << 20);
    if (reply.status !== 200) throw unusable(file, `were refused (${reply.status})`);
    const answer = v.parse(answerShape, JSON.parse(body));
    return { token: answer.access_token, until: now + (answer.expires_in - EARLY_SECONDS) * 1000 };
  } catch (error) {
    if (isCarrelError(error)) throw error;
    throw unusable(file, 'were answered with something that is no token');
  }
}

/** The signed statement of a service account that it is itself, valid for an hour. */
function assertion(
  { client_email, private_key, private_key_id, token_uri }: Extract<Credentials, { type: 'service_account' }>,
  file: string,
  now: number,
): string {
  const seconds = Math.floor(now / 1000);
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = encode({ alg: 'RS256', typ: 'JWT', ...(private_key_id && { kid: private_key_id }) });
  const claims = encode({
    iss: client_email,
    scope: READ_ONLY,
    aud: token_uri,
    iat: seconds,
    exp: seconds + 3600,
  });
  try {
    return `${head}.${claims}.${createSign('RSA-SHA256').update(`${head}.${claims}`).sign(private_key, 'base64url')}`;
  } catch {
    throw unusable(file, 'hold a key that cannot sign');
  }
}

function unusable(file: string, what: string, cause?: unknown): CarrelError {
  return new CarrelError('permission', `the credentials in ${file} ${what}`, {
    item: file,
    next: 'run gcloud auth application-default login again, or set CARREL_GCS_TOKEN="$(gcloud auth print-access-token)"',
    cause,
  });
}
