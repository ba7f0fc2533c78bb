/** Names of data and of bytes. */
export { AS_KINDS } from './coerce-kind.ts';
export * from './digest.ts';
export type * from './identifier.ts';
export { parseIdentifier, tryParseIdentifier } from './parse-identifier.ts';
export { asKindOf, printIdentifier } from './print-identifier.ts';
export { excerpt } from './refuse.ts';
export { isDicomUid, uidFaults } from './uid.ts';
export { asUuid, isCrdcUuid, isGuidPrefix, KNOWN_GUID_PREFIXES, toDrsUri } from './uuid.ts';
export { uuidOf } from './uuid-of.ts';
