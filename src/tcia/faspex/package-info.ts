/** What Faspex says about a package. */
import * as v from 'valibot';
import { CarrelError } from '../../errors.ts';
import type { FaspexClient } from './faspex-client.ts';

/** A package. Fields: `GET packages/{id}` of IBM's Faspex 5 API v5; what a server leaves out is undefined. */
export interface PackageInfo {
  id: string;
  title?: string | undefined;
  /** Of this delivery; a new version of a collection has another one. */
  uuid?: string | undefined;
  /** Bytes and files, as counted by the server. */
  bytes?: number | undefined;
  files?: number | undefined;
  /** `released`, `expired`, `deleted`, … */
  state?: string | undefined;
  /** ISO 8601. */
  released?: string | undefined;
  expires?: string | undefined;
  /** `full`, `partial` or `not_available`. */
  availability?: string | undefined;
  /** True where the bytes on the server are encrypted, so that a passphrase is needed. */
  encrypted?: boolean | undefined;
  /** True where the server lists files in pages with tokens too. */
  paginates?: boolean | undefined;
  /** Who it was sent to, as query parameter: some servers answer for a package only to its recipient. */
  recipient: Readonly<Record<string, string>>;
}

const TEXT = v.fallback(
  v.optional(v.pipe(v.union([v.string(), v.number()]), v.transform(String))),
  undefined,
);
const COUNT = v.fallback(
  v.optional(v.pipe(v.union([v.number(), v.string()]), v.transform(Number), v.integer(), v.minValue(0))),
  undefined,
);
const FLAG = v.fallback(v.optional(v.boolean()), undefined);
const RECIPIENT = v.looseObject({
  id: v.pipe(v.union([v.string(), v.number()]), v.transform(String)),
  recipient_type: v.optional(v.string()),
});

const DETAILS = v.looseObject({
  id: TEXT,
  title: TEXT,
  package_uuid: TEXT,
  total_bytes: COUNT,
  total_files: COUNT,
  state: TEXT,
  release_date: TEXT,
  expiration_date: TEXT,
  download_availability: TEXT,
  ear_enabled: FLAG,
  pagination_browsing: FLAG,
  recipients: v.fallback(v.array(v.unknown()), []),
});

/** Asks for the package. @throws CarrelError as `FaspexClient.ask`; `not-found` where it has expired or was deleted */
export async function readPackageInfo(client: FaspexClient, signal?: AbortSignal): Promise<PackageInfo> {
  const { link } = client;
  const { json } = await client.ask({ what: link.name, path: `packages/${link.packageId}`, signal });
  const parsed = v.safeParse(DETAILS, json);
  if (!parsed.success) {
    throw new CarrelError('network', `${link.name}: the server answered with something else than a package`, {
      item: link.name,
      next: 'try again later',
    });
  }
  const details = parsed.output;
  const info: PackageInfo = {
    id: details.id ?? link.packageId,
    title: details.title,
    uuid: details.package_uuid,
    bytes: details.total_bytes,
    files: details.total_files,
    state: details.state,
    released: details.release_date,
    expires: details.expiration_date,
    availability: details.download_availability,
    encrypted: details.ear_enabled,
    paginates: details.pagination_browsing,
    recipient: recipientOf(details.recipients[0]),
  };
  if (info.state === 'expired' || info.state === 'deleted' || info.availability === 'not_available') {
    const gone =
      info.state === 'expired' || info.state === 'deleted' ? info.state : 'no longer on the server';
    const title = info.title === undefined ? '' : ` ("${info.title}")`;
    throw new CarrelError('not-found', `${link.name}${title} is ${gone}`, {
      item: link.name,
      next: 'packages are withdrawn when a collection gets a new version; open its page and copy the new link',
    });
  }
  return info;
}

/** As the web application does: a user by one name, work groups and shared inboxes by the other. */
function recipientOf(value: unknown): Record<string, string> {
  const parsed = v.safeParse(RECIPIENT, value);
  if (!parsed.success) return {};
  const { id, recipient_type } = parsed.output;
  if (recipient_type === 'user') return { recipient_user_id: id };
  if (recipient_type === 'workgroup' || recipient_type === 'shared_inbox')
    return { recipient_workgroup_id: id };
  return {};
}
