// DriftQL text as tokens. What is broken (an open string, an open comment) is a token up to the end: this reads while people type.

/** What kind of token it is. */
export type Kind = 'word' | 'name' | 'string' | 'number' | 'parameter' | 'comment' | 'symbol';

/** A token and where it stands. */
export interface Token {
  readonly kind: Kind;
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

// One pattern a kind, tried in this order where the last token ended.
const PATTERNS: readonly (readonly [Kind, RegExp])[] = [
  ['comment', /--[^\n]*|\/\*[^]*?(?:\*\/|$)/y],
  ['word', /[\p{L}_][\p{L}\p{N}_$]*/uy],
  ['name', /`(?:[^`]|``)*(?:`|$)/y],
  ['string', /"(?:[^"\\]|\\[^])*(?:"|$)|'(?:[^'\\]|\\[^]|'')*(?:'|$)/y],
  ['number', /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y],
  ['parameter', /\?\d*|:[\p{L}_][\p{L}\p{N}_$]*/uy],
  ['symbol', /!=|<>|<=|>=|[^\s]/uy],
];
const BLANK = /\s+/y;

/** The next token at or after a place; undefined at the end. A member's `:` is no parameter, so a `:` counts as one only after something that a value follows. */
export function nextToken(text: string, at: number, before?: Token): Token | undefined {
  BLANK.lastIndex = at;
  const from = at + (BLANK.exec(text)?.[0].length ?? 0);
  if (from >= text.length) return undefined;
  for (const [kind, pattern] of PATTERNS) {
    if (kind === 'parameter' && text[from] === ':' && !startsValue(before)) continue;
    pattern.lastIndex = from;
    const match = pattern.exec(text);
    if (match !== null) return { kind, from, to: from + match[0].length, text: match[0] };
  }
  return { kind: 'symbol', from, to: from + 1, text: text[from]! };
}

function startsValue(before: Token | undefined): boolean {
  return before === undefined || (before.kind === 'symbol' && before.text !== '}' && before.text !== ']') || (before.kind === 'word');
}

/** All tokens but comments. */
export function tokens(text: string): Token[] {
  const all: Token[] = [];
  let at = 0;
  let last: Token | undefined;
  for (;;) {
    const token = nextToken(text, at, last);
    if (token === undefined) return all;
    at = token.to;
    if (token.kind === 'comment') continue;
    all.push(token);
    last = token;
  }
}

/** The name that a word or a token in backticks stands for. */
export function nameOf(token: Token): string {
  return token.kind === 'name' ? token.text.slice(1, -1).replaceAll('``', '`') : token.text;
}
