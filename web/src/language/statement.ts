// A script as statements, and what a statement is about, as far as its words tell. The engine is the judge of whether it is one.

import { type Token, nameOf, tokens } from './tokens';

/** What a statement does. */
export type Act = 'select' | 'drift' | 'diff' | 'explain' | 'tables' | 'describe' | 'write' | 'control' | 'upkeep' | 'unknown';

/** A statement of a script. */
export interface Statement {
  /** Where it stands in the script. */
  readonly from: number;
  readonly to: number;
  readonly text: string;
  readonly act: Act;
  /** The table that it is about. */
  readonly table: string | undefined;
  /** Whether it says itself at which moment it reads. */
  readonly fixed: boolean;
  /** Of a SELECT: what its columns are. */
  readonly columns: readonly Column[];
  readonly grouped: boolean;
}

/** A column of a SELECT. */
export interface Column {
  /** As the answer names it. */
  readonly name: string;
  /** The member of the document, if it is just one. */
  readonly path: string | undefined;
  readonly aggregate: boolean;
}

/** Whether a statement only reads. */
export function reads(statement: Statement): boolean {
  return ['select', 'drift', 'diff', 'explain', 'tables', 'describe'].includes(statement.act);
}

/** Whether its answer follows the moment on the slider. */
export function travels(statement: Statement): boolean {
  return (statement.act === 'select' || statement.act === 'drift') && !statement.fixed;
}

/** The statements of a script. */
export function statements(script: string): Statement[] {
  const found: Statement[] = [];
  let part: Token[] = [];
  for (const token of [...tokens(script), undefined]) {
    if (token !== undefined && token.text !== ';') part.push(token);
    else if (part.length > 0) {
      found.push(statement(script, part));
      part = [];
    }
  }
  return found;
}

/** The statement that a place in the script is in, or the one before it. */
export function statementAt(all: readonly Statement[], place: number): Statement | undefined {
  return all.find((one) => place <= one.to) ?? all.at(-1);
}

/** Runs of statements that belong together: a transaction is one. */
export function steps(all: readonly Statement[]): Statement[][] {
  const found: Statement[][] = [];
  let open: Statement[] | undefined;
  for (const one of all) {
    if (open !== undefined) open.push(one);
    else found.push([one]);
    if (/^BEGIN\b/i.test(one.text)) open ??= found.at(-1);
    else if (/^(COMMIT|ROLLBACK)\b/i.test(one.text)) open = undefined;
  }
  return found;
}

function statement(script: string, part: readonly Token[]): Statement {
  const [from, to] = [part[0]!.from, part.at(-1)!.to];
  const act = actOf(part);
  const top = atTop(part);
  return {
    from,
    to,
    text: script.slice(from, to),
    act,
    table: tableOf(part, top, act),
    fixed: top.some((token, at) => is(token, 'AS') && is(top[at + 1], 'OF')),
    columns: act === 'select' ? columnsOf(script, part) : [],
    grouped: top.some((token, at) => is(token, 'GROUP') && is(top[at + 1], 'BY')),
  };
}

function is(token: Token | undefined, word: string): boolean {
  return token?.kind === 'word' && token.text.toUpperCase() === word;
}

const ACTS: Readonly<Record<string, Act>> = {
  SELECT: 'select', DIFF: 'diff', EXPLAIN: 'explain', DESCRIBE: 'describe', SNAPSHOT: 'upkeep', COMPACT: 'upkeep',
  INSERT: 'write', UPSERT: 'write', PATCH: 'write', SOFT: 'write', RESTORE: 'write', CREATE: 'write', BEGIN: 'control', COMMIT: 'control', ROLLBACK: 'control',
};

function actOf(part: readonly Token[]): Act {
  if (is(part[0], 'SHOW')) return is(part[1], 'DRIFT') ? 'drift' : 'tables';
  return ACTS[part[0]!.text.toUpperCase()] ?? 'unknown';
}

/** The tokens outside of all brackets. */
function atTop(part: readonly Token[]): Token[] {
  let depth = 0;
  return part.filter((token) => {
    if (token.kind === 'symbol' && '([{'.includes(token.text)) depth += 1;
    if (token.kind === 'symbol' && ')]}'.includes(token.text)) depth -= 1;
    return depth === 0;
  });
}

function tableOf(part: readonly Token[], top: readonly Token[], act: Act): string | undefined {
  const after = (word: string): Token | undefined => top[top.findIndex((token) => is(token, word)) + 1];
  let token: Token | undefined;
  if (act === 'select' || act === 'explain') token = top.some((one) => is(one, 'FROM')) ? after('FROM') : undefined;
  else if (act === 'drift') token = part[2];
  else if (is(part[1], 'INTO') || is(part[1], 'TABLE')) token = part[2];
  else if (is(part[0], 'SOFT')) token = part[3];
  else token = part[1];
  return token !== undefined && (token.kind === 'word' || token.kind === 'name') ? nameOf(token) : undefined;
}

function columnsOf(script: string, part: readonly Token[]): Column[] {
  const columns: Column[] = [];
  let depth = 0;
  let item: Token[] = [];
  const end = (): void => {
    if (item.length > 0) columns.push(column(script, item));
    item = [];
  };
  for (const token of part.slice(1)) {
    if (depth === 0 && is(token, 'FROM')) break;
    if (token.kind === 'symbol' && '([{'.includes(token.text)) depth += 1;
    if (token.kind === 'symbol' && ')]}'.includes(token.text)) depth -= 1;
    if (depth === 0 && token.text === ',') end();
    else item.push(token);
  }
  end();
  return columns;
}

function column(script: string, item: readonly Token[]): Column {
  const alias = item.length > 2 && is(item.at(-2), 'AS') ? item.at(-1) : undefined;
  const body = alias === undefined ? item : item.slice(0, -2);
  const text = script.slice(body[0]!.from, body.at(-1)!.to);
  const single = body.length === 1 && (body[0]!.kind === 'word' || body[0]!.kind === 'name') ? nameOf(body[0]!) : undefined;
  const aggregate = body.some((token, at) => /^(count|sum|avg|min|max)$/i.test(token.text) && body[at + 1]?.text === '(');
  const isPath = !aggregate && body.every((token) => token.kind === 'word' || token.kind === 'name' || token.kind === 'number' || '.[]'.includes(token.text));
  return { name: alias !== undefined ? nameOf(alias) : (single ?? text), path: single ?? (isPath ? text : undefined), aggregate };
}
