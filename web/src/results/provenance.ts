// What hovering a cell says: since when it is so, who made it so, and why.

import type { HistoryRow } from 'driftdb';
import { dateTime } from '../base/dates';
import { fill, h } from '../base/dom';
import { Moment } from '../state/moment';
import type { Workspace } from '../state/workspace';
import type { Result } from '../state/result';
import type { Chosen } from './grid';

const WAIT_MS = 220;
const KEPT = 50;

/** The note beside a cell. */
export class Provenance {
  readonly element = h('div', { class: 'provenance', role: 'tooltip', id: 'provenance', hidden: true });
  readonly #workspace: Workspace;
  readonly #histories = new Map<string, Promise<HistoryRow<object>[]>>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #cell: HTMLElement | undefined;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
    addEventListener('scroll', () => this.hide(), { capture: true, passive: true });
    workspace.moment.at.watch(() => this.hide());
  }

  /** A cell is looked at, or none. */
  look(result: Result, chosen: Chosen | undefined): void {
    if (chosen?.cell === this.#cell) return;
    this.hide();
    if (chosen === undefined) return;
    this.#cell = chosen.cell;
    this.#timer = setTimeout(() => void this.#show(result, chosen), WAIT_MS);
  }

  hide(): void {
    clearTimeout(this.#timer);
    this.#cell?.removeAttribute('aria-describedby');
    this.#cell = undefined;
    this.element.hidden = true;
  }

  async #show(result: Result, chosen: Chosen): Promise<void> {
    const key = result.identity.key(chosen.row);
    const path = chosen.column === undefined ? undefined : result.identity.path(chosen.column);
    const { table } = result.statement;
    if (key === undefined || path === undefined || table === undefined) return;
    const head = result.session.head.value.seq;
    const place = `${result.session.home.kind} ${table} ${typeof key} ${String(key)} ${head}`;
    if (!this.#histories.has(place)) {
      if (this.#histories.size >= KEPT) this.#histories.clear();
      this.#histories.set(place, result.session.db.table(table).history(key));
    }
    const events = await this.#histories.get(place)!.catch(() => []);
    if (this.#cell !== chosen.cell) return;
    const event = sinceWhen(events, path, Moment.seq(this.#workspace.moment.at.value, head));
    if (event === undefined) return;
    const change = Object.entries(event.changed).find(([changed]) => touches(changed, path));
    const was = event.event === 'INSERT' || change === undefined ? null : h('p', { class: 'faint' }, 'before: ', h('code', {}, JSON.stringify(change[1][0])));
    fill(
      this.element,
      h('p', {}, h('span', { class: 'faint' }, 'since '), h('strong', {}, dateTime(Date.parse(event.time)))),
      h('p', {}, h('span', { class: 'faint' }, 'by '), event.by === null ? 'nobody who said so' : String(event.by), event.why === null ? null : h('span', { class: 'faint' }, ` “${String(event.why)}”`)),
      was,
    );
    this.#place(chosen.cell);
  }

  #place(cell: HTMLElement): void {
    const box = cell.getBoundingClientRect();
    this.element.hidden = false;
    cell.setAttribute('aria-describedby', 'provenance');
    const { offsetWidth, offsetHeight } = this.element;
    this.element.style.left = `${Math.max(8, Math.min(innerWidth - offsetWidth - 8, box.left + 8))}px`;
    this.element.style.top = `${box.bottom + offsetHeight + 12 < innerHeight ? box.bottom + 4 : box.top - offsetHeight - 4}px`;
  }
}

/** The event that made a member what it is at a seq. */
export function sinceWhen(events: readonly HistoryRow<object>[], path: string, seq: number): HistoryRow<object> | undefined {
  const seen = events.filter((event) => event.seq <= seq);
  return seen.findLast((event) => Object.keys(event.changed).some((changed) => touches(changed, path))) ?? seen.findLast((event) => event.event === 'INSERT');
}

/** Whether what changed is what is looked at, or lies in it, or holds it. */
function touches(changed: string, path: string): boolean {
  return changed === path || changed.startsWith(`${path}.`) || changed.startsWith(`${path}[`) || path.startsWith(`${changed}.`) || path.startsWith(`${changed}[`);
}
