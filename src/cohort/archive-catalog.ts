/** The catalogue of an open archive, at one release: what `openArchive(…).catalog` is. */
import type { Archive } from '../archives/index.ts';
import {
  type Catalog,
  type CatalogEvent,
  type ColumnInfo,
  type DatasetList,
  type DiffOptions,
  type HistoryOptions,
  type InstalledCatalog,
  installCatalog,
  listCatalogs,
  openDiff,
  type QueryOptions,
  type ReleaseInfo,
  readHistoryOf,
  type Selection,
  type SeriesHistory,
  type TableInfo,
  updateCatalog,
  type WideHistory,
} from '../catalog/index.ts';
import { CarrelError } from '../errors.ts';
import type { AsKind } from '../identifiers/index.ts';
import type { LockFile } from '../manifests/index.ts';
import type { OpenStore } from '../stores/index.ts';
import { nameWithHistory } from './name-with-history.ts';
import { openSide, pinnedOf } from './pinned-of.ts';
import { createReleaseDiff, type ReleaseDiff } from './release-diff.ts';
import { createSearch, type SearchOptions, type SeriesSearch } from './series-search.ts';
import { type NamedThing, showName } from './show-name.ts';
import { bindTemplate, createSqlAnswer, type SqlAnswer, type SqlParameter } from './sql-answer.ts';

/** A call that can be given up. */
interface Stoppable {
  signal?: AbortSignal | undefined;
}

/** Questions to the catalogue at one release. Nothing is opened before the first question. */
export interface ArchiveCatalog {
  /** The series of a selection, to iterate, count and group. A release in the selection is stronger than this one. */
  search<const Column extends string = string>(
    selection?: Selection,
    options?: SearchOptions<Column>,
  ): SeriesSearch<Column>;
  /** One reading statement: as a template, whose values are bound, or as a text with options. */
  sql(parts: TemplateStringsArray, ...values: SqlParameter[]): SqlAnswer;
  sql(text: string, options?: QueryOptions): SqlAnswer;
  /** Everything that a name stands for, described. Throws `not-found` with the nearest names. */
  show(
    name: string,
    options?: { as?: AsKind | undefined; collection?: string | undefined } & Stoppable,
  ): Promise<NamedThing[]>;
  /** Every version of a series, or anything larger release by release, from all installed tables. */
  history(
    name: string,
    options?: Omit<HistoryOptions, 'archive' | 'cacheDir' | 'what'>,
  ): Promise<SeriesHistory | WideHistory>;
  /** What changed between two releases; a side may also be a lock file or the path of one. Close it. */
  diff(
    from: string | LockFile,
    to: string | LockFile,
    options?: Omit<DiffOptions, 'archive' | 'cacheDir' | 'from' | 'to'>,
  ): Promise<ReleaseDiff>;
  /** The same catalogue at another release; closed with the archive. */
  snapshot(release: string): ArchiveCatalog;
  /** Collections and analysis results that all words are found in, best first. */
  datasets(words: readonly string[], selection?: Selection, options?: Stoppable): Promise<DatasetList>;
  /** Releases of the archive, newest first. */
  releases(options?: Stoppable): Promise<ReleaseInfo[]>;
  tables(options?: Stoppable): Promise<TableInfo[]>;
  /** Columns of a table with types and descriptions. */
  columns(table?: string, options?: Stoppable): Promise<ColumnInfo[]>;
  /** Installed versions of the tables, newest first. */
  installed(): Promise<InstalledCatalog[]>;
  /** Fetches tables from where the archive publishes them; makes no request where they are whole. */
  update(
    options?: {
      version?: string | undefined;
      tables?: string[] | undefined;
      onEvent?: ((event: CatalogEvent) => void) | undefined;
    } & Stoppable,
  ): Promise<InstalledCatalog>;
  /** Installs tables from files: a wheel, a folder, single Parquet files. */
  install(
    sources: readonly string[],
    options?: {
      version?: string | undefined;
      onEvent?: ((event: CatalogEvent) => void) | undefined;
    } & Stoppable,
  ): Promise<InstalledCatalog>;
  /** The catalogue with its whole interface (`carrel/catalog`); closed with the archive. */
  open(): Promise<Catalog>;
}

