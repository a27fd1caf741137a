// Small things that outlive the page. Where nothing may be kept they last as long as the page.

const memory = new Map<string, string>();

/** What was kept under a name, or what stands for it. */
export function recall<T>(name: string, otherwise: T): T {
  try {
    const text = localStorage.getItem(`driftdb.${name}`) ?? memory.get(name);
    return text === undefined || text === null ? otherwise : (JSON.parse(text) as T);
  } catch {
    return otherwise;
  }
}

/** Keeps something under a name. */
export function keep(name: string, value: unknown): void {
  const text = JSON.stringify(value);
  memory.set(name, text);
  try {
    localStorage.setItem(`driftdb.${name}`, text);
  } catch {
    // Full or forbidden: it is kept as long as the page.
  }
}
