// A small shop in the spring of 2026, and what a nightly job did to some of its orders.

import { History, insert, patch, remove } from './lines';
import { Chance } from './random';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.parse('2026-03-02T08:00:00Z');
const ORDERS = 140;

const PEOPLE = ['Ada Brandt', 'Noor Haddad', 'Ben Okafor', 'Ines Duarte', 'Emil Sørensen', 'Mei Tanaka', 'Luca Ferri', 'Zoe Martin', 'Jonas Weber', 'Priya Nair', 'Tom Byrne', 'Vera Kovač'];
const CITIES = ['Vienna', 'Lisbon', 'Copenhagen', 'Milan', 'Dublin', 'Lyon', 'Zagreb', 'Berlin'];
const GOODS: readonly (readonly [string, string, number])[] = [
  ['lamp', 'Desk lamp', 64.9], ['chair', 'Oak chair', 189], ['kettle', 'Kettle', 39.5], ['shelf', 'Wall shelf', 84], ['rug', 'Wool rug', 129.9],
  ['mug', 'Stoneware mug', 14.5], ['clock', 'Wall clock', 49.9], ['vase', 'Glass vase', 32], ['stool', 'Step stool', 58], ['throw', 'Linen throw', 74.9],
];
const CLERKS = ['maria', 'jon', 'sofia'];

const cents = (amount: number): number => Math.round(amount * 100) / 100;

/** The orders whose total the job read with its decimal point in the wrong place. */
const HIT = [3, 7, 12, 19, 24, 31, 33];
const MISTAKE = Date.parse('2026-04-14T02:59:00Z');

/** The shop's history as event lines. */
export function orders(): string {
  const chance = new Chance(7);
  const history = new History();
  history.table('customers', 'id');
  history.table('orders', 'id', ['status', 'customer']);
  history.table('products', 'sku');
  PEOPLE.forEach((name, at) => history.commit(START - 6 * DAY + at * HOUR, { by: 'maria', why: 'moved from the old shop' }, insert('customers', `c${at + 1}`, { id: `c${at + 1}`, name, city: CITIES[at % CITIES.length], tier: 'basic' })));
  const stock = GOODS.map(([sku, name, price], at) => {
    const count = chance.whole(30, 60);
    history.commit(START - 2 * DAY + at * 600_000, { by: 'sofia', why: 'first stock' }, insert('products', sku, { sku, name, price, stock: count }));
    return { sku, price, count };
  });
  const totals = new Map<number, number>();
  for (let id = 1; id <= ORDERS; id++) {
    const placed = START + (id / ORDERS) * 62 * DAY + chance.next() * 9 * HOUR;
    totals.set(id, order(history, chance, stock, id, placed));
  }
  mistake(history, totals);
  for (let at = 0; at < 5; at++) history.commit(START + (12 + at * 9) * DAY, { by: 'jon', why: 'ten orders' }, patch('customers', `c${chance.whole(1, PEOPLE.length)}`, { tier: 'gold' }));
  return history.toString();
}

function order(history: History, chance: Chance, stock: { sku: string; price: number; count: number }[], id: number, placed: number): number {
  const customer = chance.whole(0, PEOPLE.length - 1);
  const item = chance.pick(stock);
  const quantity = id === 7 ? 2 : chance.whole(1, 3);
  const total = id === 7 ? 249.8 : cents(item.price * quantity + 4.9);
  item.count -= quantity;
  const doc = { id, customer: PEOPLE[customer], status: 'pending', total, item: item.sku, quantity, ship: { city: CITIES[customer % CITIES.length], carrier: null }, placed: new Date(placed).toISOString().slice(0, 10) };
  history.commit(placed, { by: 'shop', why: 'checkout' }, insert('orders', id, doc), patch('products', item.sku, { stock: item.count }));
  if (item.count < 12) {
    item.count += 40;
    history.commit(placed + 20 * HOUR, { by: 'sofia', why: 'restocked' }, patch('products', item.sku, { stock: item.count }));
  }
  const clerk = chance.pick(CLERKS);
  const paid = placed + chance.whole(1, 20) * HOUR;
  if (id !== 7 && chance.next() < 0.07) {
    history.commit(paid, { by: clerk, why: 'the customer changed their mind' }, patch('orders', id, { status: 'cancelled' }));
    return total;
  }
  history.commit(paid, { by: 'payments', why: 'card' }, patch('orders', id, { status: 'paid' }));
  const packed = paid + chance.whole(4, 30) * HOUR;
  history.commit(packed, { by: clerk, why: 'packed' }, patch('orders', id, { status: 'packed' }));
  const shipped = packed + chance.whole(2, 28) * HOUR;
  history.commit(shipped, { by: clerk, why: 'picked up' }, patch('orders', id, { status: 'shipped', ship: { carrier: chance.pick(['DHL', 'GLS', 'Post']) } }));
  if (chance.next() < 0.9) history.commit(shipped + chance.whole(20, 90) * HOUR, { by: 'tracking', why: 'signed for' }, patch('orders', id, { status: 'delivered' }));
  if (id % 29 === 0) history.commit(shipped + 8 * DAY, { by: clerk, why: 'placed twice' }, remove('orders', id));
  return total;
}

/** One transaction at three in the morning. */
function mistake(history: History, totals: ReadonlyMap<number, number>): void {
  const changes = HIT.filter((id) => id % 29 !== 0).map((id) => patch('orders', id, { total: cents(totals.get(id)! / 10) }));
  history.commit(MISTAKE, { by: 'price-sync', why: 'nightly import, decimal comma' }, ...changes);
}
