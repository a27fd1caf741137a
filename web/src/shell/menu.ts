// A menu under a button.

import { fill, h, icon, type IconName } from '../base/dom';

/** An entry of a menu, or a heading. */
export type Entry =
  | { readonly heading: string }
  | { readonly label: string; readonly detail?: string; readonly icon?: IconName; readonly current?: boolean; readonly danger?: boolean; does(): void; readonly also?: { readonly label: string; readonly icon: IconName; does(): void } };

let menus = 0;

/** A button that opens a menu, whose entries are made each time. */
export function menuButton(label: string, content: readonly (Node | string)[], entries: () => Promise<readonly (Entry | HTMLElement)[]>, style = ''): HTMLElement {
  const id = `menu-${++menus}`;
  const list = h('div', { class: 'menu-list', id, popover: 'auto', role: 'menu', 'aria-label': label });
  const button = h('button', { type: 'button', class: `button ${style}`, title: label, 'aria-haspopup': 'menu', popovertarget: id }, h('span', { class: 'said' }, `${label} `), ...(content as Node[]));
  const show = async (): Promise<void> => {
    fill(list, ...(await entries()).map((one) => (one instanceof HTMLElement ? one : entry(one, list))));
    const box = button.getBoundingClientRect();
    list.style.top = `${box.bottom + 6}px`;
    list.style.left = `${Math.max(8, Math.min(box.left, innerWidth - list.offsetWidth - 8))}px`;
    list.querySelector<HTMLElement>('[role=menuitem]')?.focus();
  };
  list.addEventListener('toggle', (event) => {
    if ((event as ToggleEvent).newState === 'open') void show();
    // What was listed may be gone when it is opened again.
    else fill(list);
  });
  list.addEventListener('keydown', (event) => {
    const items = [...list.querySelectorAll<HTMLElement>('[role=menuitem]')];
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by === undefined) return;
    items[(items.indexOf(document.activeElement as HTMLElement) + by + items.length) % items.length]?.focus();
    event.preventDefault();
  });
  return h('div', { class: 'menu-home' }, button, list);
}

function entry(one: Entry, list: HTMLElement): HTMLElement {
  if ('heading' in one) return h('p', { class: 'menu-heading', role: 'presentation' }, one.heading);
  const press = (does: () => void) => () => {
    list.hidePopover();
    does();
  };
  const text = h('span', { class: 'menu-text' }, h('span', {}, one.label), one.detail === undefined ? null : h('span', { class: 'faint' }, one.detail));
  const main = h('button', { type: 'button', class: `menu-entry ${one.danger === true ? 'danger' : ''}`, role: 'menuitem', 'aria-current': one.current === true ? 'true' : undefined, on: { click: press(() => one.does()) } }, icon(one.current === true ? 'check' : (one.icon ?? 'database')) as unknown as Node, text);
  const { also } = one;
  if (also === undefined) return h('div', { class: 'menu-row', role: 'none' }, main);
  return h('div', { class: 'menu-row', role: 'none' }, main, h('button', { type: 'button', class: 'button', role: 'menuitem', 'aria-label': also.label, title: also.label, on: { click: press(() => also.does()) } }, icon(also.icon) as unknown as Node));
}
