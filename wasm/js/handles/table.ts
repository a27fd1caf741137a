// A table: the everyday without statements.

import type { DiffRow, HistoryRow } from '../api.js';
import { type Document, type Key, type Metadata, type Scope, diffCall, documents, getCall, scopeAt, tableCall } from '../calls.js';
import { type Point, pointText } from '../point.js';
import type { TableCall } from '../protocol.js';
import { QueryResult, type Written, written } from '../wire/answer.js';
import type { Answer, Caller, Options, Way } from './way.js';

/** A table. */
export class Table<Row extends object = Record<string, unknown>, W extends Way = 'async'> {
  /** Its name. */
  readonly name: string;
  readonly #caller: Caller<W>;
  readonly #scope: Scope;

  /** @internal */
  constructor(caller: Caller<W>, scope: Scope, name: string) {
    this.#caller = caller;
    this.#scope = scope;
    this.name = name;
  }

  /** The row of a key; undefined if there is none. */
  get(key: Key, options?: { asOf?: Point } & Options<W>): Answer<W, Row | undefined> {
    const scope = (): Scope => (options?.asOf === undefined ? this.#scope : { ...this.#scope, ...scopeAt(options.asOf) });
    return this.#caller.get<Row>(() => getCall(scope(), this.name, key), options);
  }

  #write(what: TableCall['what'], values: () => readonly unknown[], options: (Metadata & Options<W>) | undefined): Answer<W, Written> {
    const call = (): TableCall => tableCall(this.#scope, what, this.name, values(), options);
    return this.#caller.run(call, written, options, `table(${JSON.stringify(this.name)}).${what}`);
  }

  /** Adds a row or several, as one transaction. */
  insert(rows: Row | readonly Row[], options?: Metadata & Options<W>): Answer<W, Written> {
    return this.#write('insert', () => documents(rows as Document), options);
  }

  /** Adds rows, or replaces those with their keys. */
  upsert(rows: Row | readonly Row[], options?: Metadata & Options<W>): Answer<W, Written> {
    return this.#write('upsert', () => documents(rows as Document), options);
  }

  /** Changes a row by JSON Merge Patch. */
  patch(key: Key, patch: Document, options?: Metadata & Options<W>): Answer<W, Written> {
    return this.#write('patch', () => [key, patch], options);
  }

  /** Deletes a row; its history stays. */
  delete(key: Key, options?: Metadata & Options<W>): Answer<W, Written> {
    return this.#write('delete', () => [key], options);
  }

  /** Makes a row what it was at a point. */
  restore(key: Key, point: Point, options?: Metadata & Options<W>): Answer<W, Written> {
    return this.#write('restore', () => [key, pointText(point)], options);
  }

  /** What happened to a row, the oldest first. */
  history(key: Key, options?: Options<W>): Answer<W, HistoryRow<Row>[]> {
    const call = (): TableCall => tableCall(this.#scope, 'history', this.name, [key]);
    return this.#caller.run(call, (batches) => new QueryResult<HistoryRow<Row>>(batches).rows, options);
  }

  /** The rows that differ between two points; of one key, if it is given. */
  diff(from: Point, to: Point, options?: { key?: Key } & Options<W>): Answer<W, DiffRow[]> {
    const call = (): TableCall => diffCall(this.#scope, this.name, from, to, options?.key);
    return this.#caller.run(call, (batches) => new QueryResult<DiffRow>(batches).rows, options);
  }

  /** The table at a moment of the past, for reading. */
  asOf(point: Point): Table<Row, W> {
    return new Table<Row, W>(this.#caller, scopeAt(point), this.name);
  }
}
