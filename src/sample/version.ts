/**
 * Version of the generator. Raised whenever the bytes that it writes change, so that a finished sample of an
 * older generator is never taken for one of this.
 */
export const SAMPLE_VERSION = '1.0.0';

/** Seed of the default sample; every uuid, UID and pixel follows from it. */
export const DEFAULT_SEED = 'carrel';

/** Implementation class UID of the generator, for the file meta information (root 2.25, a fixed uuid). */
export const IMPLEMENTATION_CLASS_UID = '2.25.210817392034958810341773309210985570143';

/** Implementation version name of the generator (at most 16 characters). */
export const IMPLEMENTATION_VERSION_NAME = 'CARREL_SAMPLE_1';
