// The sidebar: the tables of the database with their fields, indexes and counts.

import { button, fill, h, icon } from '../base/dom';
import { seriesOf } from '../base/series';
import type { TableInfo } from '../engine/catalogue';
import type { Workspace } from '../state/workspace';

/** What the sidebar asks for. */
export interface SidebarEvents {
  /** To look at a table. */
  look(table: TableInfo): void;
}

/** The list of tables. */
export class Tables {
  readonly element = h('nav', { class: 'tables', 'aria-label': 'Tables' });
  readonly #events: SidebarEvents;
  readonly #open = new Set<string>();

  constructor(workspace: Workspace, events: SidebarEvents) {
    this.#events = events;
    let end = (): void => {};
    workspace.session.now((session) => {
      end();
      end = session.catalogue.now((catalogue) => fill(this.element, h('h2', {}, 'Tables'), h('ul', {}, ...catalogue.map((table) => this.#table(table, catalogue.map((one) => one.name))))));
    });
  }

  #table(table: TableInfo, names: readonly string[]): HTMLElement {
    const fold = h('details', { open: this.#open.has(table.name) });
    fold.addEventListener('toggle', () => (fold.open ? this.#open.add(table.name) : this.#open.delete(table.name)));
    const summary = h('summary', {}, icon('chevron') as unknown as Node, h('span', { class: 'swatch', style: { '--own': `var(${seriesOf(table.name, names)})` } }), h('span', { class: 'name' }, table.name), h('span', { class: 'faint count', title: `${table.events} events` }, table.events.toLocaleString('en')));
    const fields = table.fields.map((field) => {
      const mark = field.name === table.key ? h('span', { class: 'badge', title: 'primary key' }, 'key') : table.indexes.includes(field.name) ? h('span', { class: 'badge', title: 'has an index' }, 'index') : null;
      return h('li', {}, h('span', { class: 'name' }, field.name), mark, h('span', { class: 'faint' }, field.type));
    });
    fold.append(summary, h('ul', { class: 'fields' }, ...fields));
    const show = button('table', `Show ${table.name}`, () => this.#events.look(table));
    return h('li', {}, fold, show);
  }
}
