// wa-sqlite's synchronous build over AccessHandlePoolVFS, by its own API.

import factory from 'wa-sqlite/dist/wa-sqlite.mjs';
import { AccessHandlePoolVFS } from 'wa-sqlite/src/examples/AccessHandlePoolVFS.js';
import * as SQLite from 'wa-sqlite/src/sqlite-api.js';
import { Events, Versioned, tuning } from './sqlite-schemas.js';

export function make(spec) {
  const connect = () => Connection.open(spec);
  return spec.schema === 'events' ? new Events(connect) : new Versioned(connect);
}

class Connection {
  #module;
  #api;
  #vfs;
  #db;

  static async open({ name, cache }) {
    const self = new Connection();
    self.#module = await factory();
    self.#api = SQLite.Factory(self.#module);
    self.#vfs = new AccessHandlePoolVFS(`/${name}`);
    await self.#vfs.isReady;
    self.#api.vfs_register(self.#vfs, true);
    self.#db = await self.#api.open_v2('bench.sqlite');
    await self.#api.exec(self.#db, tuning(false, cache));
    return self;
  }

  exec(sql) {
    return this.#api.exec(this.#db, sql);
  }

  async prepare(sql) {
    const text = this.#api.str_new(this.#db, sql);
    const { stmt } = await this.#api.prepare_v2(this.#db, this.#api.str_value(text));
    this.#api.str_finish(text);
    return new Statement(this.#api, stmt);
  }

  memory() {
    return this.#module.HEAPU8.buffer.byteLength;
  }

  async close(statements) {
    for (const statement of statements) await statement.finalize();
    await this.#api.close(this.#db);
    await this.#vfs.close();
  }
}

class Statement {
  #api;
  #statement;

  constructor(api, statement) {
    this.#api = api;
    this.#statement = statement;
  }

  async all(...values) {
    const api = this.#api;
    const statement = this.#statement;
    if (values.length > 0) api.bind_collection(statement, values);
    const rows = [];
    while ((await api.step(statement)) === SQLite.SQLITE_ROW) rows.push(api.row(statement));
    await api.reset(statement);
    return rows;
  }

  run(...values) {
    return this.all(...values);
  }

  finalize() {
    return this.#api.finalize(this.#statement);
  }
}
