/** Makes the side index of open tables: one pass over every series version, as `SeriesRow`s are read from the engine. */
import { open, rename, rm } from 'node:fs/promises';
import { abortError, isCarrelError } from '../../errors.ts';
import { stopIfAborted } from '../abort.ts';
import type { Session } from '../engine.ts';
import { historyNames, historySql } from '../history.ts';
import type { OpenTables } from '../open-tables.ts';
import { ROW_ORDER } from '../selection.ts';
import { rowColumns } from '../series-rows.ts';
import { type BlockWriter, createBlockWriter } from './block-writer.ts';
import { createEntryList, type EntryList } from './entry-list.ts';
import { printHeader, type SideHeader } from './side-file.ts';

/** Columns whose texts can be looked up; a run of equal texts is one entry. */
const IDS = ['crdc_series_uuid', 'SeriesInstanceUID', 'StudyInstanceUID', 'PatientID'] as const;

/** What it is made from. */
export interface WriteOptions {
  session: Session;
  tables: Omit<OpenTables, 'engine'>;
  key: string;
  /** Where it is to stand; written beside it under `temporary`, then renamed, so that a reader sees all or nothing. */
  path: string;
  temporary: string;
  signal?: AbortSignal | undefined;
}

/** Writes the file. Throws what the disk and the engine throw. */
export async function writeSideIndex(options: WriteOptions): Promise<void> {
  const { session, tables, path, temporary, signal } = options;
  const { names, published, json } = rowColumns(tables);
  const file = await open(temporary, 'wx');
  try {
    const writer = createBlockWriter(file);
    const entries = createEntryList();
    const version = { json, ids: IDS };
    const order = tables.sorted ? '' : ` ORDER BY ${ROW_ORDER}`;
    await writeRows(session, writer, entries, { ...version, from: `carrel.current${order}` }, signal);
    const current = writer.rows;
    let firstRelease: number | null = null;
    let versions = current;
    if (tables.relations.hasPrior) {
      const past = `carrel.versions WHERE NOT carrel_current ORDER BY ${ROW_ORDER}`;
      await writeRows(session, writer, entries, { ...version, from: past }, signal);
      versions = writer.rows;
      const history = {
        json: `json_array(${historyNames(tables)
          .map((name) => `"${name}"`)
          .join(', ')})`,
        ids: ['SeriesInstanceUID'] as const,
        from: `(${historySql(tables)})`,
      };
      await writeRows(session, writer, entries, history, signal);
      const [row] = await session.rows('SELECT min(min_idc_version) AS least FROM prior_versions_index');
      firstRelease = row?.['least'] === null ? null : Number(row?.['least']);
    }
    const blocks = await writer.finish();
    const sorted = entries.finish();
    const { doubled: _, ...relations } = tables.relations;
    const header: SideHeader = {
      key: options.key,
      names,
      published,
      historyNames: historyNames(tables),
      relations,
      words: await readWords(session),
      firstRelease,
      rows: { current, versions, all: writer.rows },
      blockList: { at: await writer.write(blocks.list), items: blocks.items },
      entries: { at: await writer.write(sorted.entries), items: sorted.items },
      bucketList: { at: await writer.write(sorted.buckets), bits: sorted.bits },
      sha256: writer.sha256(),
    };
    await file.writeFile(printHeader(header));
    await file.sync();
    await file.close();
    await rename(temporary, path);
  } catch (error) {
    if (signal?.aborted === true && !isCarrelError(error)) throw abortError(signal);
    throw error;
  } finally {
    await file.close().catch(() => undefined);
    await rm(temporary, { force: true });
  }
}

async function writeRows(
  session: Session,
  writer: BlockWriter,
  entries: EntryList,
  what: { json: string; ids: readonly string[]; from: string },
  signal: AbortSignal | undefined,
): Promise<void> {
  const result = await session.stream(
    `SELECT ${what.json}::VARCHAR, ${what.ids.join(', ')} FROM ${what.from}`,
  );
  const runs = what.ids.map(() => ({ text: null as unknown, first: writer.rows }));
  const end = (run: { text: unknown; first: number }, row: number) => {
    if (typeof run.text === 'string' && row > run.first) entries.add(run.text, run.first, row - run.first);
  };
  for (;;) {
    stopIfAborted(signal);
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    const [lines = [], ...ids] = chunk.getColumns();
    for (let at = 0; at < chunk.rowCount; at += 1) {
      for (const [column, run] of runs.entries()) {
        const text = ids[column]?.[at] ?? null;
        if (text === run.text) continue;
        end(run, writer.rows);
        run.text = text;
        run.first = writer.rows;
      }
      writer.add(String(lines[at]));
    }
    await writer.drain();
  }
  for (const run of runs) end(run, writer.rows);
}

/** Names of collections and analysis results, of any release. */
async function readWords(session: Session): Promise<string[]> {
  const rows = await session.rows(
    `SELECT DISTINCT unnest([collection_id, analysis_result_id]) AS word FROM carrel.versions ORDER BY word`,
  );
  return rows.flatMap(({ word }) => (typeof word === 'string' ? [word] : []));
}
