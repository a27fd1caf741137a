// What a page sees: the asynchronous API of DriftDB, and rivals in workers that answer by postMessage. Time is taken in the page.

import { Random, Stream, customer, key } from './workload.js';

let arrived = 0;
const Plain = globalThis.Worker;
/** A worker whose answers are seen to arrive before anybody else looks at them. */
globalThis.Worker = class extends Plain {
  constructor(...args) {
    super(...args);
    this.addEventListener('message', () => (arrived = performance.now()));
  }
};

let db;
const DRIFT_GROUPS = 'SELECT status, COUNT(*) AS n, SUM(amount) AS total FROM orders GROUP BY status';

/** The database as the page has it. */
const drift = {
  get: (key, at) => db.table('orders').get(key, at === undefined ? undefined : { asOf: { seq: at } }),
  lookup: async (customer, at) => (await (at === undefined ? db : db.asOf({ seq: at })).query('SELECT * FROM orders WHERE customer_id = ?', [customer])).rows,
  history: (key) => db.table('orders').history(key),
  scan: async (at) => (await (at === undefined ? db : db.asOf({ seq: at })).query(DRIFT_GROUPS)).rows,
  commit: ({ key, patch }) => db.table('orders').patch(key, patch),
};

function rival(name) {
  const call = (op, args) => bench.call(name, op, args);
  return {
    get: (key, at) => call('get', { key, at }),
    lookup: (customer, at) => call('lookup', { customer, at }),
    history: (key) => call('history', { key }),
    scan: (at) => call('scan', { at }),
  };
}

const READS = {
  get: (engine, { keys }, random) => engine.get(key(random.below(keys))),
  getAt: (engine, { keys, events }, random) => engine.get(key(random.below(keys)), 1 + random.below(events)),
  lookup: (engine, { customers }, random) => engine.lookup(customer(random.below(customers))),
  lookupAt: (engine, { customers, events }, random) => engine.lookup(customer(random.below(customers)), 1 + random.below(events)),
  history: (engine, { keys }, random) => engine.history(key(random.below(keys))),
};

/** Looks at every member of every row. */
function readAll(rows) {
  let sum = 0;
  for (const { id, email, status, amount, ts, tags } of rows) sum += id + email.length + status.length + amount + ts + tags[0].length + tags[1].length + tags[2].length;
  return sum;
}

async function rate(budget, ask) {
  const begin = performance.now();
  let count = 0;
  let end;
  do {
    await ask();
    count++;
    end = performance.now();
  } while (end - begin < budget);
  return (count / (end - begin)) * 1e3;
}

globalThis.seen = {
  async open(name) {
    const { open } = await import('/dist/index.js');
    db = await open({ name, storage: 'opfs' });
  },
  close: () => db.close(),

  /** From the beginning of the page's load to the first answer through `open`. */
  async first(name, key) {
    await seen.open(name);
    const row = await db.table('orders').get(key);
    const took = performance.now();
    if (row?.id !== key) throw new Error(`the first answer is ${JSON.stringify(row)}`);
    await db.close();
    return { took, memory: 0 };
  },

  rate(name, { what, events, seed, budget }) {
    const engine = name === 'driftdb' ? drift : rival(name);
    const sizes = new Stream(events);
    const random = new Random(seed);
    return rate(budget, () => READS[what](engine, sizes, random));
  },

  async scan(name, at) {
    const engine = name === 'driftdb' ? drift : rival(name);
    const begin = performance.now();
    await engine.scan(at);
    return performance.now() - begin;
  },

  commits(name, { events, from, budget }) {
    const stream = new Stream(events);
    stream.take(Infinity);
    const random = new Random(from);
    let seq = from;
    return rate(budget, () => (name === 'driftdb' ? drift.commit(stream.patch(random, ++seq)) : bench.call(name, 'commit', { events, seq: ++seq })));
  },

  /**
   * 10,000 rows: from the asking to the last member, from the answer's arrival to its first row and to the last member. `way`: DriftDB's own; rivals' rows as
   * objects that postMessage copies, or as one JSON text.
   */
  async rows(name, way) {
    const begin = performance.now();
    let first;
    let rows;
    if (way === 'driftdb') {
      const result = await db.query('SELECT * FROM mails');
      if (result.at(0) === undefined) throw new Error('there are no rows');
      first = performance.now();
      rows = result;
    } else {
      const answer = await bench.call(name, way === 'text' ? 'mailsText' : 'mails');
      rows = typeof answer === 'string' ? JSON.parse(answer) : answer;
      if (rows[0] === undefined) throw new Error('there are no rows');
      first = performance.now();
    }
    const sum = readAll(rows);
    const end = performance.now();
    return { total: end - begin, first: first - arrived, members: end - arrived, sum };
  },
};
