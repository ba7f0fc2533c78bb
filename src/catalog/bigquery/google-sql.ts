/** GoogleSQL as text: literals, names, and the little that must be known of a user's text before it is sent. */
import { CarrelError } from '../../errors.ts';

/** A text as a literal: ASCII only, so that no tool on the way can change it. */
export function literal(text: string): string {
  const inner = text.replaceAll(/[\\'\n\r\t]|[^ -~]/gu, (char) => {
    const code = char.codePointAt(0) ?? 0;
    if (char === '\\' || char === "'") return `\\${char}`;
    if (code >= 0xd800 && code <= 0xdfff) return '\\ufffd';
    return code <= 0xffff
      ? `\\u${code.toString(16).padStart(4, '0')}`
      : `\\U${code.toString(16).padStart(8, '0')}`;
  });
  return `'${inner}'`;
}

/** The condition that a column has one of some values; of none, one that never holds. */
export function isOneOf(column: string, values: readonly string[]): string {
  return values.length === 0 ? 'FALSE' : `${column} IN (${values.map(literal).join(', ')})`;
}

/** A name between backticks. */
export function quoted(name: string): string {
  return `\`${name.replaceAll(/[\\`]/g, '\\$&')}\``;
}

/** A piece of a text in GoogleSQL. Blanks and comments are left out. */
export interface Token {
  kind: 'word' | 'name' | 'text' | 'number' | 'mark';
  /** As written; a name without its backticks. */
  text: string;
  /** Where it begins, in UTF-16 units. */
  at: number;
}

const BLANK = /(?:\s+|--[^\n]*|#[^\n]*|\/\*[\s\S]*?\*\/)/y;
const TEXT =
  /(?:rb|br|r|b)?(?:"""(?:\\[\s\S]|[^\\])*?"""|'''(?:\\[\s\S]|[^\\])*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')/iy;
const NAME = /`(?:\\.|[^`\\\n])+`/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?/iy;

const KINDS = [
  ['text', TEXT],
  ['name', NAME],
  ['word', WORD],
  ['number', NUMBER],
] as const;

/** Takes a text apart. Throws `sql` for a text or comment that does not end. */
export function tokensOf(sql: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(sql)?.[0];
  };
  while (at < sql.length) {
    const blank = match(BLANK);
    if (blank !== undefined) {
      at += blank.length;
      continue;
    }
    const found = KINDS.flatMap(([kind, pattern]) => {
      const text = match(pattern);
      return text === undefined ? [] : [{ kind, text }];
    })[0];
    const { kind, text } = found ?? { kind: 'mark' as const, text: sql[at] ?? '' };
    if (found === undefined && (/['"`]/.test(text) || sql.startsWith('/*', at)))
      throw new CarrelError('sql', `${text === '/' ? 'a comment' : text} is not closed`, {
        item: sql.slice(at, at + 80),
        next: 'texts stand between quotation marks, names of tables between backticks',
      });
    tokens.push({ kind, text: kind === 'name' ? text.slice(1, -1) : text, at });
    at += text.length;
  }
  return tokens;
}

/** Names and words of a text in small letters; of a path in backticks each part. */
export function mentionsOf(tokens: readonly Token[]): Set<string> {
  return new Set(
    tokens.flatMap(({ kind, text }) =>
      kind === 'word' || kind === 'name' ? text.toLowerCase().split('.') : [],
    ),
  );
}

/** True where a text may ask for all columns: it holds a `*` that is not that of `count(*)`. */
export function asksForAll(tokens: readonly Token[]): boolean {
  return tokens.some(
    ({ kind, text }, at) =>
      kind === 'mark' &&
      text === '*' &&
      !(tokens[at - 1]?.text === '(' && tokens[at - 2]?.text.toLowerCase() === 'count'),
  );
}

/**
 * Refuses with `sql` what would not stay inside the parentheses that it is put between (`a) OR (b`), or is more than
 * one thing. Whether it is an expression or a SELECT is the server's to say.
 */
export function checkEnclosed(sql: string, what: 'condition' | 'statement'): Token[] {
  const tokens = tokensOf(sql);
  const next =
    what === 'condition'
      ? 'write one condition in GoogleSQL on the columns of index, such as "Modality = \'CT\' AND instanceCount > 100"'
      : 'write one SELECT in GoogleSQL';
  const refuse = (reason: string) =>
    new CarrelError('sql', `${reason}: ${sql}`, { item: sql.slice(0, 200), next });
  if (tokens.length === 0) throw refuse(`there is no ${what}`);
  const open: string[] = [];
  const closing: Record<string, string> = { '(': ')', '[': ']' };
  for (const { kind, text } of tokens) {
    if (kind !== 'mark') continue;
    if (text in closing) open.push(closing[text] ?? '');
    else if ((text === ')' || text === ']') && open.pop() !== text) throw refuse(`not one ${what}`);
    else if (text === ';' || (what === 'condition' && text === ',' && open.length === 0))
      throw refuse(`not one ${what}`);
    else if (text === '@' || text === '?') throw refuse('parameters (@name, ?) are not filled in here');
  }
  if (open.length > 0) throw refuse(`${open.at(-1)} is missing`);
  return tokens;
}
