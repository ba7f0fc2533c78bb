/**
 * `drs://` URIs in every style. GA4GH DRS 1.2–1.5 knows two: `drs://host/<percent-encoded id>` and the compact
 * `drs://[provider/]namespace:accession`. IDC publishes a third, `drs://dg.4DFC/<uuid>`, whose authority is no host.
 */
import { decodeOnce } from './check-text.ts';
import { readLocalId } from './guid.ts';
import type { DrsIdentifier, ParseIdentifierOptions } from './identifier.ts';
import { refuse } from './refuse.ts';
import { checkHost, checkKey } from './url-parts.ts';
import { canonicalPrefix, isGuidPrefix } from './uuid.ts';

const NEXT = 'write it as drs://dg.4DFC/<uuid>, drs://dg.4DFC:<uuid> or drs://host/<id>';

/** Reads what stands behind `drs://`. Throws `bad-input`. */
export function parseDrs(body: string, text: string, options: ParseIdentifierOptions): DrsIdentifier {
  const [local = '', ...extra] = body.split(/[?#]/);
  if (/^[^/]*@/.test(local)) checkHost(local, text);
  const warnings = extra.length > 0 ? ['what stands behind ? or # is no part of a DRS id; left out'] : [];
  const identifier = parseHosted(local, text, options) ?? parseCompact(local, text, options);
  checkKey(identifier.id, text);
  if (identifier.id.endsWith('/') && identifier.uuid === undefined)
    throw refuse(text, 'names no object', NEXT);
  if (identifier.uuid === undefined && identifier.prefix !== undefined && isGuidPrefix(identifier.prefix)) {
    warnings.push(`${identifier.prefix} is followed by no UUID: a placeholder, or a slip`);
  }
  identifier.warnings.unshift(...warnings);
  return identifier;
}

/** `authority/id`; undefined where a colon makes it compact. `host:port/` is accepted: test servers print it. */
function parseHosted(
  local: string,
  text: string,
  options: ParseIdentifierOptions,
): DrsIdentifier | undefined {
  const slash = local.indexOf('/');
  const authority = slash < 0 ? local : local.slice(0, slash);
  if (isCompact(local, authority, slash)) return undefined;
  if (slash < 0 || local.length === slash + 1) throw refuse(text, 'names no object behind the host', NEXT);
  const id = decodeOnce(local.slice(slash + 1), text);
  if (isGuidPrefix(authority)) {
    const { prefix, warning } = canonicalPrefix(authority, options.guidPrefixes);
    const inner = readLocalId(`${prefix}/${id}`, options);
    const warnings = [...(warning === undefined ? [] : [warning]), ...inner.warnings];
    return { kind: 'drs', style: 'guid-authority', ...inner, text, warnings };
  }
  const host = checkHost(authority, text);
  return { kind: 'drs', style: 'hosted', host, ...readLocalId(id, options), text };
}

/**
 * Rule of the DRS specification: a colon makes it compact. Except `host:port/` (ports are illegal, but the GA4GH
 * starter kit prints them), an address in brackets, and a colon inside the id of something that is clearly a host.
 */
function isCompact(local: string, authority: string, slash: number): boolean {
  if (authority.startsWith('[')) return false;
  const colon = local.indexOf(':');
  if (colon < 0) return false;
  if (slash >= 0 && slash < colon) return !authority.includes('.');
  const isPort = slash >= 0 && /^[0-9]+$/.test(authority.slice(colon + 1));
  return !isPort || isGuidPrefix(authority.slice(0, colon));
}

/** `[provider/]namespace:accession`; the first colon splits. */
function parseCompact(local: string, text: string, options: ParseIdentifierOptions): DrsIdentifier {
  const colon = local.indexOf(':');
  const namespace = local.slice(0, colon);
  const accession = decodeOnce(local.slice(colon + 1), text);
  if (!/^(?:[a-z0-9._-]{1,64}\/)?[a-z0-9._-]{1,64}$/i.test(namespace) || accession === '') {
    throw refuse(text, 'is no DRS URI', NEXT);
  }
  if (isGuidPrefix(namespace)) {
    const { prefix, warning } = canonicalPrefix(namespace, options.guidPrefixes);
    const inner = readLocalId(`${prefix}/${accession}`, options);
    const warnings = [...(warning === undefined ? [] : [warning]), ...inner.warnings];
    return { kind: 'drs', style: 'compact', ...inner, text, warnings };
  }
  const inner = readLocalId(accession, options);
  return { kind: 'drs', style: 'compact', ...inner, prefix: namespace, id: accession, text };
}