/** What the catalogue of an archive stands on. */
export interface CatalogGround {
  archive: Archive;
  cacheDir: string;
  cwd: string;
  openStore: OpenStore;
  /** The catalogue at a release, opened once. */
  open: (release: string | undefined) => Promise<Catalog>;
  /** Forgets what was opened: other tables are installed now. */
  reopen: () => void;
  /** The signal of one call together with those of the archive. */
  until: (signal: AbortSignal | undefined) => AbortSignal;
  /** Remembers something to be closed with the archive. */
  keep: (closable: { close(): void }) => void;
}

/** Makes the catalogue at a release. */
export function createArchiveCatalog(ground: CatalogGround, release: string | undefined): ArchiveCatalog {
  const { archive, cacheDir, openStore, until } = ground;
  const open = () => ground.open(release);
  const side = async (what: string | LockFile) =>
    typeof what === 'string'
      ? await openSide(what, archive, ground.cwd)
      : pinnedOf(what, archive, 'the lock file');

  function sql(parts: TemplateStringsArray, ...values: SqlParameter[]): SqlAnswer;
  function sql(text: string, options?: QueryOptions): SqlAnswer;
  function sql(text: TemplateStringsArray | string, ...more: unknown[]): SqlAnswer {
    if (typeof text !== 'string') {
      const bound = bindTemplate(text, more as SqlParameter[]);
      return createSqlAnswer(open, bound.sql, { parameters: bound.parameters, signal: until(undefined) });
    }
    const options = (more[0] ?? {}) as QueryOptions;
    return createSqlAnswer(open, text, { ...options, signal: until(options.signal) });
  }

  return {
    search: (selection = {}, options = {}) =>
      createSearch({ open, signal: until(options.signal) }, selection, options),
    sql,
    async show(name, options = {}) {
      const catalog = await open();
      const signal = until(options.signal);
      const { matches, identifier } = await showName(
        name,
        { archive, catalog, openStore },
        { ...options, signal },
      );
      if (matches.length > 0) return matches;
      const nearest = await catalog.suggest('any', identifier.text, { signal });
      throw new CarrelError(
        'not-found',
        `${name} is not in the tables of ${archive.name} ${catalog.releaseName}`,
        {
          item: name,
          next: nearest.length > 0 ? `did you mean ${nearest.join(', ')}?` : 'search() lists what there is',
        },
      );
    },
    history: async (name, options = {}) =>
      await readHistoryOf({
        ...options,
        archive,
        cacheDir,
        what: nameWithHistory(name),
        signal: until(options.signal),
      }),
    async diff(from, to, options = {}) {
      const sides = { from: await side(from), to: await side(to) };
      const opened = await openDiff({
        ...options,
        ...sides,
        archive,
        cacheDir,
        signal: until(options.signal),
      });
      const diff = createReleaseDiff(opened);
      ground.keep(diff);
      return diff;
    },
    snapshot: (other) => createArchiveCatalog(ground, other),
    datasets: async (words, selection = {}, { signal } = {}) =>
      await (await open()).findDatasets(words, selection, { signal: until(signal) }),
    releases: async ({ signal } = {}) => await (await open()).releases({ signal: until(signal) }),
    tables: async ({ signal } = {}) => await (await open()).tables({ signal: until(signal) }),
    columns: async (table = 'index', { signal } = {}) =>
      await (await open()).schema(table, { signal: until(signal) }),
    installed: async () => await listCatalogs({ cacheDir, archive: archive.name }),
    async update(options = {}) {
      const signal = until(options.signal);
      const installed = await updateCatalog({ ...options, archive, cacheDir, openStore, signal });
      ground.reopen();
      return installed;
    },
    async install(sources, options = {}) {
      const signal = until(options.signal);
      const installed = await installCatalog({
        ...options,
        archive,
        cacheDir,
        sources: [...sources],
        signal,
      });
      ground.reopen();
      return installed;
    },
    open,
  };
}
