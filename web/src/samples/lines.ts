// Event lines, written: what a sample is made of.

type Row = Record<string, unknown>;

/** Who and why. */
export interface Who {
  readonly by?: string;
  readonly why?: string;
}

type Change = { readonly table: string; readonly op: 'insert' | 'patch' | 'delete'; readonly key: string | number; readonly doc?: Row; readonly patch?: Row };

/** A history under construction: commits may be given in any order and come out by time. */
export class History {
  readonly #creates: string[] = [];
  readonly #commits: { time: number; order: number; who: Who; changes: readonly Change[] }[] = [];

  table(name: string, pk: string, index: readonly string[] = []): void {
    this.#creates.push(JSON.stringify({ create: name, pk, index }));
  }

  /** A transaction. */
  commit(time: number, who: Who, ...changes: readonly Change[]): void {
    this.#commits.push({ time, order: this.#commits.length, who, changes });
  }

  /** The lines. */
  toString(): string {
    const lines = ['{"driftdb": 1}', ...this.#creates];
    for (const { time, who, changes } of this.#commits.sort((a, b) => a.time - b.time || a.order - b.order)) {
      const more = (index: number): object => (index < changes.length - 1 ? { more: true } : {});
      changes.forEach((change, index) => lines.push(JSON.stringify({ ...change, ts: Math.round(time), ...who, ...more(index) })));
    }
    return `${lines.join('\n')}\n`;
  }
}

/** A new row. */
export function insert(table: string, key: string | number, doc: Row): Change {
  return { table, op: 'insert', key, doc };
}

/** A changed row. */
export function patch(table: string, key: string | number, changes: Row): Change {
  return { table, op: 'patch', key, patch: changes };
}

/** A deleted row. */
export function remove(table: string, key: string | number): Change {
  return { table, op: 'delete', key };
}
