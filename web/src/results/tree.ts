// A document as a tree that folds.

import { h } from '../base/dom';
import { typeName } from '../engine/catalogue';
import { json, look } from './values';

/** Nested values up to this depth are open at first. */
const OPEN = 1;

/** A value under a name. */
export function tree(name: string, value: unknown, depth = 0): HTMLElement {
  const type = typeName(value);
  if (type !== 'object' && type !== 'array') {
    return h('div', { class: 'leaf' }, h('span', { class: 'faint' }, `${name} `), h('span', { class: `value type-${type}` }, type === 'text' ? String(value) : look(value).text));
  }
  const members = Array.isArray(value) ? value.map((one, at) => [String(at), one] as const) : Object.entries(value as object);
  const size = type === 'array' ? `[${members.length}]` : `{${members.length}}`;
  const summary = h('summary', {}, h('span', { class: 'faint' }, `${name} `), h('span', { class: 'size' }, size), h('span', { class: 'faint folded' }, ` ${json(value).slice(0, 48)}`));
  return h('details', { open: depth <= OPEN }, summary, ...members.map(([member, one]) => tree(member, one, depth + 1)));
}

/** The members of a document, each as a tree. */
export function documentTree(row: Readonly<Record<string, unknown>>): HTMLElement {
  return h('div', { class: 'tree' }, ...Object.entries(row).map(([name, value]) => tree(name, value, 1)));
}
