/** Which host answers for a DRS identifier. Nobody is asked for that: the archive's record holds the map. */
import type { Archive } from '../archives/index.ts';
import { CarrelError } from '../errors.ts';
import { asUuid, type CrdcUuid, type Identifier, parseIdentifier } from '../identifiers/index.ts';

/** Where to ask, and for what. */
export interface DrsTarget {
  /** URL of the API, `https://host/ga4gh/drs/v1`; undefined for an index record. */
  endpoint?: string | undefined;
  /** URL of an indexd record, where the identifier is one of a host that is no DRS host of ours. */
  indexUrl?: string | undefined;
  id: string;
  uuid?: CrdcUuid | undefined;
  accessId?: string | undefined;
  /** True where the archive's own host answers: its uuids also name folders of its buckets. */
  own: boolean;
}

/**
 * The target of any identifier that DRS can resolve: `drs://` in every form, `dg.4DFC/<uuid>`, https URLs of DRS and
 * indexd, a bare uuid (the archive's own prefix is put before it).
 * Throws `not-found` for a prefix that no record maps to a host, `usage` for identifiers that are none of these.
 */
export function drsTarget(name: Identifier | string, archive: Archive): DrsTarget {
  const identifier = typeof name === 'string' ? parseIdentifier(name) : name;
  switch (identifier.kind) {
    case 'crdc-uuid':
      return ofPrefix(archive.drs?.prefix ?? '', identifier.uuid, identifier.uuid, archive);
    case 'guid':
      return ofPrefix(identifier.prefix, identifier.uuid, identifier.uuid, archive);
    case 'drs':
      if (identifier.style === 'hosted') {
        return ofHost(identifier.host ?? '', undefined, identifier.id, identifier.uuid, archive);
      }
      return ofPrefix(identifier.prefix ?? '', identifier.id, identifier.uuid, archive);
    case 'drs-url': {
      const { host, endpoint, id, uuid, accessId, service, prefix } = identifier;
      if (service === 'dataguids') {
        if (prefix !== undefined && isOwnPrefix(prefix, archive)) return ofPrefix(prefix, id, uuid, archive);
        return { indexUrl: `${endpoint}/index/${id}`, id, uuid, own: false };
      }
      return { ...ofHost(host, `${endpoint}/ga4gh/drs/v1`, id, uuid, archive), accessId };
    }
    case 'compound-object':
    case 'dicom-uid':
    case 'doi':
    case 'faspex-link':
    case 'name':
    case 'object-url':
    case 'path':
    case 'stdin':
      throw new CarrelError('usage', `${identifier.text.trim()} is nothing that DRS resolves`, {
        item: identifier.text.trim(),
        next: 'hand in a drs:// URI, a GUID or a uuid',
      });
  }
}

function ofPrefix(prefix: string, local: string, uuid: CrdcUuid | undefined, archive: Archive): DrsTarget {
  if (archive.drs === undefined || !isOwnPrefix(prefix, archive)) {
    throw new CarrelError(
      'not-found',
      `no DRS host is known for ${prefix === '' ? local : `${prefix}:${local}`}`,
      {
        item: local,
        next: 'write the URI with its host (drs://host/id), or name the prefix in the record of the archive',
      },
    );
  }
  const bare = asUuid(local);
  return {
    endpoint: archive.drs.endpoint,
    id: bare === undefined ? local : `${archive.drs.prefix}/${bare}`,
    uuid,
    own: true,
  };
}

function ofHost(
  host: string,
  endpoint: string | undefined,
  id: string,
  uuid: CrdcUuid | undefined,
  archive: Archive,
): DrsTarget {
  if (archive.drs !== undefined && host.toLowerCase() === archive.drs.host.toLowerCase()) {
    return { endpoint: archive.drs.endpoint, id, uuid, own: true };
  }
  // GA4GH's own starter kit hands out drs://localhost:4500/…, which no certificate can be had for.
  const scheme = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i.test(host) ? 'http' : 'https';
  return { endpoint: endpoint ?? `${scheme}://${host}/ga4gh/drs/v1`, id, uuid, own: false };
}

function isOwnPrefix(prefix: string, archive: Archive): boolean {
  const { drs } = archive;
  const known = drs === undefined ? [] : [drs.prefix, ...drs.aliases];
  return known.some((candidate) => candidate.toLowerCase() === prefix.toLowerCase());
}
