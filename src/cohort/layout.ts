/**
 * Layout templates: from a row of the catalogue and an object's key to a path below the destination.
 */
import { CarrelError } from '../errors.ts';
import { safeSegment } from '../transfer/index.ts';

/** Layout of idc-index, with our file name at the end. */
export const DEFAULT_LAYOUT =
  '{collection_id}/{PatientID}/{StudyInstanceUID}/{Modality}_{SeriesInstanceUID}/{file}';

/**
 * Layouts that go by a name. `classic` and `descriptive` are those of TCIA's Data Retriever, with `collection_id` for its
 * collection name and `-` between the parts of a name, which that tool puts together without anything between them.
 */
export const NAMED_LAYOUTS: Readonly<Record<string, string>> = {
  idc: DEFAULT_LAYOUT,
  classic: '{collection_id}/{PatientID}/{StudyInstanceUID}/{SeriesInstanceUID}/{file}',
  descriptive:
    '{collection_id}/{PatientID}/{StudyDate}-{StudyDescription:54}-{StudyInstanceUID:-5}/{SeriesNumber}-{SeriesDescription:54}-{SeriesInstanceUID:-5}/{file}',
};

type Part =
  | { kind: 'text'; text: string }
  /** `keep`: so many code points, from the end where negative. */
  | { kind: 'column'; column: string; keep?: number | undefined };

/** A parsed template: segments between slashes, each a row of parts. */
export interface Layout {
  /** As the lock file records it, in our own notation. */
  text: string;
  /** Columns that it names, without `file`. */
  columns: string[];
  segments: Part[][];
}

/**
 * Parses a template: `{column}` for any catalogue column, `{column:54}` for its first 54 characters, `{column:-5}` for its
 * last 5, `{file}` for the object's name, `{{` and `}}` for braces; or takes a layout by its name (`NAMED_LAYOUTS`).
 * The templates of idc-index (`%collection_id/%PatientID`) are read too; a template without `{file}` gets it at its end.
 *
 * @throws `usage` naming the place, for unbalanced braces, empty segments and absolute or climbing paths
 */
export function parseLayout(template: string): Layout {
  const named = Object.hasOwn(NAMED_LAYOUTS, template) ? NAMED_LAYOUTS[template] : undefined;
  const source =
    named ?? (/%[A-Za-z]/.test(template) && !template.includes('{') ? fromPercent(template) : template);
  const segments: Part[][] = [[]];
  let text = '';
  const last = () => segments[segments.length - 1] as Part[];
  const flush = () => {
    if (text !== '') last().push({ kind: 'text', text });
    text = '';
  };
  for (let index = 0; index < source.length; index += 1) {
    const character = source[index] as string;
    const next = source[index + 1];
    if ((character === '{' || character === '}') && next === character) {
      text += character;
      index += 1;
    } else if (character === '{') {
      const end = source.indexOf('}', index);
      const inside = end < 0 ? '' : source.slice(index + 1, end);
      const [, column, length] = /^([A-Za-z_][A-Za-z0-9_]*)(?::(-?[1-9]\d{0,2}))?$/.exec(inside) ?? [];
      if (column === undefined) throw wrong(template, `"{" at ${index + 1} does not start a column name`);
      if (column === 'file' && length !== undefined)
        throw wrong(template, 'the name of a file cannot be cut: two files would get one name');
      flush();
      last().push({ kind: 'column', column, keep: length === undefined ? undefined : Number(length) });
      index = end;
    } else if (character === '}') throw wrong(template, `"}" at ${index + 1} stands alone`);
    else if (character === '/') {
      flush();
      segments.push([]);
    } else text += character;
  }
  flush();
  if (!segments.some((parts) => parts.some((part) => part.kind === 'column' && part.column === 'file'))) {
    if (last().length === 0) segments.pop();
    segments.push([{ kind: 'column', column: 'file' }]);
  }
  if (segments.some((parts) => parts.length === 0)) throw wrong(template, 'it has an empty segment');
  for (const parts of segments) {
    const only = parts.length === 1 ? parts[0] : undefined;
    if (only?.kind === 'text' && /^\.{1,2}$/.test(only.text))
      throw wrong(template, `"${only.text}" is not a folder name`);
  }
  const columns = new Set<string>();
  for (const parts of segments)
    for (const part of parts) if (part.kind === 'column' && part.column !== 'file') columns.add(part.column);
  return { text: segments.map(print).join('/'), columns: [...columns], segments };
}

/**
 * Paths for the objects of one row; what does not depend on the object is put together once. Values are made safe one
 * by one, so a slash in a PatientID never makes a folder; a value that is missing (NULL) is written `_`.
 *
 * @returns a function from the name of an object, the last part of its key, to its path
 */
export function pathsFor(layout: Layout, row: Record<string, unknown>): (file: string) => string {
  const textOf = (part: Part, file: string): string => {
    if (part.kind === 'text') return part.text;
    const value = part.column === 'file' ? file : row[part.column];
    if (value === null || value === undefined || value === '') return '_';
    return cut(String(value), part.keep).replaceAll('/', '_');
  };
  const named = (parts: Part[], file: string): string =>
    safeSegment(parts.map((part) => textOf(part, file)).join(''));
  const segments = layout.segments.map((parts) =>
    parts.some((part) => part.kind === 'column' && part.column === 'file') ? parts : named(parts, ''),
  );
  return (file) =>
    segments.map((parts) => (typeof parts === 'string' ? parts : named(parts, file))).join('/');
}

/** Counted by code points: a cut in the middle of one would leave a name that no disk takes. */
function cut(text: string, keep: number | undefined): string {
  if (keep === undefined) return text;
  const points = Array.from(text);
  return (keep < 0 ? points.slice(keep) : points.slice(0, keep)).join('').trim();
}

/** The path of one object. */
export function pathFor(layout: Layout, row: Record<string, unknown>, file: string): string {
  return pathsFor(layout, row)(file);
}

function fromPercent(template: string): string {
  return template.replaceAll(/%([A-Za-z]+(?:_[A-Za-z]+)*)/g, (_, run: string) => {
    // Keys may abut and be joined by `_` or `-`: take the longest known key first.
    const known = ['collection_id', 'PatientID', 'StudyInstanceUID', 'SeriesInstanceUID', 'Modality'];
    const key = known.find((name) => run === name || run.startsWith(name));
    if (key === undefined)
      throw wrong(template, `%${run} is not one of ${known.map((name) => `%${name}`).join(' ')}`);
    return `{${key}}${run.slice(key.length)}`;
  });
}

function print(parts: readonly Part[]): string {
  return parts
    .map((part) =>
      part.kind === 'column'
        ? `{${part.column}${part.keep === undefined ? '' : `:${part.keep}`}}`
        : part.text.replaceAll('{', '{{').replaceAll('}', '}}'),
    )
    .join('');
}

function wrong(template: string, why: string): CarrelError {
  return new CarrelError('usage', `the layout ${JSON.stringify(template)} cannot be used: ${why}`, {
    item: template,
    next: `a layout looks like ${DEFAULT_LAYOUT}, or is one of ${Object.keys(NAMED_LAYOUTS).join(', ')}`,
  });
}
