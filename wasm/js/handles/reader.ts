// What reads and writes: a moment of the past, a transaction, and what they have in common with the database.

import { type Metadata, type Scope, scriptCall, templateCall } from '../calls.js';
import { QueryResult, type Written, written } from '../wire/answer.js';
import type { Batch } from '../wire/decode.js';
import type { Params, Value } from '../wire/encode.js';
import { Table } from './table.js';
import type { Answer, Caller, Options, Series, Way } from './way.js';

/** A tag for templates, whose values are always bound. */
export type Tag<W extends Way> = <Row = Record<string, unknown>>(parts: TemplateStringsArray, ...values: Value[]) => Answer<W, QueryResult<Row>>;

/** What reads: the database, a moment of its past, a transaction. */
export class Reader<W extends Way = 'async'> {
  /** @internal */
  protected readonly caller: Caller<W>;
  /** @internal */
  protected readonly scope: Scope;

  /** @internal */
  constructor(caller: Caller<W>, scope: Scope) {
    this.caller = caller;
    this.scope = scope;
  }

  /** Runs a script; the answer is its last statement's. */
  query<Row = Record<string, unknown>>(text: string, params?: Params, options?: Options<W>): Answer<W, QueryResult<Row>> {
    return this.caller.run(() => scriptCall(this.scope, text, params), (batches) => new QueryResult<Row>(batches), options);
  }

  /** The same from a template, whose values are always bound. With options first, as in `` db.sql({signal})`..` ``, it is made for them. */
  sql<Row = Record<string, unknown>>(parts: TemplateStringsArray, ...values: Value[]): Answer<W, QueryResult<Row>>;
  sql(options: Options<W>): Tag<W>;
  sql(first: TemplateStringsArray | Options<W>, ...values: Value[]): unknown {
    const read = (batches: Batch[]): QueryResult<unknown> => new QueryResult(batches);
    const tag = (options: Options<W> | undefined, parts: TemplateStringsArray, given: Value[]): unknown =>
      this.caller.run(() => templateCall(this.scope, parts, given), read, options);
    if ('raw' in first) return tag(undefined, first, values);
    return (parts: TemplateStringsArray, ...given: Value[]) => tag(first, parts, given);
  }

  /** Rows one after another, in bounded memory. */
  stream<Row = Record<string, unknown>>(text: string, params?: Params, options?: Options<W>): Series<W, Row> {
    return this.caller.stream<Row>(scriptCall(this.scope, text, params), options);
  }

  /** A table's everyday. */
  table<Row extends object = Record<string, unknown>>(name: string): Table<Row, W> {
    return new Table<Row, W>(this.caller, this.scope, name);
  }
}

/** What writes, too. */
export class Writer<W extends Way = 'async'> extends Reader<W> {
  /** Runs a script; how many events it wrote. */
  exec(text: string, params?: Params, options?: Metadata & Options<W>): Answer<W, Written> {
    return this.caller.run(() => scriptCall(this.scope, text, params, options), written, options, 'db.exec');
  }

  /** A script that is run time and again. */
  prepare<Row = Record<string, unknown>>(text: string): Prepared<Row, W> {
    return new Prepared<Row, W>(this, text);
  }
}

/** A transaction, inside its callback. */
export class Transaction<W extends Way = 'async'> extends Writer<W> {}

/** A script that is run time and again. */
export class Prepared<Row = Record<string, unknown>, W extends Way = 'async'> {
  /** Its text. */
  readonly text: string;
  readonly #handle: Writer<W>;

  /** @internal */
  constructor(handle: Writer<W>, text: string) {
    this.#handle = handle;
    this.text = text;
  }

  query(params?: Params, options?: Options<W>): Answer<W, QueryResult<Row>> {
    return this.#handle.query<Row>(this.text, params, options);
  }

  exec(params?: Params, options?: Metadata & Options<W>): Answer<W, Written> {
    return this.#handle.exec(this.text, params, options);
  }

  stream(params?: Params, options?: Options<W>): Series<W, Row> {
    return this.#handle.stream<Row>(this.text, params, options);
  }
}
