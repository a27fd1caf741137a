// A result over time: what its numbers were at each of 200 moments.

import { dateTime } from '../base/dates';
import { fill, h } from '../base/dom';
import type { Answer } from '../state/answer';
import type { Result } from '../state/result';
import type { View } from './card';

const MOMENTS = 200;
const SERIES_MAX = 8;
const [WIDTH, HEIGHT] = [1000, 300];

interface Series {
  readonly name: string;
  readonly values: (number | undefined)[];
}

/** A chart of a result over the commits of its database; `go` moves the slider to a moment on it. */
export function chart(result: Result, go: (seq: number) => void): View {
  const { commits } = result.session;
  const stops = pick(commits.all.map((commit) => commit.seq), MOMENTS);
  const plot = h('div', { class: 'plot', role: 'img', 'aria-label': `Chart over time of ${result.statement.text}` });
  const legend = h('p', { class: 'plot-legend' });
  const readout = h('p', { class: 'plot-readout faint' });
  const element = h('div', { class: 'chart' }, legend, plot, readout);
  const series = new Map<string, Series>();
  let closed = false;

  const draw = (): void => {
    const list = [...series.values()].slice(0, SERIES_MAX);
    plot.innerHTML = svg(list, stops.length);
    fill(legend, ...list.map((one, at) => h('span', { style: { '--own': `var(--series-${at + 1})` } }, one.name)));
  };
  const take = (answer: Answer, at: number): void => {
    for (const [name, value] of numbers(answer)) {
      let one = series.get(name);
      if (one === undefined) series.set(name, (one = { name, values: [] }));
      one.values[at] = value;
    }
  };
  const run = async (): Promise<void> => {
    let drawn = performance.now();
    for (const [at, seq] of stops.entries()) {
      const answer = await result.ask(seq);
      if (closed) return;
      take(answer, at);
      if (performance.now() - drawn > 80) {
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
  plot.addEventListener('click', (event) => go(stops[stopAt(event)] ?? 0));
  plot.addEventListener('pointermove', (event) => {
    const at = stopAt(event);
    const commit = commits.at(stops[at] ?? 0);
    const values = [...series.values()].slice(0, SERIES_MAX).map((one) => `${one.name} ${one.values[at] ?? '–'}`);
    readout.textContent = `${commit === undefined ? '' : dateTime(commit.time)}: ${values.join(', ')}`;
  });
  readout.textContent = `${stops.length} moments. Click one to go there.`;
  run().catch((error: unknown) => (readout.textContent = error instanceof Error ? error.message : String(error)));
  return { element, close: () => (closed = true) };
}

/** So many of a list, evenly, the last one among them. */
export function pick(list: readonly number[], count: number): number[] {
  if (list.length <= count) return [...list];
  return Array.from({ length: count }, (_, at) => list[Math.round((at / (count - 1)) * (list.length - 1))]!);
}

/** The numbers of an answer by name: of a few rows each number, of many how many rows there are. */
function numbers(answer: Answer): [string, number][] {
  if (answer.length > SERIES_MAX || answer.result.columns === null) return [['rows', answer.length]];
  const found: [string, number][] = [];
  for (let at = 0; at < answer.length; at++) {
    const entries = Object.entries(answer.row(at));
    const label = entries.filter(([, value]) => typeof value !== 'number' && typeof value !== 'bigint').map(([, value]) => String(value)).join(' ');
    for (const [name, value] of entries) if (typeof value === 'number' || typeof value === 'bigint') found.push([label === '' ? name : `${label} · ${name}`, Number(value)]);
  }
  return found;
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
