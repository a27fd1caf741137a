// The workload, the same for every engine: a deterministic stream of events over orders, as in tests/bench/src/workload.rs.
//
// N events over N/10 keys. All keys are inserted first, in random order; then 85% patches of two members (nine of ten: status and amount; one of ten:
// customer_id and amount), 8% deletes and 7% inserts of deleted keys. About ten keys a customer.

export const STATUSES = ['pending', 'paid', 'shipped', 'delivered', 'returned'];
const CITIES = ['Ghent', 'Lyon', 'Porto', 'Bergen', 'Tartu', 'Graz'];
const CURRENCIES = ['EUR', 'USD', 'NOK'];
const TAGS = ['gift', 'express', 'fragile', 'web', 'phone', 'repeat'];
const WORDS = ['leave', 'at', 'the', 'door', 'ring', 'twice', 'call', 'before'];

/** Random numbers from a seed. */
export class Random {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** A whole number below `bound`. */
  below(bound) {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return Math.floor((((z ^ (z >>> 15)) >>> 0) / 2 ** 32) * bound);
  }

  pick(list) {
    return list[this.below(list.length)];
  }
}

export function key(number) {
  return `order-${String(number).padStart(8, '0')}`;
}

export function customer(number) {
  return `cust-${String(number).padStart(7, '0')}`;
}

/** Events of a stream of `events`, asked for in pieces. */
export class Stream {
  #random = new Random(0x0d71f7db);
  #live = [];
  #dead = [];
  #fresh;
  seq = 0;

  constructor(events) {
    this.events = events;
    this.keys = Math.max(1, Math.floor(events / 10));
    this.customers = Math.max(1, Math.floor(this.keys / 10));
    this.#fresh = Array.from({ length: this.keys }, (_, i) => i);
    for (let last = this.keys - 1; last > 0; last--) {
      const other = this.#random.below(last + 1);
      [this.#fresh[last], this.#fresh[other]] = [this.#fresh[other], this.#fresh[last]];
    }
  }

  /** The next events: `{seq, key, row}`, `{seq, key, patch}` or `{seq, key}` for a deletion. */
  take(count) {
    return Array.from({ length: Math.min(count, this.events - this.seq) }, () => this.#next());
  }

  /** A patch of a row that is there; the stream itself does not go on. */
  patch(random, seq) {
    return { seq, key: key(random.pick(this.#live)), patch: this.#change(random) };
  }

  #next() {
    const random = this.#random;
    const seq = ++this.seq;
    const first = this.#fresh.pop();
    if (first !== undefined) return this.#insert(seq, first);
    const dice = random.below(100);
    if ((dice < 7 || this.#live.length === 0) && this.#dead.length > 0) return this.#insert(seq, swapOut(this.#dead, random.below(this.#dead.length)));
    const slot = random.below(this.#live.length);
    if (dice >= 7 && dice < 15 && this.#dead.length < this.keys / 4) {
      const number = swapOut(this.#live, slot);
      this.#dead.push(number);
      return { seq, key: key(number) };
    }
    return { seq, key: key(this.#live[slot]), patch: this.#change(random) };
  }

  #insert(seq, number) {
    this.#live.push(number);
    const random = this.#random;
    const row = {
      id: key(number),
      customer_id: customer(random.below(this.customers)),
      status: random.pick(STATUSES),
      amount: random.below(100_000),
      currency: random.pick(CURRENCIES),
      address: { city: random.pick(CITIES), zip: 1000 + random.below(9000), street: 1 + random.below(200) },
      tags: [random.pick(TAGS), random.pick(TAGS)],
      note: `${Array.from({ length: 4 }, () => random.pick(WORDS)).join(' ')} ${random.below(1 << 24).toString(16).padStart(6, '0')}`,
    };
    return { seq, key: row.id, row };
  }

  #change(random) {
    const amount = random.below(100_000);
    return random.below(10) === 0 ? { customer_id: customer(random.below(this.customers)), amount } : { status: random.pick(STATUSES), amount };
  }
}

function swapOut(list, slot) {
  const taken = list[slot];
  const last = list.pop();
  if (slot < list.length) list[slot] = last;
  return taken;
}

/** The rows that go to the page: `{id, email, status, amount, ts, tags[3]}`. */
export function mails(count) {
  const random = new Random(11);
  return Array.from({ length: count }, (_, id) => ({
    id,
    email: `${random.pick(WORDS)}.${random.pick(CITIES).toLowerCase()}${random.below(100_000)}@example.com`,
    status: random.pick(STATUSES),
    amount: random.below(1_000_000),
    ts: 1_760_000_000_000 + id * 977,
    tags: [random.pick(TAGS), random.pick(TAGS), random.pick(TAGS)],
  }));
}
