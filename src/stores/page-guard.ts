/** Notices a listing that goes round in a circle, whatever tokens it gives. */
import { CarrelError } from '../errors.ts';
import type { ListPage } from './store.ts';

/** Pages without a single object that are taken in a row: Google gives some while it searches. */
const MOST_EMPTY = 1_000;

/** True for each page of a listing that may still come to its end. */
export type PageGuard = (page: ListPage) => boolean;

/**
 * A guard for one listing. No page begins with an object that another one began with, so a first key that comes again
 * tells a circle, also where a server makes a new token each time. Orders other than that of keys do no harm.
 */
export function createPageGuard(): PageGuard {
  const begun = new Set<string>();
  let empty = 0;
  return ({ objects: [first] }) => {
    if (first === undefined) {
      empty += 1;
      return empty < MOST_EMPTY;
    }
    empty = 0;
    if (begun.has(first.key)) return false;
    begun.add(first.key);
    return true;
  };
}

/** What is thrown where a listing does not come to its end. Asking again would not help. */
export function endlessListing({ item }: { item: string }): CarrelError {
  return new CarrelError('network', `${item}: the listing does not come to its end`, {
    item,
    next: 'the server repeats its pages; name the objects one by one',
  });
}
