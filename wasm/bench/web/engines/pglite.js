// PGlite over opfs-ahp: history by triggers, events sent as one script of prepared statements a transaction.

import { PGlite } from '@electric-sql/pglite';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS orders (id text PRIMARY KEY, customer_id text NOT NULL, status text NOT NULL, amount int NOT NULL, rest text NOT NULL, since int NOT NULL);
CREATE TABLE IF NOT EXISTS past (id text NOT NULL, customer_id text NOT NULL, status text NOT NULL, amount int NOT NULL, rest text NOT NULL,
  since int NOT NULL, until int NOT NULL, PRIMARY KEY (id, since));
CREATE TABLE IF NOT EXISTS mails (id int PRIMARY KEY, email text, status text, amount int, ts bigint, tags jsonb);
CREATE INDEX IF NOT EXISTS orders_customer ON orders (customer_id);
CREATE INDEX IF NOT EXISTS past_customer ON past (customer_id, since, until);
CREATE INDEX IF NOT EXISTS past_groups ON past (until, since) INCLUDE (status, amount);
CREATE OR REPLACE FUNCTION patched() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO past VALUES (OLD.*, NEW.since); RETURN NULL; END $$;
CREATE OR REPLACE FUNCTION deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO past VALUES (OLD.*, current_setting('bench.seq')::int); RETURN NULL; END $$;
CREATE OR REPLACE TRIGGER patched AFTER UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION patched();
CREATE OR REPLACE TRIGGER deleted AFTER DELETE ON orders FOR EACH ROW EXECUTE FUNCTION deleted();`;
const PREPARED = `
PREPARE ins (text, text, text, int, text, int) AS INSERT INTO orders VALUES ($1, $2, $3, $4, $5, $6);
PREPARE set_status (text, text, int, int) AS UPDATE orders SET status = $2, amount = $3, since = $4 WHERE id = $1;
PREPARE set_customer (text, text, int, int) AS UPDATE orders SET customer_id = $2, amount = $3, since = $4 WHERE id = $1;
PREPARE del (text) AS DELETE FROM orders WHERE id = $1;
PREPARE row_now (text) AS SELECT id, customer_id, status, amount, rest FROM orders WHERE id = $1;
PREPARE row_then (text, int) AS SELECT id, customer_id, status, amount, rest FROM orders WHERE id = $1 AND since <= $2
  UNION ALL (SELECT id, customer_id, status, amount, rest FROM past WHERE id = $1 AND since <= $2 AND until > $2 ORDER BY since DESC LIMIT 1);
PREPARE of_customer (text) AS SELECT id, customer_id, status, amount, rest FROM orders WHERE customer_id = $1;
PREPARE of_customer_then (text, int) AS SELECT id, customer_id, status, amount, rest FROM orders WHERE customer_id = $1 AND since <= $2
  UNION ALL SELECT id, customer_id, status, amount, rest FROM past WHERE customer_id = $1 AND since <= $2 AND until > $2;
PREPARE versions (text) AS SELECT id, customer_id, status, amount, rest FROM (
  SELECT * FROM past WHERE id = $1 UNION ALL SELECT *, 2147483647 FROM orders WHERE id = $1) AS v ORDER BY since;
PREPARE groups AS SELECT status, count(*)::int AS n, sum(amount)::int AS total FROM orders GROUP BY status;
PREPARE groups_then (int) AS SELECT status, count(*)::int AS n, sum(amount)::int AS total FROM (
  SELECT status, amount FROM orders WHERE since <= $1 UNION ALL SELECT status, amount FROM past WHERE until > $1 AND since <= $1) AS v GROUP BY status;`;

export const make = (spec) => new Postgres(spec);

function text(value) {
  return `'${value.replaceAll("'", "''")}'`;
}

function documents(rows) {
  return rows.map(({ rest, ...row }) => ({ ...row, ...JSON.parse(rest) }));
}

class Postgres {
  #spec;
  #db;

  constructor(spec) {
    this.#spec = spec;
  }

  async open() {
    this.#db = await PGlite.create({ dataDir: `opfs-ahp://${this.#spec.name}`, relaxedDurability: false });
    // Statements can be prepared only when there are tables.
    const { rows } = await this.#db.query("SELECT 1 FROM pg_tables WHERE tablename = 'past'");
    if (rows.length > 0) await this.#db.exec(PREPARED);
  }

  async create() {
    await this.#db.exec(SCHEMA);
    await this.#db.exec(`DEALLOCATE ALL; ${PREPARED}`);
  }

  #apply({ seq, key, row, patch }) {
    if (row !== undefined) {
      const { customer_id, status, amount, currency, address, tags, note } = row;
      const rest = JSON.stringify({ currency, address, tags, note });
      return `EXECUTE ins(${text(key)}, ${text(customer_id)}, ${text(status)}, ${amount}, ${text(rest)}, ${seq});`;
    }
    if (patch?.status !== undefined) return `EXECUTE set_status(${text(key)}, ${text(patch.status)}, ${patch.amount}, ${seq});`;
    if (patch !== undefined) return `EXECUTE set_customer(${text(key)}, ${text(patch.customer_id)}, ${patch.amount}, ${seq});`;
    return `SET bench.seq = ${seq}; EXECUTE del(${text(key)});`;
  }

  async load(events) {
    await this.#db.exec(`BEGIN; ${events.map((event) => this.#apply(event)).join('')} COMMIT;`);
  }

  async commit(event) {
    await this.#db.exec(this.#apply(event));
  }

  async #rows(script) {
    return (await this.#db.exec(script))[0].rows;
  }

  async get(key, at) {
    return documents(await this.#rows(at === undefined ? `EXECUTE row_now(${text(key)})` : `EXECUTE row_then(${text(key)}, ${at})`))[0];
  }

  async lookup(customer, at) {
    return documents(await this.#rows(at === undefined ? `EXECUTE of_customer(${text(customer)})` : `EXECUTE of_customer_then(${text(customer)}, ${at})`));
  }

  async history(key) {
    return documents(await this.#rows(`EXECUTE versions(${text(key)})`));
  }

  groups(at) {
    return this.#rows(at === undefined ? 'EXECUTE groups' : `EXECUTE groups_then(${at})`);
  }

  async putMails(rows) {
    await this.#db.query(
      `INSERT INTO mails SELECT * FROM jsonb_to_recordset($1::jsonb) AS m(id int, email text, status text, amount int, ts bigint, tags jsonb) ON CONFLICT DO NOTHING`,
      [JSON.stringify(rows)],
    );
  }

  async mails() {
    return (await this.#db.query('SELECT * FROM mails ORDER BY id')).rows;
  }

  async mailsText() {
    return (await this.#rows("SELECT json_agg(json_build_object('id', id, 'email', email, 'status', status, 'amount', amount, 'ts', ts, 'tags', tags))::text AS all FROM mails"))[0].all;
  }

  /** Nothing here vacuums by itself. */
  async settle() {
    await this.#db.exec('VACUUM ANALYZE');
  }

  memory() {
    return this.#db.Module.HEAPU8.buffer.byteLength;
  }

  async close() {
    await this.#db.close();
  }
}
