// The drift of a row: its events as a timeline, what each changed, who did it and why; any of them can be brought back.

import type { HistoryRow, Key } from 'driftdb';
import { dateTime } from '../base/dates';
import { button, fill, h } from '../base/dom';
import type { Session } from '../engine/session';
import { documentTree } from './tree';
import { look } from './values';

/** Which row. */
export interface Subject {
  readonly session: Session;
  readonly table: string;
  readonly key: Key;
}

/** What the panel tells of. */
export interface DriftEvents {
  /** The slider should go to a seq. */
  go(seq: number): void;
  /** The row was made what it was. */
  restored(seq: number): void;
  failed(error: unknown): void;
  closed(): void;
}

const NAMES = { INSERT: 'created', PATCH: 'changed', SOFT_DELETE: 'deleted' } as const;

/** The panel with the drift of a row. */
export class DriftPanel {
  readonly element = h('aside', { class: 'drift', 'aria-label': 'History of a row', hidden: true, tabindex: -1 });
  readonly #events: DriftEvents;
  #subject: Subject | undefined;
  #from: HTMLElement | undefined;
  #documentOpen = false;

  constructor(events: DriftEvents) {
    this.#events = events;
    this.element.addEventListener('keydown', (event) => event.key === 'Escape' && this.close());
  }

  get subject(): Subject | undefined {
    return this.#subject;
  }

  /** Shows the drift of a row; `seq` is the moment that is marked. */
  async show(subject: Subject, seq: number): Promise<void> {
    if (this.element.hidden) this.#from = document.activeElement instanceof HTMLElement ? document.activeElement : undefined;
    this.#subject = subject;
    const events = await subject.session.db.table(subject.table).history(subject.key);
    if (this.#subject !== subject) return;
    const title = h('h2', {}, h('span', { class: 'faint' }, subject.table), ` ${String(subject.key)}`);
    const close = button('close', 'Close the history', () => this.close(), { keys: 'Esc' });
    const now = events.findLast((event) => event.seq <= seq)?.row ?? null;
    const row = now === null ? h('p', { class: 'faint' }, 'The row is not there at this moment.') : documentTree(now as Record<string, unknown>);
    const list = h('ol', { class: 'events', reversed: true }, ...events.map((event, at) => this.#event(event, at, events)).reverse());
    fill(this.element, h('header', {}, title, h('p', { class: 'faint' }, `${events.length} ${events.length === 1 ? 'event' : 'events'}, the newest first`), close), h('details', { class: 'document', open: this.#documentOpen }, h('summary', {}, 'The row at this moment'), row), list);
    this.element.querySelector('.document')?.addEventListener('toggle', (event) => (this.#documentOpen = (event.target as HTMLDetailsElement).open));
    this.mark(seq);
    this.#open();
  }

  /** Shows it again: something was written. */
  async renew(seq: number): Promise<void> {
    if (this.#subject !== undefined && !this.element.hidden) await this.show(this.#subject, seq);
  }

  /** Shows a row that is no row of a table: its document alone. */
  document(row: Readonly<Record<string, unknown>>): void {
    if (this.element.hidden) this.#from = document.activeElement instanceof HTMLElement ? document.activeElement : undefined;
    this.#subject = undefined;
    const close = button('close', 'Close the row', () => this.close(), { keys: 'Esc' });
    fill(this.element, h('header', {}, h('h2', {}, 'Row'), h('p', { class: 'faint' }, 'Its history is that of the rows it was made of.'), close), documentTree(row));
    this.#open();
  }

  #open(): void {
    this.element.hidden = false;
    document.documentElement.classList.add('with-drift');
    this.element.focus({ preventScroll: true });
  }

  /** Marks the event that a moment shows. */
  mark(seq: number): void {
    let marked = false;
    for (const item of this.element.querySelectorAll<HTMLElement>('.event')) {
      const current: boolean = !marked && Number(item.dataset['seq']) <= seq;
      marked ||= current;
      item.classList.toggle('current', current);
      item.classList.toggle('future', !marked);
    }
  }

  close(): void {
    if (this.element.hidden) return;
    this.element.hidden = true;
    this.#subject = undefined;
    document.documentElement.classList.remove('with-drift');
    this.#from?.focus({ preventScroll: true });
    this.#events.closed();
  }

  #event(event: HistoryRow<object>, at: number, all: readonly HistoryRow<object>[]): HTMLElement {
    const isLast = at === all.length - 1;
    const fields = Object.entries(event.changed).map(([path, [before, after]]) => this.#field(event, path, before, after));
    const go = button('clock', 'See this moment', () => this.#events.go(event.seq), { shown: true });
    const back = event.row === null || isLast ? null : button('undo', 'Restore', () => void this.#restore(event), { shown: true });
    const who = event.by === null ? h('span', { class: 'faint' }, 'nobody said who') : h('strong', {}, String(event.by));
    return h(
      'li',
      { class: `event ${event.event.toLowerCase()}`, 'data-seq': event.seq },
      h('p', { class: 'event-head' }, h('span', { class: 'event-name' }, NAMES[event.event]), ' by ', who, h('span', { class: 'faint seq' }, `@seq:${event.seq}`)),
      event.why === null ? null : h('p', { class: 'why' }, `“${String(event.why)}”`),
      h('p', { class: 'faint at' }, dateTime(Date.parse(event.time))),
      h('dl', { class: 'fields' }, ...fields),
      h('div', { class: 'event-tools' }, go, back),
    );
  }

  #field(event: HistoryRow<object>, path: string, before: unknown, after: unknown): HTMLElement {
    const was = event.event === 'INSERT' && before === null ? null : h('del', {}, look(before).text || 'nothing');
    const is = event.event === 'SOFT_DELETE' && after === null ? null : h('ins', {}, look(after).text || 'nothing');
    return h('div', { class: 'field' }, h('dt', {}, path), h('dd', {}, was, was !== null && is !== null ? h('span', { class: 'arrow', 'aria-label': 'became' }, '→') : null, is));
  }

  async #restore(event: HistoryRow<object>): Promise<void> {
    const subject = this.#subject;
    if (subject === undefined) return;
    try {
      const { seq } = await subject.session.db.table(subject.table).restore(subject.key, { seq: event.seq }, { by: 'you', why: `restored from @seq:${event.seq}` });
      this.#events.restored(seq);
    } catch (error) {
      this.#events.failed(error);
    }
  }
}
