// Figures by measure and engine, and the Markdown that they make: absolute figures, ratios to the best rival, and whether the goal is reached.

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** Three digits that count. */
export function digits(value) {
  if (value === 0) return '0';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return value.toPrecision(value >= 1 ? 3 : 2);
}

/** One line: `better` is 'more' or 'less'; `goal` a ratio in our favour, `{times}`: at most so many times the base's figure, or `{below}`. */
class Measure {
  #figures = new Map();

  constructor(title, unit, better, goal) {
    Object.assign(this, { title, unit, better, goal });
  }

  add(name, figure) {
    const all = this.#figures.get(name) ?? [];
    this.#figures.set(name, all);
    all.push(figure);
  }

  get(name) {
    const all = this.#figures.get(name);
    return all === undefined ? undefined : median(all);
  }

  /** The best of those whose names are accepted: `[name, figure]`. */
  best(accept) {
    let best;
    for (const name of this.#figures.keys()) {
      const figure = this.get(name);
      if (accept(name) && (best === undefined || (this.better === 'more' ? figure > best[1] : figure < best[1]))) best = [name, figure];
    }
    return best;
  }

  /** How many times better `ours` is than the best rival. */
  ratio(ours, best) {
    return this.better === 'more' ? ours / best : best / ours;
  }
}

/** The goal in words, and whether it is reached. */
function verdict(goal, { ratio, times, ours, unit }) {
  if (goal === undefined) return ['', ''];
  const [told, reached] =
    goal.times !== undefined
      ? [`at most ${goal.times} x an empty page`, times <= goal.times]
      : goal.below !== undefined
        ? [`below ${goal.below}${unit}`, ours < goal.below]
        : [`${goal} x`, ratio === undefined ? undefined : ratio >= goal];
  return [told, reached === undefined ? '' : reached ? 'yes' : '**no**'];
}

export class Report {
  #measures = [];

  measure(title, unit, better, goal) {
    let found = this.#measures.find((measure) => measure.title === title);
    if (found === undefined) this.#measures.push((found = new Measure(title, unit, better, goal)));
    return found;
  }

  /** A table: ours, each group of rivals by its best schema, the ratio to the best of all, the goal. */
  table(columns, base) {
    const lines = [`| measure | DriftDB | ${columns.map(({ title }) => title).join(' | ')} | ratio to the best | goal | |`, `|---|---|${columns.map(() => '---|').join('')}---|---|---|`];
    for (const measure of this.#measures) lines.push(this.#line(measure, columns, base));
    return lines.join('\n');
  }

  #line(measure, columns, base) {
    const { unit, goal, better } = measure;
    const show = (figure) => `${digits(figure)}${unit}`;
    const ours = measure.get('driftdb');
    const empty = measure.get(base);
    const cells = columns.map(({ names }) => {
      const best = measure.best((name) => names.includes(name));
      if (best === undefined) return '';
      return `${show(best[1])}${best[0].endsWith(' events') ? ' *' : best[0].endsWith(' objects') ? ' o' : ''}`;
    });
    if (ours === undefined) return `| ${measure.title} | | ${cells.join(' | ')} | | | |`;
    const best = measure.best((name) => name !== 'driftdb' && name !== base);
    const ratio = best && measure.ratio(ours, best[1]);
    const times = empty === undefined ? undefined : ours / empty;
    const [told, reached] = verdict(goal, { ratio, times, ours, unit });
    const lost = ratio < 1 ? ' (behind)' : '';
    const against = times && `${digits(times)} x an empty page`;
    return `| ${measure.title}${better === 'less' ? ', less is better' : ''} | ${show(ours)} | ${cells.join(' | ')} | ${[ratio && `${digits(ratio)}${lost}`, against].filter(Boolean).join('; ')} | ${told} | ${reached} |`;
  }
}
