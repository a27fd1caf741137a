// A table: the everyday without statements.

import type { DiffRow, HistoryRow } from '../api.js';
import { type Document, type Key, type Metadata, type Scope, diffCall, documents, getCall, scopeAt, tableCall } from '../calls.js';
import { type Point, pointText } from '../point.js';
import type { TableCall } from '../protocol.js';
import { type Written, written } from '../wire/answer.js';
import type { Abortable, Link } from './link.js';

/** A table. */
export class Table<Row extends object = Record<string, unknown>> {
  /** Its name. */
  readonly name: string;
  readonly #link: Link;
  readonly #scope: Scope;
  /** Called after each answer. */
  readonly #after: <T>(answer: Promise<T>) => Promise<T>;

  /** @internal */
  constructor(link: Link, scope: Scope, name: string, after: <T>(answer: Promise<T>) => Promise<T>) {
    this.#link = link;
    this.#scope = scope;
    this.name = name;
    this.#after = after;
  }

  /** The row of a key; undefined if there is none. */
  async get(key: Key, options?: { asOf?: Point } & Abortable): Promise<Row | undefined> {
    const scope = options?.asOf === undefined ? this.#scope : { ...this.#scope, ...scopeAt(options.asOf) };
    return this.#after(this.#link.get<Row>(getCall(scope, this.name, key), options?.signal));
  }

  async #write(call: TableCall, options: Abortable | undefined): Promise<Written> {
    if (this.#scope.tx === undefined) this.#link.refuseInside(`table(${JSON.stringify(this.name)}).${call.what}`);
    return written(await this.#after(this.#link.run(call, options?.signal)));
  }

  /** Adds a row or several, as one transaction. */
  async insert(rows: Row | readonly Row[], options?: Metadata & Abortable): Promise<Written> {
    return this.#write(tableCall(this.#scope, 'insert', this.name, documents(rows as Document), options), options);
  }

  /** Adds rows, or replaces those with their keys. */
  async upsert(rows: Row | readonly Row[], options?: Metadata & Abortable): Promise<Written> {
    return this.#write(tableCall(this.#scope, 'upsert', this.name, documents(rows as Document), options), options);
  }

  /** Changes a row by JSON Merge Patch. */
  async patch(key: Key, patch: Document, options?: Metadata & Abortable): Promise<Written> {
    return this.#write(tableCall(this.#scope, 'patch', this.name, [key, patch], options), options);
  }

  /** Deletes a row; its history stays. */
  async delete(key: Key, options?: Metadata & Abortable): Promise<Written> {
    return this.#write(tableCall(this.#scope, 'delete', this.name, [key], options), options);
  }

  /** Makes a row what it was at a point. */
  async restore(key: Key, point: Point, options?: Metadata & Abortable): Promise<Written> {
    return this.#write(tableCall(this.#scope, 'restore', this.name, [key, pointText(point)], options), options);
  }

  /** What happened to a row, the oldest first. */
  async history(key: Key, options?: Abortable): Promise<HistoryRow<Row>[]> {
    const call = tableCall(this.#scope, 'history', this.name, [key]);
    return (await this.#after(this.#link.query<HistoryRow<Row>>(call, options?.signal))).rows;
  }

  /** The rows that differ between two points. */
  async diff(from: Point, to: Point, options?: { key?: Key } & Abortable): Promise<DiffRow[]> {
    const call = diffCall(this.#scope, this.name, from, to, options?.key);
    return (await this.#after(this.#link.query<DiffRow>(call, options?.signal))).rows;
  }

  /** The table at a moment of the past, for reading. */
  asOf(point: Point): Table<Row> {
    return new Table<Row>(this.#link, scopeAt(point), this.name, (answer) => answer);
  }
}
