// A result over time: what its numbers were at each of 200 moments.

import { dateTime } from '../base/dates';
import { fill, h } from '../base/dom';
import type { Answer } from '../state/answer';
import type { Result } from '../state/result';
import type { View } from './card';

const MOMENTS = 200;
const SERIES_MAX = 8;
/** Answers of more rows are drawn as one number: how many rows. */
const ROWS_MAX = 24;
const ROWS = 'rows';
const REDRAW_MS = 80;
const [WIDTH, HEIGHT] = [1000, 300];

interface Series {
  readonly name: string;
  readonly values: (number | undefined)[];
}

/** A chart of a result over the commits of its database; `go` moves the slider to a moment on it. */
export function chart(result: Result, go: (seq: number) => void): View {
  const { commits } = result.session;
  const stops = pick(commits.all.map((commit) => commit.seq), MOMENTS);
  const answers: Answer[] = [];
  const columns = numericColumns(result.shown.value?.answer);
  const chooser = h('select', { class: 'chooser', 'aria-label': 'What is drawn' }, ...columns.map((name) => h('option', { value: name }, name)));
  chooser.hidden = columns.length < 2;
  chooser.value = columns.at(-1)!;
  const plot = h('div', { class: 'plot', role: 'img', 'aria-label': `Chart over time of ${result.statement.text}` });
  const legend = h('p', { class: 'plot-legend' });
  const readout = h('p', { class: 'plot-readout faint' }, `${stops.length} moments. Click one to go there.`);
  const element = h('div', { class: 'chart' }, h('div', { class: 'plot-head' }, legend, chooser), plot, readout);
  let closed = false;
  let series: Series[] = [];

  const draw = (): void => {
    series = seriesOf(answers, chooser.value);
    plot.innerHTML = svg(series, stops.length);
    fill(legend, ...series.map((one, at) => h('span', { style: { '--own': `var(--series-${at + 1})` } }, one.name)));
  };
  const run = async (): Promise<void> => {
    let drawn = performance.now();
    for (const seq of stops) {
      const answer = await result.ask(seq);
      if (closed) return;
      answers.push(answer);
      if (performance.now() - drawn > REDRAW_MS) {
        draw();
        drawn = performance.now();
      }
    }
    draw();
    element.dataset['moments'] = String(stops.length);
  };
  const stopAt = (event: MouseEvent): number => {
    const { left, width } = plot.getBoundingClientRect();
    return Math.max(0, Math.min(stops.length - 1, Math.round(((event.clientX - left) / width) * (stops.length - 1))));
  };
  chooser.addEventListener('change', draw);
  plot.addEventListener('click', (event) => go(stops[stopAt(event)] ?? 0));
  plot.addEventListener('pointermove', (event) => {
    const at = stopAt(event);
    const commit = commits.at(stops[at] ?? 0);
    readout.textContent = `${commit === undefined ? '' : dateTime(commit.time)}: ${series.map((one) => `${one.name} ${one.values[at] ?? '–'}`).join(', ')}`;
  });
  run().catch((error: unknown) => (readout.textContent = error instanceof Error ? error.message : String(error)));
  return { element, close: () => (closed = true) };
}

/** So many of a list, evenly, the last one among them. */
export function pick(list: readonly number[], count: number): number[] {
  if (list.length <= count) return [...list];
  return Array.from({ length: count }, (_, at) => list[Math.round((at / (count - 1)) * (list.length - 1))]!);
}

/** How many rows there are, and the columns with numbers, if the rows are few enough to have a line each. */
function numericColumns(answer: Answer | undefined): string[] {
  if (answer === undefined || answer.length > ROWS_MAX || answer.result.columns === null) return [ROWS];
  const isNumber = (value: unknown): boolean => typeof value === 'number' || typeof value === 'bigint';
  return [ROWS, ...answer.result.columns.filter((name) => answer.length > 0 && isNumber(answer.row(0)[name]))];
}

/** A line for each row of the answers: a column's values. The largest at the end come first. */
function seriesOf(answers: readonly Answer[], column: string): Series[] {
  if (column === ROWS) return [{ name: ROWS, values: answers.map((answer) => answer.length) }];
  const found = new Map<string, Series>();
  for (const [at, answer] of answers.entries()) {
    for (let index = 0; index < Math.min(answer.length, ROWS_MAX * 4); index++) {
      const row = answer.row(index);
      const value = row[column];
      if (typeof value !== 'number' && typeof value !== 'bigint') continue;
      const name = Object.values(row).filter((one) => typeof one !== 'number' && typeof one !== 'bigint').map(String).join(' ') || column;
      let one = found.get(name);
      if (one === undefined) found.set(name, (one = { name, values: [] }));
      one.values[at] = Number(value);
    }
  }
  return [...found.values()].sort((a, b) => (b.values.at(-1) ?? 0) - (a.values.at(-1) ?? 0)).slice(0, SERIES_MAX);
}

function svg(list: readonly Series[], stops: number): string {
  const all = list.flatMap((one) => one.values).filter((value): value is number => value !== undefined);
  const [low, high] = [Math.min(0, ...all), Math.max(1e-9, ...all)];
  const x = (at: number): number => (at / Math.max(1, stops - 1)) * WIDTH;
  const y = (value: number): number => HEIGHT - ((value - low) / (high - low)) * (HEIGHT - 12) - 6;
  const grid = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const value = low + (high - low) * part;
    return `<line x1="0" x2="${WIDTH}" y1="${y(value)}" y2="${y(value)}" class="rule"/>`;
  });
  // Steps, not slopes: between two commits nothing changed.
  const lines = list.map((one, index) => {
    let path = '';
    one.values.forEach((value, at) => {
      if (value === undefined) return;
      path += path === '' || one.values[at - 1] === undefined ? `M${x(at).toFixed(1)},${y(value).toFixed(1)}` : `H${x(at).toFixed(1)}V${y(value).toFixed(1)}`;
    });
    return `<path d="${path}" class="series" style="stroke: var(--series-${index + 1})"/>`;
  });
  const label = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: 2 });
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true">${grid.join('')}${lines.join('')}</svg><span class="plot-high">${label(high)}</span><span class="plot-low">${label(low)}</span>`;
}
