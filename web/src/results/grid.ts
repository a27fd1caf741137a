// A grid of rows: only what is seen has elements. Cells that differ from the moment compared with are lit, cells that have just changed flash.

import { h, icon } from '../base/dom';
import type { Shown } from '../state/result';
import { type Identity, type Row } from '../state/identity';
import { type Answer, same } from '../state/answer';
import { Columns } from './columns';
import { look } from './values';

/** A row that somebody chose. */
export interface Chosen {
  readonly row: Row;
  readonly column: string | undefined;
  readonly cell: HTMLElement;
}

/** What the grid tells of. */
export interface GridEvents {
  /** A row was opened. */
  open(chosen: Chosen): void;
  /** A cell is under the pointer or has the keyboard; undefined when none has. */
  look(chosen: Chosen | undefined): void;
}

const ROW = 32;
const OVERSCAN = 6;
/** Beyond so many rows no flashes are looked for. */
const FLASH_MAX = 5_000;

interface Line {
  readonly element: HTMLElement;
  readonly cells: HTMLElement[];
  index: number;
}

/** A grid of rows. */
export class Grid {
  readonly element: HTMLElement;
  readonly #head = h('div', { class: 'grid-head', role: 'row', 'aria-rowindex': 1 });
  readonly #body = h('div', { class: 'grid-body', role: 'rowgroup' });
  readonly #lines: Line[] = [];
  readonly #identity: Identity;
  readonly #events: GridEvents;
  readonly #columns = new Columns();
  #shown: Shown | undefined;
  #before: Answer | undefined;
  #order: Uint32Array | undefined;
  #sort: { column: string; down: boolean } | undefined;
  #focus = { row: -1, column: 0 };
  #frame = 0;

