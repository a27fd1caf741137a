// The same on a server: what renders pages may import the package, and touches nothing.
import { open } from 'driftdb';
import { DriftProvider, useLiveQuery } from 'driftdb/react';
import { useLiveQuery as useInVue } from 'driftdb/vue';
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { createSSRApp, h } from 'vue';
import { renderToString as renderVue } from 'vue/server-renderer';

const Rows = () => createElement('p', null, useLiveQuery('SELECT * FROM t', [], { initial: [{ id: 'react' }] }).rows[0].id);
const InVue = { setup: () => { const state = useInVue('SELECT * FROM t', [], { initial: [{ id: 'vue' }] }); return () => h('p', state.value.rows[0].id); } };
console.log(typeof open, renderToString(createElement(DriftProvider, { db: undefined }, createElement(Rows))), await renderVue(createSSRApp(InVue)));
