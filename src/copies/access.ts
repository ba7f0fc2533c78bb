/**
 * Whose credentials a bucket is read with. Nobody needs any for public data, so a bucket is asked anonymously first, and
 * signed only where it says no and this machine holds credentials; `--sign`, `--profile` and `--no-sign-request` decide it.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Place } from '../stores/index.ts';

/** `auto`: anonymous first, signed after a refusal where credentials are at hand. */
export type Access = 'auto' | 'anonymous' | 'signed';

/** What is the same for all places of a run. */
export interface PlaceOptions {
  access?: Access | undefined;
  /** Region of S3 places that name none. */
  region?: string | undefined;
  /** How buckets of a foreign S3 endpoint are addressed; default by path. */
  addressing?: 'path' | 'virtual' | undefined;
  /** Who pays: `requester` for S3, a project for Google. */
  payer?: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
}

/** The forms in which a place is tried, one after the other. */
export function accessesOf(place: Place, options: PlaceOptions): Place[] {
  if (place.protocol === 'file' || place.protocol === 'https') return [place];
  const full: Place = {
    ...place,
    ...(options.addressing !== undefined && { addressing: options.addressing }),
    ...(place.protocol === 's3' &&
      place.region === undefined &&
      options.region !== undefined && { region: options.region }),
    ...(options.payer !== undefined && { payer: options.payer }),
  };
  const [anonymous, signed] = [
    { ...full, access: 'anonymous' as const },
    { ...full, access: 'signed' as const },
  ];
  if (options.access === 'anonymous') return [anonymous];
  // Who pays must say who it is.
  if (options.access === 'signed' || place.access === 'signed' || options.payer !== undefined)
    return [signed];
  return hasCredentials(place.protocol, options.env) ? [anonymous, signed] : [anonymous];
}

const AWS_NAMES =
  'AWS_ACCESS_KEY_ID AWS_PROFILE AWS_SHARED_CREDENTIALS_FILE AWS_WEB_IDENTITY_TOKEN_FILE AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'.split(
    ' ',
  );
const GOOGLE_NAMES = 'CARREL_GCS_TOKEN GOOGLE_OAUTH_ACCESS_TOKEN GOOGLE_APPLICATION_CREDENTIALS'.split(' ');

/** True where this machine's user has something to sign with; nothing of it is read. */
function hasCredentials(protocol: 's3' | 'gcs', env: PlaceOptions['env']): boolean {
  const names = protocol === 's3' ? AWS_NAMES : GOOGLE_NAMES;
  if (names.some((name) => env[name] !== undefined && env[name] !== '')) return true;
  const home = env['HOME'] ?? env['USERPROFILE'];
  if (home === undefined || home === '') return false;
  const files =
    protocol === 's3'
      ? [join(home, '.aws', 'credentials')]
      : [
          join(
            env['CLOUDSDK_CONFIG'] ?? join(home, '.config', 'gcloud'),
            'application_default_credentials.json',
          ),
        ];
  return files.some((file) => existsSync(file));
}