  constructor(identity: Identity, label: string, events: GridEvents) {
    this.#identity = identity;
    this.#events = events;
    const headGroup = h('div', { role: 'rowgroup', class: 'grid-headgroup' }, this.#head);
    this.element = h('div', { class: 'grid', role: 'grid', tabindex: 0, 'aria-label': label }, headGroup, this.#body);
    this.element.addEventListener('scroll', () => this.#later(), { passive: true });
    this.element.addEventListener('keydown', (event) => this.#key(event));
    this.element.addEventListener('focus', () => this.#moveTo(Math.max(0, this.#focus.row), this.#focus.column));
    this.element.addEventListener('blur', () => this.#events.look(undefined));
    this.#body.addEventListener('click', (event) => this.#click(event));
    this.#body.addEventListener('pointerover', (event) => this.#over(event));
    this.#body.addEventListener('pointerleave', () => this.#events.look(undefined));
    new ResizeObserver(() => this.#later()).observe(this.element);
  }

  /** The columns, in their order. */
  get columns(): readonly string[] {
    return this.#columns.names;
  }

  /** Shows an answer. */
  show(shown: Shown): void {
    this.#before = this.#shown?.answer;
    this.#shown = shown;
    if (this.#columns.take(shown.answer) || (shown.reference !== undefined && this.#columns.take(shown.reference))) this.#headers();
    this.#sortRows();
    this.element.setAttribute('aria-rowcount', String(shown.answer.length + 1));
    this.#body.style.height = `${shown.answer.length * ROW}px`;
    this.#paint(true);
    this.#before = undefined;
  }

  /** The row at a place on the page. */
  row(place: number): Row | undefined {
    const answer = this.#shown?.answer;
    return answer === undefined || place >= answer.length ? undefined : answer.row(this.#order?.[place] ?? place);
  }

  #headers(): void {
    const { names } = this.#columns;
    this.element.style.setProperty('--columns', this.#columns.template);
    this.element.setAttribute('aria-colcount', String(names.length));
    this.#head.replaceChildren(...names.map((name) => this.#header(name)));
    for (const line of this.#lines) line.element.remove();
    this.#lines.length = 0;
  }

  #header(name: string): HTMLElement {
    const type = this.#columns.type(name);
    const sorted = this.#sort?.column === name ? (this.#sort.down ? 'descending' : 'ascending') : 'none';
    const mark = sorted === 'none' ? null : h('span', { class: 'sort', 'aria-hidden': 'true' }, sorted === 'ascending' ? '↑' : '↓');
    const press = h('button', { type: 'button', class: 'th', tabindex: -1, title: `${name}: ${type}. Click to sort` }, h('span', { class: 'th-name' }, name), h('span', { class: 'th-type' }, type), mark);
    press.addEventListener('click', () => this.sort(name));
    return h('div', { role: 'columnheader', class: `grid-th type-${type}`, 'aria-sort': sorted }, press);
  }

  /** Sorts by a column: up, down, as it came. */
  sort(column: string): void {
    if (this.#sort?.column !== column) this.#sort = { column, down: false };
    else this.#sort = this.#sort.down ? undefined : { column, down: true };
    this.#headers();
    this.#sortRows();
    this.#paint(false);
  }

  #sortRows(): void {
    this.#order = undefined;
    if (this.#sort === undefined || this.#shown === undefined) return;
    this.#order = this.#columns.order(this.#shown.answer, this.#sort.column, this.#sort.down);
  }

  #later(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#paint(false);
    });
  }

  #paint(flash: boolean): void {
    const shown = this.#shown;
    if (shown === undefined) return;
    const { answer } = shown;
    const first = Math.max(0, Math.floor(this.element.scrollTop / ROW) - OVERSCAN);
    const last = Math.min(answer.length, Math.ceil((this.element.scrollTop + this.element.clientHeight) / ROW) + OVERSCAN);
    const count = Math.max(0, last - first);
    while (this.#lines.length < count) this.#addLine();
    const lights = flash && this.#before !== undefined && answer.length <= FLASH_MAX && this.#before.length <= FLASH_MAX && !matchMedia('(prefers-reduced-motion: reduce)').matches;
    for (let at = 0; at < this.#lines.length; at++) {
      // A line keeps its element while it is scrolled: which one is a matter of its place alone.
      const index = first + ((((at - first) % this.#lines.length) + this.#lines.length) % this.#lines.length);
      const line = this.#lines[at]!;
      line.element.hidden = index >= last;
      if (index < last) this.#fillLine(line, index, shown, lights);
    }
    this.#markFocus();
  }

  #addLine(): void {
    const cells = this.#columns.names.map((name, at) => h('div', { role: 'gridcell', class: 'cell', 'aria-colindex': at + 1, 'data-column': name }));
    const element = h('div', { role: 'row', class: 'grid-row' }, ...cells);
    this.#lines.push({ element, cells, index: -1 });
    this.#body.append(element);
  }

  #fillLine(line: Line, place: number, { answer, reference }: Shown, lights: boolean): void {
    const index = this.#order?.[place] ?? place;
    const row = answer.row(index);
    const id = this.#identity.id(row, index);
    const other = reference?.find(id);
    const before = lights ? this.#before?.find(id) : undefined;
    if (line.index !== place) {
      line.index = place;
      line.element.style.transform = `translateY(${place * ROW}px)`;
      line.element.setAttribute('aria-rowindex', String(place + 2));
      line.element.dataset['place'] = String(place);
    }
    const state = reference === undefined ? '' : other === undefined ? 'only' : '';
    line.element.className = `grid-row ${state}${place % 2 === 1 ? ' odd' : ''}`;
    if (lights && before === undefined) light(line.element, 'var(--flash-new)');
    this.#columns.names.forEach((name, at) => {
      const cell = line.cells[at]!;
      const value = row[name];
      const { text, type, nested } = look(value, !(name in row));
      if (cell.textContent !== text) cell.textContent = text;
      const changed = other !== undefined && !same(value, other[name]);
      const style = `cell type-${type}${nested ? ' nested' : ''}${changed ? ' changed' : ''}`;
      if (cell.className !== style) cell.className = style;
      if (changed) cell.title = `${look(other[name]).text || 'nothing'} at the moment compared with`;
      else if (cell.title !== '') cell.removeAttribute('title');
      if (lights && before !== undefined && !same(value, before[name])) light(cell, 'var(--flash)');
    });
  }

  #chosen(target: EventTarget | null | undefined): Chosen | undefined {
    const cell = (target as Element | null | undefined)?.closest<HTMLElement>('.cell');
    const place = cell?.parentElement?.dataset['place'];
    const row = place === undefined ? undefined : this.row(Number(place));
    return cell === null || cell === undefined || row === undefined ? undefined : { row, column: cell.dataset['column'], cell };
  }

  #click(event: Event): void {
    const chosen = this.#chosen(event.target);
    if (chosen === undefined) return;
    this.#focus = { row: Number(chosen.cell.parentElement!.dataset['place']), column: this.#columns.names.indexOf(chosen.column ?? '') };
    this.#markFocus();
    this.#events.open(chosen);
  }

  #over(event: Event): void {
    const chosen = this.#chosen(event.target);
    if (chosen !== undefined) this.#events.look(chosen);
  }

  #key(event: KeyboardEvent): void {
    if (event.target !== this.element) return;
    const { row, column } = this.#focus;
    const page = Math.max(1, Math.floor(this.element.clientHeight / ROW) - 2);
    const to: Record<string, readonly [number, number]> = {
      ArrowDown: [row + 1, column], ArrowUp: [row - 1, column], ArrowRight: [row, column + 1], ArrowLeft: [row, column - 1],
      PageDown: [row + page, column], PageUp: [row - page, column],
      Home: [event.ctrlKey || event.metaKey ? 0 : row, 0], End: [event.ctrlKey || event.metaKey ? Infinity : row, this.#columns.names.length - 1],
    };
    const place = to[event.key];
    if (place !== undefined) this.#moveTo(...place);
    else if (event.key === 'Enter') {
      const chosen = this.#chosen(this.#focused());
      if (chosen !== undefined) this.#events.open(chosen);
    } else if (event.key === 's' && !event.ctrlKey && !event.metaKey) this.sort(this.#columns.names[column] ?? '');
    else if (event.key === 'c' && (event.ctrlKey || event.metaKey)) {
      const text = this.#focused()?.textContent;
      if (text !== null && text !== undefined) void navigator.clipboard.writeText(text);
    } else return;
    event.preventDefault();
  }

  #moveTo(row: number, column: number): void {
    const rows = this.#shown?.answer.length ?? 0;
    if (rows === 0) return;
    this.#focus = { row: Math.min(rows - 1, Math.max(0, row)), column: Math.min(this.#columns.names.length - 1, Math.max(0, column)) };
    const top = this.#focus.row * ROW;
    const { scrollTop, clientHeight } = this.element;
    const visible = clientHeight - this.#head.offsetHeight - ROW;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (top > scrollTop + visible) this.element.scrollTop = top - visible;
    this.#paint(false);
    const cell = this.#focused();
    if (cell === undefined) return;
    cell.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    this.#events.look(this.#chosen(cell));
  }

  #focused(): HTMLElement | undefined {
    return this.#lines.find((line) => line.index === this.#focus.row && !line.element.hidden)?.cells[this.#focus.column];
  }

  #markFocus(): void {
    this.element.querySelector('.cell.focused')?.classList.remove('focused');
    const cell = this.#focused();
    if (cell === undefined || document.activeElement !== this.element) return this.element.removeAttribute('aria-activedescendant');
    cell.classList.add('focused');
    cell.id ||= `cell-${Math.random().toString(36).slice(2)}`;
    this.element.setAttribute('aria-activedescendant', cell.id);
  }
}

function light(element: HTMLElement, colour: string): void {
  element.animate([{ backgroundColor: colour }, {}], { duration: 900, easing: 'ease-out' });
}

/** What stands in place of a grid without rows. */
export function nothing(text: string): HTMLElement {
  return h('div', { class: 'nothing' }, icon('clock'), h('p', {}, text));
}
