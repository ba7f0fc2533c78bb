/** Stores that ask again: for listings and small reads, before any file is transferred. */
import { type OpenStore, withRetry } from '../stores/index.ts';

/** Attempts at one mirror before the next one is asked. */
const ATTEMPTS = 3;

/** The same stores, each request repeated where it failed for a reason that may pass. */
export function patientStores(openStore: OpenStore): OpenStore {
  return (place) => withRetry(openStore(place), { attempts: ATTEMPTS });
}
