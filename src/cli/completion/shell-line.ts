/** The word under the cursor taken apart: what is complete already, and what is still to be found. */

/** A part of a word to be completed. */
export interface Piece {
  /** Stands before it and stays. */
  before: string;
  /** What the candidates begin with. */
  typed: string;
}

/** `a,b,c` → the last of them. */
export function lastOfList(word: string): Piece {
  const at = word.lastIndexOf(',') + 1;
  return { before: word.slice(0, at), typed: word.slice(at) };
}

/** The identifier at the end of an SQL text; nothing inside of quotation marks. */
export function lastIdentifier(text: string): Piece | undefined {
  if ((text.match(/'/g)?.length ?? 0) % 2 === 1) return undefined;
  const typed = /[A-Za-z_][\w.]*$/.exec(text)?.[0] ?? '';
  return { before: text.slice(0, text.length - typed.length), typed };
}

/** The value that is being typed after `column = '`, `column IN ('a', '` or `column LIKE '`. */
export function openLiteral(text: string): (Piece & { column: string }) | undefined {
  const found =
    /([A-Za-z_]\w*)\s*(?:=|<>|!=|\bI?LIKE\b|\b(?:NOT\s+)?IN\s*\((?:\s*'[^']*'\s*,)*)\s*'([^']*)$/i.exec(text);
  if (found === null) return undefined;
  const [, column = '', typed = ''] = found;
  return { column, typed, before: text.slice(0, text.length - typed.length) };
}

/** The last `{column` of a layout. */
export function openBrace(text: string): Piece | undefined {
  const typed = /\{(\w*)$/.exec(text)?.[1];
  return typed === undefined ? undefined : { before: text.slice(0, text.length - typed.length), typed };
}
