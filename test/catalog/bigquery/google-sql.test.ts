import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { columnsIn, tablesIn } from '../../../src/catalog/bigquery/compile-selection.ts';
import { checkEnclosed, literal, tokensOf } from '../../../src/catalog/bigquery/google-sql.ts';
import { inOwnLines, withTables } from '../../../src/catalog/bigquery/user-statement.ts';
import { CarrelError } from '../../../src/errors.ts';
import { runSql } from '../tiny-tables.ts';
import { pythonWithSqlglot, startTranslator, type Translator } from './google-to-duckdb.ts';

const SET = { project: 'p-of-tests', name: 'idc_v25', location: undefined, release: 25 };
const { python, reason } = pythonWithSqlglot();

describe('literals', () => {
  test('are ASCII on one line, with quotation marks and backslashes escaped', () => {
    expect(literal(`it's "q" \\ é 😀\n\u0000`)).toBe(`'it\\'s "q" \\\\ \\u00e9 \\U0001f600\\u000a\\u0000'`);
  });

  test('are one token, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const tokens = tokensOf(`${literal(text)} , x`);
        expect(tokens.map(({ kind }) => kind)).toEqual(['text', 'mark', 'word']);
      }),
    );
  });

  describe.skipIf(python === undefined)(`read by a parser of GoogleSQL (${reason})`, () => {
    let translator: Translator;
    beforeAll(() => {
      translator = startTranslator(python ?? '');
    });
    afterAll(() => translator.close());

    test('are the text that they were made of', async () => {
      const texts = [
        "it's",
        '\\',
        "\\'",
        '"',
        '`',
        'a\nb',
        '-- no comment',
        '/* */ #',
        '${x} @y ?',
        "''';--",
      ];
      for (const text of texts) {
        const { sql } = await translator.translate(`SELECT ${literal(text)} AS v`);
        expect(await runSql(sql)).toEqual([[text]]);
      }
    });
  });
});

describe('what is between parentheses', () => {
  test('cannot get out of them', () => {
    for (const condition of [
      'a) OR (b',
      'a))((b',
      'a; DROP TABLE x',
      'a, b',
      '',
      '-- nothing',
      '(a',
      'a = @x',
      'a = ?',
    ])
      expect(() => checkEnclosed(condition, 'condition'), condition).toThrow(CarrelError);
    for (const condition of [
      "a = ')'",
      '(a) OR (b)',
      'a IN (1, 2)',
      'x[OFFSET(0)] = 1',
      "a = '''it's''' -- ) end",
      'f(a, b)',
    ])
      expect(() => checkEnclosed(condition, 'condition'), condition).not.toThrow();
  });

  test('a text or comment without an end is refused', () => {
    for (const text of ["'a", '"a', '`a', '/* a', "r'a", "'''a''"])
      expect(() => tokensOf(text), text).toThrow(/is not closed/);
  });
});

describe('what a text asks for', () => {
  test('the columns that it names, in any case; all of them for a star that is not that of count(*)', () => {
    expect(columnsIn(tokensOf('SELECT modality, count(*) FROM index'))).toEqual(['Modality']);
    expect(columnsIn(tokensOf("SELECT 'Modality' /* PatientID */ FROM index"))).toEqual([]);
    expect(columnsIn(tokensOf('SELECT * FROM index'))).toHaveLength(31);
    expect(columnsIn(tokensOf('SELECT i.* FROM index i'))).toHaveLength(31);
    expect(columnsIn(tokensOf('SELECT `i.BodyPartExamined` FROM index i'))).toEqual(['BodyPartExamined']);
  });

  test('the tables that it names and does not define itself', () => {
    expect(
      tablesIn(tokensOf('SELECT 1 FROM index JOIN `collections_index` c USING (collection_id)')),
    ).toEqual(['index', 'collections_index']);
    expect(tablesIn(tokensOf('WITH index AS (SELECT 1) SELECT * FROM index'))).toEqual([]);
    expect(tablesIn(tokensOf('SELECT x.index FROM `bigquery-public-data.idc_v25.dicom_all` x'))).toEqual([]);
  });
});

describe("a statement of the user's own", () => {
  test('is sent as written where it names no table of Carrel', () => {
    const text = 'SELECT COUNT(*) FROM dicom_all;';
    expect(withTables(SET, text)).toEqual({ sql: text, linesBefore: 0 });
  });

  test('keeps its lines and columns below the tables, with a WITH of its own and without', () => {
    for (const text of [
      'SELECT Modality\nFROM index',
      '-- mine\nWITH a AS (\n  SELECT Modality FROM index)\nSELECT * FROM a',
      'with recursive a AS (SELECT Modality FROM index) SELECT Modality FROM a',
    ]) {
      const { sql, linesBefore } = withTables(SET, text);
      const own = sql.split('\n').slice(linesBefore).join('\n');
      expect(own.length).toBe(text.length);
      expect(own.replaceAll(/\s+/g, ' ').trim().endsWith(text.slice(-20).replaceAll(/\s+/g, ' '))).toBe(true);
      expect(sql.match(/\bWITH\b/gi)).toHaveLength(1);
      expect(
        sql.startsWith(text.includes('recursive') ? 'WITH RECURSIVE index AS (' : 'WITH index AS ('),
      ).toBe(true);
    }
  });

  test('mistakes are placed in its own lines', () => {
    const statement = withTables(SET, 'SELECT Modalty\nFROM index');
    const error = new CarrelError('sql', `Unrecognized name: Modalty at [${statement.linesBefore + 1}:8]`);
    expect(inOwnLines(error, statement)).toMatchObject({ message: 'Unrecognized name: Modalty at [1:8]' });
  });

  test('two statements, or none, are refused', () => {
    expect(() => withTables(SET, 'SELECT 1; SELECT 2')).toThrow('more than one statement');
    expect(() => withTables(SET, ' -- nothing\n;')).toThrow('there is no statement');
  });
});
