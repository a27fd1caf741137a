// The oracle: every version of every row in JavaScript's own objects. What it answers is right because there is nothing to it.

export const make = () => new Memory();

class Memory {
  #versions = new Map();

  async open() {}

  async load(events) {
    for (const { seq, key, row, patch } of events) {
      const versions = this.#versions.get(key) ?? [];
      this.#versions.set(key, versions);
      versions.push({ seq, row: row ?? (patch === undefined ? undefined : { ...versions.at(-1).row, ...patch }) });
    }
  }

  async get(key, at = Infinity) {
    return this.#versions.get(key)?.findLast((version) => version.seq <= at)?.row;
  }

  async lookup(customer, at) {
    const rows = await Promise.all([...this.#versions.keys()].map((key) => this.get(key, at)));
    return rows.filter((row) => row?.customer_id === customer);
  }

  async history(key) {
    return (this.#versions.get(key) ?? []).map(({ row }) => row).filter((row) => row !== undefined);
  }

  async groups(at) {
    const groups = new Map();
    for (const key of this.#versions.keys()) {
      const row = await this.get(key, at);
      if (row === undefined) continue;
      const group = groups.get(row.status) ?? { status: row.status, n: 0, total: 0 };
      groups.set(row.status, group);
      group.n++;
      group.total += row.amount;
    }
    return [...groups.values()];
  }
}
