// DriftDB through driftdb/sync, with the options it has by default.

import { open } from '../../../dist/sync.js';

const GROUPS = 'SELECT status, COUNT(*) AS n, SUM(amount) AS total FROM orders GROUP BY status';

export const make = (spec) => new Drift(spec);

class Drift {
  #spec;
  #db;
  #orders;

  constructor(spec) {
    this.#spec = spec;
  }

  async open() {
    this.#db = await open({ name: this.#spec.name, storage: 'opfs' });
    this.#orders = this.#db.table('orders');
  }

  async create() {
    this.#db.exec('CREATE TABLE IF NOT EXISTS orders (pk=id, INDEX(customer_id)); CREATE TABLE IF NOT EXISTS mails (pk=id)');
  }

  load(events) {
    this.#db.transaction((tx) => {
      const orders = tx.table('orders');
      for (const { key, row, patch } of events) {
        if (row !== undefined) orders.insert(row);
        else if (patch !== undefined) orders.patch(key, patch);
        else orders.delete(key);
      }
    });
  }

  commit({ key, patch }) {
    this.#orders.patch(key, patch);
  }

  get(key, at) {
    return at === undefined ? this.#orders.get(key) : this.#orders.get(key, { asOf: { seq: at } });
  }

  lookup(customer, at) {
    if (at === undefined) return this.#db.query('SELECT * FROM orders WHERE customer_id = ?', [customer]).rows;
    return this.#db.query('SELECT * FROM orders WHERE customer_id = ? AS OF ?', [customer, `@seq:${at}`]).rows;
  }

  history(key) {
    const versions = [];
    for (const { row } of this.#orders.history(key)) if (row !== null) versions.push(row);
    return versions;
  }

  groups(at) {
    return at === undefined ? this.#db.query(GROUPS).rows : this.#db.query(`${GROUPS} AS OF ?`, [`@seq:${at}`]).rows;
  }

  putMails(rows) {
    this.#db.table('mails').upsert(rows);
  }

  /** What it has left for idle time. */
  async settle() {
    while (this.#db.maintain());
  }

  memory() {
    return this.#db.stats().memoryBytes;
  }

  async close() {
    this.#db.close();
  }
}
