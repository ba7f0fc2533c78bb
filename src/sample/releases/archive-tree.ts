/** The top of the tree: collections and releases over the versions of patients. */
import { RELEASES, type Release } from '../model/types.ts';
import { hashOf, retireMissing, stand, type Version } from './tree.ts';

/** What a release holds. */
export interface ReleaseTree {
  release: Release;
  /** MD5 over the sorted hashes of its collections. */
  hash: string;
  collections: Version[];
}

/** Patient versions of a collection. */
export interface CollectionMembers {
  collectionId: string;
  /** Versions of one patient by release. */
  patients: Map<Release, Version>;
}

/** The tree of every release. */
export function archiveTree(seed: string, members: readonly CollectionMembers[]): ReleaseTree[] {
  const ids = [...new Set(members.map(({ collectionId }) => collectionId))];
  const earlier = new Map<string, Version>();
  return RELEASES.map((release) => {
    const collections = ids.flatMap((id): Version[] => {
      const children = members.flatMap(({ collectionId, patients }) =>
        collectionId === id ? (patients.get(release) ?? []) : [],
      );
      if (children.length === 0) return [];
      return [stand(earlier.get(id), { level: 'collection', id, path: [seed], children }, release)];
    });
    const present = new Set(collections.map(({ id }) => id));
    retireMissing([...earlier.values()], present, release);
    earlier.clear();
    for (const collection of collections) earlier.set(collection.id, collection);
    return { release, hash: hashOf(collections.map(({ hash }) => hash)), collections };
  });
}
