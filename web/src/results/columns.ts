// The columns of a grid: which there are, how wide, of what type. They stay while the moment changes, so that nothing jumps.

import { typeName } from '../engine/catalogue';
import type { Answer } from '../state/answer';
import { compare, look } from './values';

/** So many rows are looked at for columns and widths. */
const SAMPLE = 200;
const [MIN, MAX] = [44, 320];
/** On a narrow page columns are narrower: the names of types are not shown there. */
const narrow = matchMedia('(max-width: 820px)');

/** The columns of a grid. */
export class Columns {
  #names: string[] = [];
  readonly #widths = new Map<string, number>();
  readonly #types = new Map<string, Set<string>>();

  get names(): readonly string[] {
    return this.#names;
  }

  /** As CSS has it. */
  get template(): string {
    return this.#names.map((name, at) => (at === this.#names.length - 1 ? `minmax(${this.#widths.get(name)}px, 1fr)` : `${this.#widths.get(name)}px`)).join(' ');
  }

  /** The type of a column as one word. */
  type(name: string): string {
    const seen = [...(this.#types.get(name) ?? [])].filter((type) => type !== 'null');
    return seen.length === 1 ? seen[0]! : seen.length === 0 ? 'null' : 'mixed';
  }

  /** Takes the columns of an answer along; whether there are new ones. */
  take(answer: Answer): boolean {
    const before = this.#names.length;
    const types = [...this.#types.values()].reduce((sum, seen) => sum + seen.size, 0);
    for (const name of answer.result.columns ?? []) this.#add(name);
    for (let index = 0; index < Math.min(SAMPLE, answer.length); index++) {
      for (const [name, value] of Object.entries(answer.row(index))) {
        this.#add(name);
        this.#types.get(name)!.add(typeName(value));
        if (before === 0 || !this.#widths.has(name) || index < 40) this.#widen(name, look(value).text.length, before === 0);
      }
    }
    return this.#names.length !== before || [...this.#types.values()].reduce((sum, seen) => sum + seen.size, 0) !== types;
  }

  #add(name: string): void {
    if (this.#types.has(name)) return;
    this.#names.push(name);
    this.#types.set(name, new Set());
    this.#widths.set(name, Math.max(MIN, Math.min(MAX, name.length * 8 + (narrow.matches ? 24 : 72))));
  }

  #widen(name: string, length: number, free: boolean): void {
    if (free) this.#widths.set(name, Math.max(this.#widths.get(name)!, Math.min(MAX, length * (narrow.matches ? 7.4 : 7.6) + (narrow.matches ? 17 : 26))));
  }

  /** The places of an answer's rows in the order of a column. */
  order(answer: Answer, column: string, down: boolean): Uint32Array {
    const values = Array.from({ length: answer.length }, (_, index) => answer.row(index)[column]);
    const order = Uint32Array.from(values.keys());
    const sign = down ? -1 : 1;
    return order.sort((a, b) => sign * compare(values[a], values[b]) || a - b);
  }
}
