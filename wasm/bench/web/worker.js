// An engine in a dedicated worker: what is measured is measured here, around the engine's calls and nothing else.

import { make } from 'engine';
import { Random, Stream, customer, key, mails } from './workload.js';

const BATCH = 1_000;
let engine;
let stream;

/** The stream, made up to its end if another worker has loaded it. */
function whole(events) {
  stream ??= new Stream(events);
  stream.take(Infinity);
  return stream;
}

/** Calls `ask` for `budget` milliseconds; how often a second. */
async function rate(budget, ask) {
  const begin = performance.now();
  let end;
  let count = 0;
  do {
    await ask();
    count++;
    end = performance.now();
  } while (end - begin < budget);
  return (count / (end - begin)) * 1e3;
}

const READS = {
  get: ({ keys }, random) => engine.get(key(random.below(keys))),
  getAt: ({ keys, events }, random) => engine.get(key(random.below(keys)), 1 + random.below(events)),
  lookup: ({ customers }, random) => engine.lookup(customer(random.below(customers))),
  lookupAt: ({ customers, events }, random) => engine.lookup(customer(random.below(customers)), 1 + random.below(events)),
  history: ({ keys }, random) => engine.history(key(random.below(keys))),
};

/** A value as text in which neither the order of members nor that of rows counts. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined';
  return `{${Object.keys(value).sort().map((name) => `${name}:${canonical(value[name])}`).join()}}`;
}

const unordered = (rows) => rows.map(canonical).sort().join('\n');

const ops = {
  async open({ spec, create }) {
    engine = make(spec);
    await engine.open();
    if (create) await engine.create();
  },

  /** Opens what is stored, and reads a row. */
  async first({ spec, key }) {
    engine = make(spec);
    await engine.open();
    return engine.get(key);
  },

  /** Loads so many events of the stream, durable every thousand; how long that took. */
  async load({ events, count }) {
    stream ??= new Stream(events);
    let took = 0;
    for (let left = count; left > 0; left -= BATCH) {
      const batch = stream.take(Math.min(BATCH, left));
      if (batch.length === 0) break;
      const begin = performance.now();
      await engine.load(batch);
      took += performance.now() - begin;
    }
    return took;
  },

  async settle() {
    const begin = performance.now();
    await engine.settle?.();
    return performance.now() - begin;
  },

  memory: () => engine.memory(),

  /** Answers to a sample of everything, for comparing. */
  async answers({ events, seed }) {
    const { keys, customers } = new Stream(events);
    const random = new Random(seed);
    const answers = [];
    for (let i = 0; i < 150; i++) {
      const at = i % 3 > 0 ? 1 + random.below(events) : undefined;
      const [k, c, h] = [key(random.below(keys + 2)), customer(random.below(customers)), key(random.below(keys))];
      answers.push([`get ${k} as of ${at}`, canonical(await engine.get(k, at))]);
      answers.push([`lookup ${c} as of ${at}`, unordered(await engine.lookup(c, at))]);
      answers.push([`history ${h}`, canonical(await engine.history(h))]);
    }
    for (const at of [undefined, 1, Math.floor(events / 3), Math.floor(events / 2)]) answers.push([`groups as of ${at}`, unordered(await engine.groups(at))]);
    return answers;
  },

  rate({ what, events, seed, budget }) {
    const sizes = stream ?? new Stream(events);
    const random = new Random(seed);
    return rate(budget, () => READS[what](sizes, random));
  },

  async groups({ at }) {
    const begin = performance.now();
    await engine.groups(at);
    return performance.now() - begin;
  },

  /** Single patches, each durable. */
  commits({ events, from, budget }) {
    const all = whole(events);
    const random = new Random(from);
    let seq = from;
    return rate(budget, () => engine.commit(all.patch(random, ++seq)));
  },

  async commit({ events, seq }) {
    await engine.commit(whole(events).patch(new Random(seq), seq));
  },

  putMails: ({ count }) => engine.putMails(mails(count)),
  mails: () => engine.mails(),
  mailsText: () => engine.mailsText(),
  get: ({ key, at }) => engine.get(key, at),
  lookup: ({ customer, at }) => engine.lookup(customer, at),
  history: ({ key }) => engine.history(key),
  scan: ({ at }) => engine.groups(at),

  /** Three transactions of a thousand, then single ones until the worker is gone: every engine is killed with the same behind it. */
  async loadOn({ events, from }) {
    const all = whole(events);
    const random = new Random(from);
    let seq = from;
    for (let i = 0; i < 3; i++) await engine.load(Array.from({ length: BATCH }, () => all.patch(random, ++seq)));
    postMessage({ loaded: seq });
    for (;;) {
      await engine.commit(all.patch(random, ++seq));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  },

  async close() {
    await engine.close?.();
  },
};

onmessage = async ({ data: { id, op, args } }) => {
  try {
    postMessage({ id, answer: await ops[op](args ?? {}) });
  } catch (error) {
    postMessage({ id, error: `${op}: ${error?.stack ?? error}` });
  }
};
