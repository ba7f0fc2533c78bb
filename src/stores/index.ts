/** Bytes at a place. */

export type { Crc32c } from './crc32c.ts';
export { combineCrc32c, createCrc32c } from './crc32c.ts';
export type * from './store.ts';
