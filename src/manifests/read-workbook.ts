/** Spreadsheets as manifests: the first sheet that has a header row naming data. */
import { type Collector, emptyManifest } from './collector.ts';
import { HEADER_WITHIN, isHeaderRow } from './read-table.ts';
import { namingColumns, readRow } from './row-name.ts';
import { readSheets, type Sheet, type SheetRow } from './workbook.ts';

/** Reads a workbook into the collector; the numbers of its rows stand for those of lines. */
export function readWorkbook(bytes: Uint8Array, collector: Collector): void {
  const sheets = readSheets(bytes, collector.origin);
  const naming = sheets.flatMap((sheet) => {
    const header = headerOf(sheet);
    return header === undefined ? [] : [{ sheet, header }];
  });
  const [first, ...others] = naming;
  if (first === undefined) {
    throw emptyManifest(
      collector.origin,
      'has no sheet with a column that names data, such as SeriesInstanceUID, imageUrl or drs_uri',
    );
  }
  for (const { sheet } of others)
    collector.note(
      `its sheet ${JSON.stringify(sheet.name)} names data too and was not read: save it as a file of its own`,
    );
  if (sheets.length > 1) collector.note(`its sheet ${JSON.stringify(first.sheet.name)} was read`);
  readRows(first.sheet, first.header, collector);
}

function headerOf(sheet: Sheet): SheetRow | undefined {
  let looked = 0;
  for (const row of sheet.rows()) {
    looked += 1;
    if (isHeaderRow(row.cells.map((cell) => cell.trim()))) return row;
    if (looked >= HEADER_WITHIN) return undefined;
  }
  return undefined;
}

function readRows(sheet: Sheet, header: SheetRow, collector: Collector): void {
  const names = header.cells.map((cell) => cell.trim());
  const columns = namingColumns(names);
  const place = new Map(names.map((column, index) => [column, index]));
  let hidden = 0;
  for (const { number, cells, hidden: isHidden, uncomputed } of sheet.rows()) {
    if (number <= header.number || cells.every((cell) => cell.trim() === '')) {
      if (uncomputed && number > header.number)
        collector.problem(number, '', 'holds nothing but formulas without a stored value');
      continue;
    }
    if (isHidden) hidden += 1;
    if (uncomputed)
      collector.note('a formula without a stored value is empty (open and save the file once)', number);
    readRow(
      number,
      cells.join('\t'),
      { get: (column) => cells[place.get(column) ?? -1] },
      columns,
      collector,
    );
  }
  if (hidden > 0)
    collector.note(`${hidden} hidden ${hidden === 1 ? 'row was' : 'rows were'} read like the others`);
}
