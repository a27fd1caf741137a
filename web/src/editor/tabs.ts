// The tabs of the editor.

import { button, fill, h } from '../base/dom';
import { type Script, type Scripts, scriptTitle } from '../state/scripts';

/** The tabs; `closed` is told the text of a tab that was closed. */
export class ScriptTabs {
  readonly element: HTMLElement;
  readonly #scripts: Scripts;
  readonly #list = h('div', { class: 'tabs', role: 'tablist', 'aria-label': 'Scripts' });
  readonly #closed: (text: string) => void;

  constructor(scripts: Scripts, closed: (text: string) => void) {
    this.#scripts = scripts;
    this.#closed = closed;
    this.element = h('div', { class: 'tab-bar' }, this.#list, button('plus', 'New script', () => scripts.add('')));
    scripts.list.now(() => this.#draw());
    scripts.active.watch(() => this.#draw());
    this.#list.addEventListener('keydown', (event) => this.#key(event));
  }

  #draw(): void {
    const focused = this.#list.contains(document.activeElement);
    fill(this.#list, ...this.#scripts.list.value.map((script) => this.#tab(script)));
    if (focused) this.#list.querySelector<HTMLElement>('[aria-selected=true]')?.focus();
  }

  #tab(script: Script): HTMLElement {
    const active = script.id === this.#scripts.active.value;
    const title = scriptTitle(script.text);
    const choose = h('button', { type: 'button', class: 'tab', role: 'tab', 'aria-selected': active, tabindex: active ? 0 : -1, on: { click: () => (this.#scripts.active.value = script.id) } }, title);
    if (this.#scripts.list.value.length === 1) return h('div', { class: 'tab-home', role: 'presentation' }, choose);
    const close = button('close', `Close ${title}`, () => this.#closed(this.#scripts.close(script.id)), { class: 'tab-close' });
    close.tabIndex = active ? 0 : -1;
    return h('div', { class: `tab-home ${active ? 'active' : ''}`, role: 'presentation' }, choose, close);
  }

  #key(event: KeyboardEvent): void {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by === undefined || (event.target as Element).getAttribute('role') !== 'tab') return;
    const list = this.#scripts.list.value;
    const at = list.findIndex((one) => one.id === this.#scripts.active.value);
    this.#scripts.active.value = list[(at + by + list.length) % list.length]!.id;
    event.preventDefault();
  }
}
