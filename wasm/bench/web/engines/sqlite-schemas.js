// Two system-versioning schemas over any SQLite, as in tests/bench/src/engines: statements are prepared once, answers are made into whole documents.
//
// A connection has `exec(sql)` and `prepare(sql)`, whose statement has `run(...values)` and `all(...values)` -> rows as arrays. Both may return promises.

const VERSIONED = `
CREATE TABLE IF NOT EXISTS orders (
  id TEXT NOT NULL PRIMARY KEY, customer_id TEXT NOT NULL, status TEXT NOT NULL, amount INTEGER NOT NULL,
  rest TEXT NOT NULL, since INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS past (
  id TEXT NOT NULL, customer_id TEXT NOT NULL, status TEXT NOT NULL, amount INTEGER NOT NULL,
  rest TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (id, since)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS clock (seq INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS orders_customer ON orders (customer_id);
CREATE INDEX IF NOT EXISTS past_customer ON past (customer_id, since, until);
CREATE INDEX IF NOT EXISTS orders_groups ON orders (status, amount, since);
CREATE INDEX IF NOT EXISTS past_groups ON past (until, since, status, amount);
CREATE TRIGGER IF NOT EXISTS patched AFTER UPDATE ON orders BEGIN
  INSERT INTO past VALUES (old.id, old.customer_id, old.status, old.amount, old.rest, old.since, new.since); END;
CREATE TRIGGER IF NOT EXISTS deleted AFTER DELETE ON orders BEGIN
  INSERT INTO past VALUES (old.id, old.customer_id, old.status, old.amount, old.rest, old.since, (SELECT seq FROM clock)); END;
INSERT INTO clock SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM clock);`;

// live is 0 for a deletion, whose other members are empty.
const EVENTS = `
CREATE TABLE IF NOT EXISTS events (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL, live INTEGER NOT NULL, customer_id TEXT, status TEXT, amount INTEGER, rest TEXT);
CREATE INDEX IF NOT EXISTS events_id ON events (id, seq, live, status, amount);
CREATE INDEX IF NOT EXISTS events_customer ON events (customer_id, id, seq);`;

const MAILS = 'CREATE TABLE IF NOT EXISTS mails (id INTEGER PRIMARY KEY, email TEXT, status TEXT, amount INTEGER, ts INTEGER, tags TEXT);';
const MAILS_TEXT = `SELECT json_group_array(json_object('id', id, 'email', email, 'status', status, 'amount', amount, 'ts', ts, 'tags', json(tags))) FROM mails`;
const END = Number.MAX_SAFE_INTEGER;

/** A row of (id, customer_id, status, amount, rest) as its document. */
function document([id, customer_id, status, amount, rest]) {
  return { id, customer_id, status, amount, ...JSON.parse(rest) };
}

function rest({ currency, address, tags, note }) {
  return JSON.stringify({ currency, address, tags, note });
}

function groups(rows) {
  return rows.map(([status, n, total]) => ({ status, n, total }));
}

/** What both schemas share. */
class Sqlite {
  #statements = new Map();

  constructor(connect, schema) {
    this.connect = connect;
    this.schema = schema;
  }

  async open() {
    this.db = await this.connect();
  }

  async create() {
    await this.db.exec(this.schema + MAILS);
  }

