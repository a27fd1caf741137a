// What reads and writes: a moment of the past, a transaction, and what they have in common with the database.

import { type Metadata, type Scope, scriptCall, templateCall } from '../calls.js';
import { type QueryResult, type Written, written } from '../wire/answer.js';
import type { Params, Value } from '../wire/encode.js';
import type { Abortable, Link } from './link.js';
import { enter } from './scope.js';
import { Table } from './table.js';

/** What reads: the database, a moment of its past, a transaction. */
export class Reader {
  /** @internal */
  protected readonly link: Link;
  /** @internal */
  protected readonly scope: Scope;

  /** @internal */
  constructor(link: Link, scope: Scope) {
    this.link = link;
    this.scope = scope;
  }

  /** Each answer passes through here. */
  protected after<T>(answer: Promise<T>): Promise<T> {
    return answer;
  }

  /** Runs a script; the answer is its last statement's. */
  async query<Row = Record<string, unknown>>(text: string, params?: Params, options?: Abortable): Promise<QueryResult<Row>> {
    return this.after(this.link.query<Row>(scriptCall(this.scope, text, params), options?.signal));
  }

  /** The same from a template, whose values are always bound. With options first, as in `` db.sql({signal})`..` ``, it is made for them. */
  sql<Row = Record<string, unknown>>(parts: TemplateStringsArray, ...values: Value[]): Promise<QueryResult<Row>>;
  sql(options: Abortable): <Row = Record<string, unknown>>(parts: TemplateStringsArray, ...values: Value[]) => Promise<QueryResult<Row>>;
  sql(first: TemplateStringsArray | Abortable, ...values: Value[]): unknown {
    const tag = async (signal: AbortSignal | undefined, parts: TemplateStringsArray, given: Value[]): Promise<QueryResult<unknown>> =>
      this.after(this.link.query(templateCall(this.scope, parts, given), signal));
    if ('raw' in first) return tag(undefined, first, values);
    return (parts: TemplateStringsArray, ...given: Value[]) => tag(first.signal, parts, given);
  }

  /** Rows one after another, in bounded memory. */
  stream<Row = Record<string, unknown>>(text: string, params?: Params, options?: Abortable): AsyncGenerator<Row, void, undefined> {
    return this.link.stream<Row>(scriptCall(this.scope, text, params), options?.signal);
  }

  /** A table's everyday. */
  table<Row extends object = Record<string, unknown>>(name: string): Table<Row> {
    return new Table<Row>(this.link, this.scope, name, (answer) => this.after(answer));
  }
}

/** What writes, too. */
export class Writer extends Reader {
  /** Runs a script; how many events it wrote. */
  async exec(text: string, params?: Params, options?: Metadata & Abortable): Promise<Written> {
    if (this.scope.tx === undefined) this.link.refuseInside('db.exec');
    return written(await this.after(this.link.run(scriptCall(this.scope, text, params, options), options?.signal)));
  }

  /** A script that is run time and again. */
  prepare<Row = Record<string, unknown>>(text: string): Prepared<Row> {
    return new Prepared<Row>(this, text);
  }
}

/** A transaction, inside its callback. */
export class Transaction extends Writer {
  protected override async after<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } finally {
      // What the callback does next, it does inside.
      enter(this);
    }
  }
}

/** A script that is run time and again. */
export class Prepared<Row = Record<string, unknown>> {
  /** Its text. */
  readonly text: string;
  readonly #handle: Writer;

  /** @internal */
  constructor(handle: Writer, text: string) {
    this.#handle = handle;
    this.text = text;
  }

  query(params?: Params, options?: Abortable): Promise<QueryResult<Row>> {
    return this.#handle.query<Row>(this.text, params, options);
  }

  exec(params?: Params, options?: Metadata & Abortable): Promise<Written> {
    return this.#handle.exec(this.text, params, options);
  }

  stream(params?: Params, options?: Abortable): AsyncGenerator<Row, void, undefined> {
    return this.#handle.stream<Row>(this.text, params, options);
  }
}
