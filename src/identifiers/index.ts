/** Names of data and of bytes. */
export * from './digest.ts';
export type * from './identifier.ts';
export { parseIdentifier } from './parse-identifier.ts';
export { isDicomUid, uidFaults } from './uid.ts';
export { asUuid, isCrdcUuid, isGuidPrefix, KNOWN_GUID_PREFIXES, toDrsUri } from './uuid.ts';
