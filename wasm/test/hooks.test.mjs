// Live queries in React and Vue: what a server renders, what a page shows first, and how it follows.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { window } from './dom.mjs';
import { createElement, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { createApp, createSSRApp, h, nextTick, ref } from 'vue';
import { renderToString as renderVue } from 'vue/server-renderer';
import { open } from '../dist/index.js';
import { until } from './support.mjs';
import { DriftProvider, useDatabase, useLiveQuery } from '../dist/react.js';
import { provideDatabase, useLiveQuery as useLiveQueryInVue } from '../dist/vue.js';

let db;

before(async () => {
  db = await open({ storage: 'memory' });
  await db.exec('CREATE TABLE t (pk=id); INSERT INTO t {"id": 1, "group": "a"}, {"id": 2, "group": "b"}');
});
after(async () => {
  await db.close();
  await window.happyDOM.close();
});

const QUERY = 'SELECT id FROM t WHERE `group` = ?';

/** Waits until an element shows a text. */
async function shows(element, text) {
  await until(() => element.textContent === text).catch(() => {});
  assert.equal(element.textContent, text);
}

const line = ({ rows, loading, error }) => `${rows.map(({ id }) => id).join()}${loading ? ' loading' : ''}${error ? ` ${error.code}` : ''}`;

test('React: a server renders what it was given, and asks nothing', () => {
  const List = ({ initial }) => createElement('p', null, line(useLiveQuery(QUERY, ['a'], { initial })), String(useDatabase()));
  assert.match(renderToString(createElement(DriftProvider, { db: undefined }, createElement(List, { initial: [{ id: 9 }] }))), /9 loading.*undefined/);
  assert.match(renderToString(createElement(List, {})), /<p> loading/);
});

test('React: a page follows the database, its parameters and its point', async () => {
  const List = ({ group, asOf, query = QUERY }) => createElement('p', null, line(useLiveQuery(query, [group], { asOf })));
  const element = window.document.createElement('div');
  const root = createRoot(element);
  const render = (props, database = db) => root.render(createElement(StrictMode, null, createElement(DriftProvider, { db: database }, createElement(List, props))));
  render({ group: 'a' }, undefined);
  await shows(element, ' loading');
  render({ group: 'a' });
  await shows(element, '1');
  await db.table('t').insert({ id: 3, group: 'a' });
  await shows(element, '1,3');
  const before = (await db.stats()).seq;
  await db.table('t').insert({ id: 4, group: 'a' });
  await shows(element, '1,3,4');
  render({ group: 'a', asOf: { seq: before } });
  await shows(element, '1,3');
  render({ group: 'b' });
  await shows(element, '2');
  render({ group: 'b', query: 'SELECT ? nonsense' });
  await shows(element, '2 syntax');
  render({ group: 'b' });
  await shows(element, '2');
  root.unmount();
  await db.table('t').insert({ id: 5, group: 'b' });
});

test('React: the same query is not asked again at each rendering, and a component that goes ends it', async () => {
  let subscriptions = 0;
  let open = 0;
  const counted = new Proxy(db, {
    get: (target, name) => (name === 'live' ? (...args) => {
      subscriptions += 1;
      open += 1;
      const live = target.live(...args);
      return { close: () => { open -= 1; live.close(); } };
    } : Reflect.get(target, name, target)),
  });
  const List = ({ n }) => createElement('p', null, n, line(useLiveQuery('SELECT id FROM t WHERE id < :n', { n: 2n }, { db: counted })));
  const element = window.document.createElement('div');
  const root = createRoot(element);
  root.render(createElement(List, { n: 0 }));
  await shows(element, '01');
  for (let n = 1; n < 5; n++) {
    root.render(createElement(List, { n }));
    await shows(element, `${n}1`);
  }
  assert.deepEqual([subscriptions, open], [1, 1]);
  root.unmount();
  await until(() => open === 0);
});

test('Vue: a server renders what it was given, and asks nothing', async () => {
  const app = createSSRApp({
    setup() {
      provideDatabase(undefined);
      const state = useLiveQueryInVue(QUERY, ['a'], { initial: [{ id: 9 }], db: new Proxy({}, { get: () => assert.fail('it was asked') }) });
      return () => h('p', line(state.value));
    },
  });
  assert.match(await renderVue(app), /<p>9 loading<\/p>/);
});

test('Vue: a page follows the database, its parameters and its point', async () => {
  const group = ref('a');
  const asOf = ref(undefined);
  const Child = {
    setup() {
      const state = useLiveQueryInVue(QUERY, () => [group.value], { asOf });
      return () => h('p', line(state.value));
    },
  };
  const app = createApp({
    setup() {
      provideDatabase(db);
      return () => h(Child);
    },
  });
  const element = window.document.createElement('div');
  app.mount(element);
  await shows(element, '1,3,4');
  await db.table('t').insert({ id: 6, group: 'a' });
  await shows(element, '1,3,4,6');
  asOf.value = { seq: 2 };
  await nextTick();
  await shows(element, '1');
  group.value = 'b';
  await shows(element, '2');
  app.unmount();
});
