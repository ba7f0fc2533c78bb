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
import { type CountWriter, createCountWriter } from './count-writer.ts';
import { createEntryList, type EntryList } from './entry-list.ts';
import { printHeader, type SideHeader } from './side-file.ts';

/** Columns whose texts can be looked up; a run of equal texts is one entry. */
const IDS = ['crdc_series_uuid', 'SeriesInstanceUID', 'StudyInstanceUID', 'PatientID'] as const;

const STUDY = IDS.indexOf('StudyInstanceUID');
const PATIENT = IDS.indexOf('PatientID');

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
    const counts = await createCountWriter(session, tables);
    const order = tables.sorted ? '' : ` ORDER BY ${ROW_ORDER}`;
    const ownRows = { ...version, from: `carrel.current${order}`, counts };
    await writeRows(session, writer, entries, ownRows, signal);
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
    const counted = await counts.finish((bytes) => writer.write(bytes));
    const sorted = entries.finish();
    const { relations } = tables;
    const header: SideHeader = {
      key: options.key,
      names,
      published,
      historyNames: historyNames(tables),
      relations,
      words: await readWords(session),
      firstRelease,
      rows: { current, versions, all: writer.rows },
      counted,
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

/**
 * Writes the rows of a relation. A text costs the engine's library a microsecond, whatever its length, so that of a row
 * is one: its identifiers as JSON and the row itself, with tabs between, which JSON does not have.
 */
async function writeRows(
  session: Session,
  writer: BlockWriter,
  entries: EntryList,
  what: { json: string; ids: readonly string[]; from: string; counts?: CountWriter },
  signal: AbortSignal | undefined,
): Promise<void> {
  const { ids, counts } = what;
  const texts = [...(counts === undefined ? [] : ['collection_id']), ...ids];
  const parts = texts.map((name) => `coalesce(to_json(${name})::VARCHAR, 'null') || chr(9)`);
  const columns = [[...parts, `${what.json}::VARCHAR`].join(' || '), ...(counts?.select ?? [])];
  const result = await session.stream(`SELECT ${columns.join(', ')} FROM ${what.from}`);
  const first = texts.length - ids.length;
  const runs = ids.map(() => ({ text: 'null', first: writer.rows }));
  const end = ({ text, first: start }: { text: string; first: number }) => {
    if (text !== 'null' && writer.rows > start) entries.add(unquoted(text), start, writer.rows - start);
  };
  const found = texts.map(() => '');
  for (;;) {
    stopIfAborted(signal);
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    const { rowCount } = chunk;
    const [lines = [], ...values] = chunk.getColumns();
    counts?.addColumns(values);
    for (let at = 0; at < rowCount; at += 1) {
      const line = String(lines[at]);
      let from = 0;
      for (let place = 0; place < found.length; place += 1) {
        const tab = line.indexOf('\t', from);
        found[place] = line.slice(from, tab);
        from = tab + 1;
      }
      for (let place = 0; place < runs.length; place += 1) {
        const run = runs[place];
        const text = found[first + place] ?? 'null';
        if (run === undefined || text === run.text) continue;
        end(run);
        run.text = text;
        run.first = writer.rows;
      }
      counts?.addRow(writer.rows, `${found[0]}${found[first + PATIENT]}`, found[first + STUDY] ?? 'null');
      writer.add(line.slice(from));
    }
    await writer.drain();
  }
  for (const run of runs) end(run);
}

/** A JSON text as text. */
function unquoted(json: string): string {
  return json.includes('\\') ? (JSON.parse(json) as string) : json.slice(1, -1);
}

/** Names of collections and analysis results, of any release. */
async function readWords(session: Session): Promise<string[]> {
  const rows = await session.rows(
    `SELECT DISTINCT unnest([collection_id, analysis_result_id]) AS word FROM carrel.versions ORDER BY word`,
  );
  return rows.flatMap(({ word }) => (typeof word === 'string' ? [word] : []));
}
