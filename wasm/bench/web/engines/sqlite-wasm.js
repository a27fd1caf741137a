// @sqlite.org/sqlite-wasm over opfs-sahpool, by its own oo1 API.

import init from '@sqlite.org/sqlite-wasm';
import { Events, Versioned, tuning } from './sqlite-schemas.js';

export function make(spec) {
  const connect = () => Connection.open(spec);
  return spec.schema === 'events' ? new Events(connect) : new Versioned(connect);
}

class Connection {
  #sqlite;
  #pool;
  #db;

  static async open({ name, wal, cache }) {
    const self = new Connection();
    self.#sqlite = await init();
    self.#pool = await self.#sqlite.installOpfsSAHPoolVfs({ name, directory: `/${name}`, initialCapacity: 4 });
    self.#db = new self.#pool.OpfsSAHPoolDb('/bench.sqlite');
    const { capi } = self.#sqlite;
    // Where statistics are compiled in, statements are prepared again at each new parameter without it.
    capi.sqlite3_db_config(self.#db, capi.SQLITE_DBCONFIG_ENABLE_QPSG, 1, 0);
    self.#db.exec(tuning(wal, cache));
    const journal = self.#db.selectValue('PRAGMA journal_mode');
    if (journal !== (wal ? 'wal' : 'persist')) throw new Error(`journal_mode is ${journal}`);
    return self;
  }

  exec(sql) {
    this.#db.exec(sql);
  }

  prepare(sql) {
    return new Statement(this.#db.prepare(sql));
  }

  memory() {
    return this.#sqlite.wasm.memory.buffer.byteLength;
  }

  async close(statements) {
    for (const statement of statements) statement.finalize();
    this.#db.close();
    this.#pool.pauseVfs();
  }
}

class Statement {
  #statement;

  constructor(statement) {
    this.#statement = statement;
  }

  run(...values) {
    const statement = this.#statement;
    if (values.length > 0) statement.bind(values);
    statement.step();
    statement.reset();
  }

  all(...values) {
    const statement = this.#statement;
    if (values.length > 0) statement.bind(values);
    const rows = [];
    while (statement.step()) rows.push(statement.get([]));
    statement.reset();
    return rows;
  }

  finalize() {
    this.#statement.finalize();
  }
}
