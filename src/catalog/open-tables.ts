/** What every question needs: the engine, and what its views stand for. */
import type { Archive } from '../archives/index.ts';
import type { CatalogFile } from './catalog-file.ts';
import type { ChosenTables } from './choose-tables.ts';
import type { Engine } from './engine.ts';
import type { Relations } from './relations.ts';

/** The tables of one version, open, seen at one release. */
export interface OpenTables {
  archive: Archive;
  version: string;
  /** Folder of the tables. */
  folder: string;
  content: CatalogFile;
  /** Release that answers are about. */
  release: number;
  /** Release that the tables describe. */
  tablesRelease: number;
  derived: boolean;
  /** False where nobody named a release: then a uuid means its version, of whatever release. */
  releaseAsked: boolean;
  /** True where `carrel.series` gives its rows in the order of answers without sorting. */
  sorted: boolean;
  /** What they were opened from. */
  chosen: ChosenTables;
  engine: Engine;
  relations: Relations;
}

/**
 * Column → mirror: those of the record, and `<mirror>_bucket`, which the table of prior versions has for each cloud
 * while the main one names only one of them.
 */
export function bucketColumnsOf(archive: Archive): Record<string, string> {
  const byName = archive.mirrors.map(({ name }) => [`${name}_bucket`, name]);
  return { ...Object.fromEntries(byName), ...archive.catalog.bucketColumns };
}
