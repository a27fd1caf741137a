// DriftQL for CodeMirror: colours, and what is offered while typing.

import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import { HighlightStyle, LanguageSupport, StreamLanguage, syntaxHighlighting } from '@codemirror/language';
import { tags } from '@lezer/highlight';
import type { Catalogue } from '../engine/catalogue';
import { statementAt, statements } from './statement';
import { type Token, nextToken } from './tokens';
import { CLAUSES, FUNCTIONS, KEYWORDS, STATEMENTS, quoteName } from './words';

interface State {
  /** An unclosed comment or string goes on over lines: the character that ends it. */
  open: '*/' | '"' | "'" | undefined;
  last: Token | undefined;
}

function styleOf(token: Token, after: string): string {
  if (token.kind === 'word') {
    const word = token.text.toUpperCase();
    if (['TRUE', 'FALSE', 'NULL'].includes(word)) return 'atom';
    if (word in FUNCTIONS && /^\s*\(/.test(after)) return 'function';
    if (KEYWORDS.has(word) && !/^\s*[:.]/.test(after)) return 'keyword';
    return 'variableName';
  }
  return { name: 'variableName', string: /^\s*:/.test(after) ? 'propertyName' : 'string', number: 'number', parameter: 'labelName', comment: 'comment', symbol: 'operator' }[token.kind];
}

/** Where an unclosed token of a line is closed again. */
function closing(line: string, open: string): number {
  const pattern = open === '*/' ? /\*\//g : open === '"' ? /(?<=(?:^|[^\\])(?:\\\\)*)"/g : /(?<=(?:^|[^\\])(?:\\\\)*)'/g;
  const match = pattern.exec(line);
  return match === null ? -1 : match.index + open.length;
}

const language = StreamLanguage.define<State>({
  name: 'driftql',
  languageData: { commentTokens: { line: '--', block: { open: '/*', close: '*/' } }, closeBrackets: { brackets: ['(', '[', '{', '"', "'", '`'] } },
  startState: () => ({ open: undefined, last: undefined }),
  copyState: (state) => ({ ...state }),
  token(stream, state) {
    const line = stream.string;
    if (state.open !== undefined) {
      const end = closing(line.slice(stream.pos), state.open);
      const style = state.open === '*/' ? 'comment' : 'string';
      if (end < 0) stream.skipToEnd();
      else {
        stream.pos += end;
        state.open = undefined;
      }
      return style;
    }
    if (stream.eatSpace()) return null;
    const token = nextToken(line, stream.pos, state.last);
    if (token === undefined) {
      stream.skipToEnd();
      return null;
    }
    stream.pos = token.to;
    const first = token.text[0]!;
    if (token.kind === 'comment' && token.text.startsWith('/*') && !/[^]\*\/$/.test(token.text.slice(1))) state.open = '*/';
    if (token.kind === 'string' && (token.text.length === 1 || !token.text.endsWith(first))) state.open = first as '"' | "'";
    if (token.kind !== 'comment') state.last = token;
    return styleOf(token, line.slice(token.to));
  },
});

const colours = HighlightStyle.define([
  { tag: tags.keyword, class: 'tok-keyword' },
  { tag: tags.string, class: 'tok-string' },
  { tag: tags.propertyName, class: 'tok-member' },
  { tag: tags.number, class: 'tok-number' },
  { tag: tags.atom, class: 'tok-atom' },
  { tag: tags.comment, class: 'tok-comment' },
  { tag: tags.labelName, class: 'tok-parameter' },
  { tag: tags.function(tags.variableName), class: 'tok-function' },
]);

/** The language for an editor; the catalogue is looked up when something is offered. */
export function driftql(catalogue: () => Catalogue): LanguageSupport {
  return new LanguageSupport(language, [syntaxHighlighting(colours), language.data.of({ autocomplete: (context: CompletionContext) => complete(context, catalogue()) })]);
}

function complete(context: CompletionContext, catalogue: Catalogue): CompletionResult | null {
  const word = context.matchBefore(/[\p{L}\p{N}_$.`]+/u);
  if (word === null && !context.explicit) return null;
  const from = word?.from ?? context.pos;
  const text = context.state.doc.toString();
  const before = text.slice(0, from);
  const inside = nextToOpen(before);
  if (inside) return null;
  const all = statements(text);
  const statement = statementAt(all.filter((one) => one.from <= context.pos), context.pos);
  const atStart = statement === undefined || from <= statement.from || /;\s*$/.test(before);
  return { from, options: atStart ? starts() : within(statement.table, before, catalogue), validFor: /^[\p{L}\p{N}_$.`]*$/u };
}

/** Whether a place is in a string or a comment. */
function nextToOpen(before: string): boolean {
  let at = 0;
  let last: Token | undefined;
  for (let token = nextToken(before, 0); token !== undefined; token = nextToken(before, at, last)) {
    at = token.to;
    const ended = token.text.length > 1 && token.text.endsWith(token.text[0]!);
    if (token.to === before.length && ((token.kind === 'string' && !ended) || (token.kind === 'comment' && !token.text.endsWith('*/')))) return true;
    last = token;
  }
  return false;
}

function starts(): Completion[] {
  return Object.entries(STATEMENTS).map(([label, detail]) => ({ label, detail, type: 'keyword', apply: `${label} ` }));
}

function within(about: string | undefined, before: string, catalogue: Catalogue): Completion[] {
  const tables: Completion[] = catalogue.map((table) => ({ label: quoteName(table.name), detail: `${table.events} events`, type: 'class', boost: 1 }));
  if (/\b(FROM|INTO|DRIFT|DESCRIBE|PATCH|RESTORE|DIFF|SNAPSHOT|COMPACT)\s+$/i.test(before)) return tables;
  const table = catalogue.find((one) => one.name === about);
  const shown = table === undefined ? catalogue : [table];
  const fields: Completion[] = shown.flatMap((one) => one.fields.map((field) => ({ label: field.name, detail: field.type, type: 'property', boost: 2 })));
  const functions: Completion[] = Object.entries(FUNCTIONS).map(([label, detail]) => ({ label, detail, type: 'function', apply: `${label}(` }));
  const clauses: Completion[] = CLAUSES.map((label) => ({ label, type: 'keyword' }));
  return [...fields, ...tables, ...functions, ...clauses];
}
