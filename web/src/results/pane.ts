// The pane of results: a card for each, its views and what can be taken from it.

import { type IconName, button, fill, h, icon } from '../base/dom';
import type { Result } from '../state/result';
import type { Outcome, Workspace } from '../state/workspace';
import { offer } from '../data/files';
import { toCsv } from '../data/csv';
import { Card, type CardEvents, tools } from './card';
import { chart } from './chart';
import { hasPlan, plan } from './plan';
import { json } from './values';

/** What the pane asks for. */
export interface PaneEvents extends CardEvents {
  /** The slider should go to a seq. */
  go(seq: number): void;
  say(text: string): void;
  failed(error: unknown): void;
}

type Face = 'rows' | 'chart' | 'plan';

/** The pane of results. */
export class Pane {
  readonly element = h('div', { class: 'results' });
  readonly #events: PaneEvents;
  readonly #workspace: Workspace;
  #cards: Card[] = [];

  constructor(workspace: Workspace, events: PaneEvents) {
    this.#workspace = workspace;
    this.#events = events;
    workspace.outcomes.watch((outcomes) => this.#show(outcomes));
  }

  #show(outcomes: readonly Outcome[]): void {
    for (const card of this.#cards) card.close();
    this.#cards = [];
    const elements: HTMLElement[] = outcomes.map((outcome) => (outcome.kind === 'note' ? this.#note(outcome.note.text, outcome.note.statement.text, outcome.note.took) : this.#card(outcome.result)));
    const mistake = this.#workspace.mistake.value;
    if (mistake !== undefined) {
      const { error } = mistake;
      const where = error.position?.line === undefined ? '' : `line ${error.position.line}: `;
      elements.push(h('div', { class: 'note bad', role: 'alert' }, h('p', {}, h('strong', {}, where + error.message)), error.hint === undefined ? null : h('p', {}, error.hint)));
    }
    fill(this.element, ...elements);
  }

  #note(text: string, statement: string, took: number): HTMLElement {
    return h('div', { class: 'note', role: 'status' }, h('code', { class: 'faint' }, statement.replace(/\s+/g, ' ').slice(0, 90)), h('p', {}, text, h('span', { class: 'faint' }, `  ${took.toFixed(1)} ms`)));
  }

  #card(result: Result): HTMLElement {
    const faces = new Map<Face, HTMLButtonElement>();
    const face = (name: Face, image: IconName, label: string): HTMLButtonElement => {
      const one = button(image, label, () => void turn(name));
      one.setAttribute('aria-pressed', String(name === 'rows'));
      faces.set(name, one);
      return one;
    };
    const buttons = [face('rows', 'table', 'Rows')];
    if (result.travels && result.statement.act === 'select') buttons.push(face('chart', 'chart', 'Chart over time'));
    if (hasPlan(result)) buttons.push(face('plan', 'plan', 'Plan'));
    buttons.push(button('copy', 'Copy as CSV', () => void this.#copy(card)), button('download', 'Download as CSV', () => this.#download(card, 'csv')), button(undefined, 'JSON', () => this.#download(card, 'json'), { shown: true, class: 'small' }));
    const card = new Card(result, this.#events, tools(...buttons));
    const turn = async (name: Face): Promise<void> => {
      for (const [other, one] of faces) one.setAttribute('aria-pressed', String(other === name));
      try {
        card.view(name === 'rows' ? undefined : name === 'chart' ? chart(result, (seq) => this.#events.go(seq)) : await plan(result));
      } catch (error) {
        this.#events.failed(error);
      }
    };
    this.#cards.push(card);
    return card.element;
  }

  #csv(card: Card): string {
    return toCsv(card.grid.columns, card.result.shown.value?.answer.result ?? [], (value) => (typeof value === 'object' ? json(value) : String(value)));
  }

  async #copy(card: Card): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.#csv(card));
      this.#events.say(`${card.result.shown.value?.answer.length ?? 0} rows copied`);
    } catch {
      this.#events.say('The browser did not allow copying');
    }
  }

  #download(card: Card, kind: 'csv' | 'json'): void {
    const name = card.result.statement.table ?? 'result';
    if (kind === 'csv') offer(`${name}.csv`, new Blob([this.#csv(card)], { type: 'text/csv' }));
    else offer(`${name}.json`, new Blob([json(card.result.shown.value?.answer.result.rows ?? [], 1)], { type: 'application/json' }));
  }
}

/** What is shown where a database has no tables. */
export function emptyDatabase(choose: () => void, start: () => void): HTMLElement {
  return h('div', { class: 'nothing start' }, icon('database') as unknown as Node, h('h2', {}, 'Nothing in here yet'), h('p', {}, 'Drop a CSV, JSON, JSON Lines or .drift file anywhere on the page.'), h('div', { class: 'row' }, button('upload', 'Choose a file', choose, { shown: true, class: 'primary' }), button(undefined, 'Begin with a table', start, { shown: true })));
}