  /** A statement, prepared at its first use. */
  async sql(text) {
    let statement = this.#statements.get(text);
    if (statement === undefined) {
      statement = await this.db.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }

  async all(text, ...values) {
    return (this.#statements.get(text) ?? (await this.sql(text))).all(...values);
  }

  async run(text, ...values) {
    return (this.#statements.get(text) ?? (await this.sql(text))).run(...values);
  }

  async load(events) {
    await this.run('BEGIN IMMEDIATE');
    for (const event of events) await this.apply(event);
    await this.run('COMMIT');
  }

  async commit(event) {
    await this.apply(event);
  }

  async putMails(rows) {
    await this.run('BEGIN IMMEDIATE');
    for (const { id, email, status, amount, ts, tags } of rows) {
      await this.run('INSERT OR REPLACE INTO mails VALUES (?, ?, ?, ?, ?, ?)', id, email, status, amount, ts, JSON.stringify(tags));
    }
    await this.run('COMMIT');
  }

  async mailsText() {
    return (await this.all(MAILS_TEXT))[0][0];
  }

  async mails() {
    const rows = await this.all('SELECT id, email, status, amount, ts, tags FROM mails');
    return rows.map(([id, email, status, amount, ts, tags]) => ({ id, email, status, amount, ts, tags: JSON.parse(tags) }));
  }

  async settle() {}

  memory() {
    return this.db.memory();
  }

  async close() {
    await this.db.close(this.#statements.values());
    this.#statements.clear();
  }
}

/** The present in one table, the past in another, written by triggers. */
export class Versioned extends Sqlite {
  constructor(connect) {
    super(connect, VERSIONED);
  }

  async apply({ seq, key, row, patch }) {
    if (row !== undefined) return this.run('INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?)', key, row.customer_id, row.status, row.amount, rest(row), seq);
    if (patch?.status !== undefined) return this.run('UPDATE orders SET status = ?, amount = ?, since = ? WHERE id = ?', patch.status, patch.amount, seq, key);
    if (patch !== undefined) return this.run('UPDATE orders SET customer_id = ?, amount = ?, since = ? WHERE id = ?', patch.customer_id, patch.amount, seq, key);
    await this.run('UPDATE clock SET seq = ?', seq);
    return this.run('DELETE FROM orders WHERE id = ?', key);
  }

  // The present row answers for all since it began, else the past does.
  async get(key, at) {
    if (at === undefined) {
      const [row] = await this.all('SELECT id, customer_id, status, amount, rest FROM orders WHERE id = ?', key);
      return row && document(row);
    }
    const [now] = await this.all('SELECT id, customer_id, status, amount, rest FROM orders WHERE id = ?1 AND since <= ?2', key, at);
    if (now !== undefined) return document(now);
    const [then] = await this.all('SELECT id, customer_id, status, amount, rest, until FROM past WHERE id = ?1 AND since <= ?2 ORDER BY since DESC LIMIT 1', key, at);
    return then !== undefined && then[5] > at ? document(then) : undefined;
  }

  async lookup(customer, at) {
    if (at === undefined) return (await this.all('SELECT id, customer_id, status, amount, rest FROM orders WHERE customer_id = ?', customer)).map(document);
    const rows = await this.all(
      `SELECT id, customer_id, status, amount, rest FROM orders WHERE customer_id = ?1 AND since <= ?2
       UNION ALL SELECT id, customer_id, status, amount, rest FROM past WHERE customer_id = ?1 AND since <= ?2 AND until > ?2`,
      customer,
      at,
    );
    return rows.map(document);
  }

  async history(key) {
    const rows = await this.all(
      `SELECT id, customer_id, status, amount, rest FROM past WHERE id = ?1
       UNION ALL SELECT id, customer_id, status, amount, rest FROM orders WHERE id = ?1`,
      key,
    );
    return rows.map(document);
  }

  async groups(at) {
    if (at === undefined) return groups(await this.all('SELECT status, count(*), sum(amount) FROM orders GROUP BY status'));
    const rows = await this.all(
      `SELECT status, count(*), sum(amount) FROM (
         SELECT status, amount FROM orders WHERE since <= ?1
         UNION ALL SELECT status, amount FROM past WHERE until > ?1 AND since <= ?1) GROUP BY status`,
      at,
    );
    return groups(rows);
  }
}

/** One table of events with the row after each: what loads fastest. */
export class Events extends Sqlite {
  constructor(connect) {
    super(connect, EVENTS);
  }

  async apply({ seq, key, row, patch }) {
    if (row !== undefined) return this.run('INSERT INTO events VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6)', seq, key, row.customer_id, row.status, row.amount, rest(row));
    if (patch === undefined) return this.run('INSERT INTO events (seq, id, live) VALUES (?1, ?2, 0)', seq, key);
    const members = patch.status !== undefined ? 'customer_id, ?3' : '?3, status';
    const text = `INSERT INTO events SELECT ?1, id, 1, ${members}, ?4, rest FROM events WHERE id = ?2 ORDER BY seq DESC LIMIT 1`;
    return this.run(text, seq, key, patch.status ?? patch.customer_id, patch.amount);
  }

  async get(key, at = END) {
    const [row] = await this.all('SELECT id, customer_id, status, amount, rest, live FROM events WHERE id = ?1 AND seq <= ?2 ORDER BY seq DESC LIMIT 1', key, at);
    return row !== undefined && row[5] === 1 ? document(row) : undefined;
  }

  // Several events of one row may name the customer: the newest of the row's events decides.
  async lookup(customer, at = END) {
    const rows = await this.all(
      `SELECT id, customer_id, status, amount, rest FROM events AS e WHERE customer_id = ?1 AND seq <= ?2 AND NOT EXISTS (
         SELECT 1 FROM events AS newer WHERE newer.id = e.id AND newer.seq > e.seq AND newer.seq <= ?2)`,
      customer,
      at,
    );
    return rows.map(document);
  }

  async history(key) {
    return (await this.all('SELECT id, customer_id, status, amount, rest FROM events WHERE id = ?1 AND live = 1 ORDER BY seq', key)).map(document);
  }

  // Beside max(), the other members are those of the row that has it.
  async groups(at = END) {
    const rows = await this.all(
      `SELECT status, count(*), sum(amount) FROM (SELECT id, max(seq), live, status, amount FROM events WHERE seq <= ?1 GROUP BY id)
       WHERE live = 1 GROUP BY status`,
      at,
    );
    return groups(rows);
  }
}

/** The statements that tune a connection; `cache` in KiB. */
export function tuning(wal, cache) {
  const journal = wal ? 'PRAGMA journal_mode = wal; PRAGMA wal_autocheckpoint = 4000;' : 'PRAGMA journal_mode = persist;';
  return `PRAGMA locking_mode = exclusive; ${journal} PRAGMA synchronous = full; PRAGMA temp_store = memory; PRAGMA cache_size = -${cache};`;
}
