// The scripts in the editor's tabs. Every change is kept at once, so that no text is lost with a page.

import { recall, keep } from '../base/storage';
import { Signal } from '../base/signal';

/** A script in a tab. */
export interface Script {
  readonly id: string;
  readonly text: string;
}

const KEY = 'scripts';

/** The scripts that are open. */
export class Scripts {
  readonly list: Signal<readonly Script[]>;
  readonly active: Signal<string>;

  constructor() {
    const kept = recall<readonly Script[]>(KEY, []).filter((one) => typeof one.id === 'string' && typeof one.text === 'string');
    this.list = new Signal<readonly Script[]>(kept.length > 0 ? kept : [fresh('')]);
    const active = recall('active-script', '');
    this.active = new Signal(this.list.value.some((one) => one.id === active) ? active : this.list.value[0]!.id);
    this.active.watch((id) => keep('active-script', id));
  }

  get current(): Script {
    return this.list.value.find((one) => one.id === this.active.value) ?? this.list.value[0]!;
  }

  /** The text of the active script has changed. */
  type(text: string): void {
    this.#change((list) => list.map((one) => (one.id === this.active.value ? { ...one, text } : one)));
  }

  /** A new tab, which becomes the active one. An empty one that is active is taken instead. */
  add(text: string): void {
    if (this.current.text.trim() === '' && text !== '') {
      const { id } = this.current;
      this.type(text);
      this.active.value = '';
      this.active.value = id;
      return;
    }
    const same = text === '' ? undefined : this.list.value.find((one) => one.text === text);
    const script = same ?? fresh(text);
    if (same === undefined) this.#change((list) => [...list, script]);
    this.active.value = script.id;
  }

  /** Closes a tab; its text is returned so that it can be had again. */
  close(id: string): string {
    const at = this.list.value.findIndex((one) => one.id === id);
    const text = this.list.value[at]?.text ?? '';
    this.#change((list) => {
      const left = list.filter((one) => one.id !== id);
      return left.length > 0 ? left : [fresh('')];
    });
    if (this.active.value === id) this.active.value = this.list.value[Math.min(at, this.list.value.length - 1)]!.id;
    return text;
  }

  /** Another page of this origin may have changed its own tabs meanwhile: only what this one changes is changed. */
  #change(change: (list: readonly Script[]) => readonly Script[]): void {
    const before = this.list.value;
    const after = change(before);
    const others = recall<readonly Script[]>(KEY, []).filter((one) => !before.some((mine) => mine.id === one.id));
    this.list.value = after;
    keep(KEY, [...others, ...after]);
  }
}

function fresh(text: string): Script {
  return { id: crypto.randomUUID(), text };
}

/** What a tab is called: how its script begins. */
export function scriptTitle(text: string): string {
  const line = text.split('\n').map((one) => one.replace(/^--\s*/, '').trim()).find((one) => one !== '') ?? 'New script';
  return line.length > 28 ? `${line.slice(0, 27)}…` : line;
}
