// A result on the page: its head, and one of its views.

import { fill, h } from '../base/dom';
import type { Result, Shown } from '../state/result';
import { tally } from '../state/answer';
import { type Chosen, Grid, nothing } from './grid';

/** What a card tells of. */
export interface CardEvents {
  open(result: Result, chosen: Chosen): void;
  look(result: Result, chosen: Chosen | undefined): void;
}

/** A further view of a result. */
export interface View {
  readonly element: HTMLElement;
  close?(): void;
}

/** A result on the page. */
export class Card {
  readonly element: HTMLElement;
  readonly result: Result;
  readonly grid: Grid;
  readonly #counts = h('p', { class: 'counts' });
  readonly #stage = h('div', { class: 'stage' });
  readonly #ends: (() => void)[];
  #view: View | undefined;
  #frame = 0;

  constructor(result: Result, events: CardEvents, tools: HTMLElement) {
    this.result = result;
    this.grid = new Grid(result.identity, `Rows of ${result.statement.text}`, {
      open: (chosen) => events.open(result, chosen),
      look: (chosen) => events.look(result, chosen),
    });
    const head = h('header', { class: 'card-head' }, h('code', { class: 'card-title', title: result.statement.text }, oneLine(result.statement.text)), this.#counts, tools);
    this.element = h('section', { class: 'card', 'aria-label': 'Result' }, head, this.#stage);
    this.#stage.append(this.grid.element);
    if (result.shown.value !== undefined) {
      this.grid.show(result.shown.value);
      this.#count();
      this.#grid(result.shown.value.answer.length === 0);
    }
    this.#ends = [result.shown.watch((shown) => shown && this.#show(shown)), result.error.watch((error) => error && fill(this.#counts, h('span', { class: 'bad' }, error.message)))];
  }

  #show(shown: Shown): void {
    this.grid.show(shown);
    // The rows come first; how many differ is counted in the next frame, for the latest answer only.
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#count();
    });
    if (this.#view === undefined) this.#grid(shown.answer.length === 0);
  }

  #count(): void {
    const shown = this.result.shown.value;
    if (shown === undefined) return;
    const { answer, reference } = shown;
    const counts = [h('span', {}, `${answer.length.toLocaleString('en')} ${answer.length === 1 ? 'row' : 'rows'}`), h('span', { class: 'faint took' }, `${answer.took < 10 ? answer.took.toFixed(1) : Math.round(answer.took)} ms`)];
    const differ = reference === undefined ? undefined : tally(answer, reference);
    if (differ !== undefined) {
      if (differ.changed > 0) counts.push(h('span', { class: 'tally changed' }, `${differ.changed} differ`));
      if (differ.only > 0) counts.push(h('span', { class: 'tally only' }, `${differ.only} gone since`));
      if (differ.missing > 0) counts.push(h('span', { class: 'tally missing' }, `${differ.missing} not there yet`));
    }
    fill(this.#counts, ...counts);
  }

  #grid(empty: boolean): void {
    const shown = empty ? nothing('No rows at this moment') : this.grid.element;
    if (this.#stage.firstElementChild !== shown && !(empty && this.#stage.firstElementChild?.className === 'nothing')) fill(this.#stage, shown);
  }

  /** Shows another view in place of the grid, or the grid again. */
  view(view: View | undefined): void {
    this.#view?.close?.();
    this.#view = view;
    if (view !== undefined) fill(this.#stage, view.element);
    else this.#grid(this.result.shown.value?.answer.length === 0);
  }

  close(): void {
    cancelAnimationFrame(this.#frame);
    this.#view?.close?.();
    for (const end of this.#ends) end();
  }
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** Buttons in a card's head. */
export function tools(...buttons: HTMLButtonElement[]): HTMLElement {
  return h('div', { class: 'tools' }, ...buttons);
}

