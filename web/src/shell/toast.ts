// Short messages that go by themselves, and are said.

import { h } from '../base/dom';

const STAY_MS = 5_000;
const element = h('div', { class: 'toasts', role: 'status', 'aria-live': 'polite' });

/** Where messages appear. */
export function toasts(): HTMLElement {
  return element;
}

/** Shows a message. */
export function toast(text: string, kind: 'plain' | 'bad' = 'plain'): void {
  const one = h('p', { class: `toast ${kind}` }, text);
  element.append(one);
  setTimeout(() => one.remove(), STAY_MS);
}
